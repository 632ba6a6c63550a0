"""Measure what time is worth: tools/analysis/temporal_dependency.py CFG CKPT.

Tests any recognizer three times, without training it again: on its clips, on
one frame of each in the place of all, and on shuffled frames.
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
from typing import Union

from mmengine.config import DictAction

from mmvidadapt.apis.train.config import load_config
from mmvidadapt.apis.use.inference import read_labels
from mmvidadapt.apis.inspect.temporal_dependency import (
    describe,
    measure_dependency,
    save_dependency,
)
from mmvidadapt.utils.printable import fail, say


def which_frame(text: str) -> Union[str, int]:
    """Read a number, 'middle' or 'random'."""
    return int(text) if text.lstrip('-').isdigit() else text


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Test on clips, on single frames and on shuffled frames'
    )
    parser.add_argument('config', help='path, or name such as aim/vitb16_ssv2')
    parser.add_argument('checkpoint', help='path or URL of a checkpoint')
    parser.add_argument('--out', help='folder for the figures and the picture')
    parser.add_argument(
        '--frame',
        type=which_frame,
        default='middle',
        help="the single frame: 'middle', 'random' or its number in the clip",
    )
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--labels', help='names of the classes, one per line')
    parser.add_argument('--num-workers', type=int, default=0)
    parser.add_argument('--device', help='by default a GPU if there is one')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def main() -> None:
    """Measure as the command line says."""
    args = parse_args()
    result = measure_dependency(
        load_config(args.config, args.cfg_options),
        args.checkpoint,
        args.device,
        args.frame,
        args.seed,
        args.num_workers,
        read_labels(args.labels) if args.labels else None,
    )
    say(describe(result))
    if args.out:
        for path in save_dependency(result, args.out):
            say(f'written: {path}')


if __name__ == '__main__':
    try:
        main()
    except (FileNotFoundError, ValueError) as error:
        fail(error)
