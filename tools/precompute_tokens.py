"""Tokenize before training: python tools/precompute_tokens.py CONFIG OUT.

A fixed number of crops of every clip and image is tokenised once; training
then draws one of them in place of a new one. Prints the size and asks before
it starts, goes on where an interrupted run stopped, and writes OUT/config.py:
    python tools/train.py OUT/config.py
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
import sys
from pathlib import Path

from mmaction.registry import MODELS
from mmengine.config import DictAction
from mmengine.registry import init_default_scope

from mmvidadapt.apis.train.config import load_config, write_config
from mmvidadapt.apis.data.feature_cache import ask
from mmvidadapt.apis.data.precompute_tokens import (
    config_with_tokens,
    loaders_of,
    plan,
    precompute,
)
from mmvidadapt.datasets.wrappers import inner_config
from mmvidadapt.utils.printable import fail, say


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Tokenize before training')
    parser.add_argument('config', help='path, or name of a pretraining config')
    parser.add_argument('out', type=Path, help='folder of the tokens')
    parser.add_argument('--views', type=int, default=4, help='crops per item')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--batch-size', type=int, default=8)
    parser.add_argument('--num-workers', type=int, default=2)
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--yes', action='store_true', help='do not ask')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def main() -> None:
    """Plan, ask, tokenize, write the config."""
    args = parse_args()
    config = load_config(args.config, args.cfg_options)
    init_default_scope(config.get('default_scope', 'mmaction'))
    described = config.model.get('tokenizer')
    if described is None:
        raise ValueError(f'The model of {args.config} has no `tokenizer`.')
    tokenizer = MODELS.build(described)
    datasets = {
        name: inner_config(loader['dataset'])
        for name, loader in loaders_of(config).items()
    }
    plans = {
        name: plan(data, tokenizer, str(described), args.views, args.seed)
        for name, data in datasets.items()
    }
    for name, meta in plans.items():
        say(
            f'{name}: {meta.items} items x {meta.views} crops x {meta.frames} '
            f'pictures, {meta.bytes / 2**20:.1f} MiB'
        )
    if not args.yes and not ask('Start?'):
        sys.exit('Not started; --yes starts without asking.')
    for name, meta in plans.items():
        for done in precompute(
            datasets[name],
            tokenizer,
            args.out / name,
            meta,
            args.batch_size,
            args.num_workers,
            args.device,
        ):
            say(f'\r{name}: {done} of {meta.items}', end='', flush=True)
        say()
    folders = {name: (args.out / name).absolute() for name in plans}
    tokenized = config_with_tokens(config, folders)
    write_config(tokenized, args.out / 'config.py')
    say(f'Wrote {args.out / "config.py"}.')


if __name__ == '__main__':
    try:
        main()
    except (FileNotFoundError, ValueError) as error:
        fail(error)
