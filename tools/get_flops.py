"""Count parameters and operations: python tools/get_flops.py CONFIG."""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
from typing import Sequence, Tuple

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmvidadapt.apis.inspect.complexity import (
    clip_shape,
    count_flops,
    count_params,
)
from mmvidadapt.apis.train.config import load_config
from mmvidadapt.apis.train.options import TRUNK_HELP
from mmvidadapt.utils.printable import say


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Parameters and multiply-adds of one view of a clip'
    )
    parser.add_argument('config', help='path, or name such as aim/vitb16_k400')
    parser.add_argument('--trunk', help=TRUNK_HELP)
    parser.add_argument(
        '--shape',
        type=int,
        nargs='+',
        help="5 numbers 'batch channels frames height width', 2 'height "
        "width' or 1; by default what the config says",
    )
    return parser.parse_args()


def input_shape(config: Config, shape: Sequence[int]) -> Tuple[int, ...]:
    """Complete a shape to (B, 3, T, H, W) from the config."""
    if len(shape) == 5:
        return tuple(shape)
    if len(shape) > 2:
        raise ValueError(
            f'--shape {" ".join(map(str, shape))}: give 1, 2 or 5 numbers.'
        )
    own = clip_shape(config)
    return (*own[:3], shape[0], shape[-1]) if shape else own


def main() -> None:
    """Print the counts."""
    args = parse_args()
    config = load_config(args.config, trunk=args.trunk)
    init_default_scope(config.get('default_scope', 'mmaction'))
    with torch.device('meta'):  # no memory, whatever the size
        model = MODELS.build(config.model)
    shape = input_shape(config, args.shape or ())
    say(f'input shape: {shape}')
    run = count_flops(model, shape) / 1e9
    published = count_flops(model, shape, as_published=True) / 1e9
    say(
        f'multiply-adds per view: {run:.1f} G as it runs here, '
        f'{published:.1f} G as the paper writes it'
    )
    params = count_params(model)
    say(f'parameters: {params.total:,}, trained: {params.trained:,}')


if __name__ == '__main__':
    main()
