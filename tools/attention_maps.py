"""Draw what DualPath sees: python tools/attention_maps.py CONFIG VIDEO OUT."""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse

import cv2

from mmvidadapt.apis.train.config import load_config
from mmvidadapt.apis.inspect.path_attention import attention_picture
from mmvidadapt.utils.printable import fail, say


def main() -> None:
    """Draw as the command line says."""
    parser = argparse.ArgumentParser(
        description='Where the class tokens of DualPath look'
    )
    parser.add_argument('config', help='such as dualpath/vitb16_k400')
    parser.add_argument('video', help='the video')
    parser.add_argument('out', help='the picture, such as attention.png')
    parser.add_argument('--checkpoint', help='path or URL of a checkpoint')
    parser.add_argument('--layer', type=int, default=-1, help='which block')
    parser.add_argument('--device', help='by default a GPU if there is one')
    args = parser.parse_args()
    picture = attention_picture(
        load_config(args.config),
        args.checkpoint,
        args.video,
        args.layer,
        args.device,
    )
    if not cv2.imwrite(args.out, picture[..., ::-1]):
        raise ValueError(f'OpenCV cannot write {args.out}.')
    say(f'written: {args.out}')


if __name__ == '__main__':
    try:
        main()
    except (ValueError, cv2.error) as error:
        fail(error)
