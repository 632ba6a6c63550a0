"""Draw what is filled in: show_masked_clip.py CONFIG CHECKPOINT OUT.png.

A clip (or image) of the training set, its mask, the predicted tokens by
confidence, and, where the tokenizer can draw its tokens, the clip with them:
for DALL-E's give `--cfg-options model.tokenizer.decoder=decoder.pkl`.
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse

from mmaction.registry import DATASETS, MODELS
from mmengine.config import DictAction
from mmengine.registry import init_default_scope

from mmvidadapt.apis.train.config import load_config
from mmvidadapt.apis.use.inference import auto_device, load_strictly
from mmvidadapt.apis.inspect.masked_clip import fill_masked, save_picture
from mmvidadapt.apis.data.precompute_tokens import loaders_of
from mmvidadapt.engine.seed import seed_everything
from mmvidadapt.utils.printable import fail, say


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Draw a clip, its mask and what is filled in'
    )
    parser.add_argument('config', help='path, or name of a pretraining config')
    parser.add_argument('checkpoint', help='path or URL of a checkpoint')
    parser.add_argument('out', help='file of the picture, *.png')
    parser.add_argument('--index', type=int, default=0, help='which sample')
    parser.add_argument(
        '--loader', default='train', help="'train', 'other0', ..."
    )
    parser.add_argument('--frames', type=int, default=8, help='shown at most')
    parser.add_argument('--seed', type=int, default=0, help='of crop and mask')
    parser.add_argument('--device', help='by default a GPU if there is one')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def main() -> None:
    """Draw as the command line says."""
    args = parse_args()
    config = load_config(args.config, args.cfg_options)
    init_default_scope(config.get('default_scope', 'mmaction'))
    loaders = loaders_of(config)
    if args.loader not in loaders:
        raise ValueError(
            f"There is no loader '{args.loader}'; choose from "
            f'{sorted(loaders)}.'
        )
    dataset = DATASETS.build(loaders[args.loader]['dataset'])
    if not 0 <= args.index < len(dataset):
        raise ValueError(
            f'--index {args.index}: the data set has {len(dataset)} samples.'
        )
    model = MODELS.build(config.model)
    load_strictly(model, args.checkpoint)
    model.to(args.device or auto_device())
    seed_everything(args.seed, args.index)
    clip = fill_masked(model, dataset[args.index])
    save_picture(clip, args.out, args.frames)
    say(f'{clip}\nwritten: {args.out}')


if __name__ == '__main__':
    try:
        main()
    except (FileNotFoundError, ValueError) as error:
        fail(error)
