"""Cache what a frozen trunk sees: python tools/cache_features.py CONFIG OUT.

For evaluation sweeps and for training without augmentation: every clip goes
through the trunk once. Prints the size and asks before it starts, goes on
where an interrupted run stopped, and writes OUT/config.py, which trains and
tests from the cache:
    python tools/train.py OUT/config.py
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
import shutil
import sys
import time
from pathlib import Path

from mmaction.registry import MODELS
from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope
from torch import nn

from mmvidadapt.apis.config import load_config
from mmvidadapt.apis.feature_cache import (
    ask,
    cache_features,
    config_from_cache,
    plan,
)
from mmvidadapt.apis.inference import load_strictly

SPLITS = ('train', 'val', 'test')
GIB = 2**30


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Cache the features of a frozen trunk'
    )
    parser.add_argument('config', help='path, or name such as evl/vitb16_k400')
    parser.add_argument('out', type=Path, help='folder of the cache')
    parser.add_argument(
        '--splits',
        nargs='+',
        choices=SPLITS,
        default=list(SPLITS),
        help='data sets of the config; augmentation of the training set is '
        'drawn once for all epochs, so leave it out of the config',
    )
    parser.add_argument(
        '--checkpoint', help="weights in place of the config's pretrained"
    )
    parser.add_argument('--batch-size', type=int, default=4)
    parser.add_argument('--num-workers', type=int, default=2)
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--yes', action='store_true', help='do not ask')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def build_model(cfg: Config, args: argparse.Namespace) -> nn.Module:
    """Build the recogniser with the trunk's weights."""
    model = MODELS.build(cfg.model)
    if args.checkpoint:
        load_strictly(model, args.checkpoint)
    else:
        model.init_weights()
    return model.to(args.device)


def main() -> None:
    """Plan, ask, fill the cache, write the config."""
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    model = build_model(cfg, args)
    splits = [s for s in args.splits if cfg.get(f'{s}_dataloader')]
    plans = {split: plan(model, cfg, split) for split in splits}
    for split, meta in plans.items():
        print(
            f'{split}: {meta.clips} videos x {meta.views} views, '
            f'{meta.bytes / GIB:.2f} GiB'
        )
    existing = args.out if args.out.exists() else args.out.absolute().parent
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free / GIB
    total = sum(meta.bytes for meta in plans.values()) / GIB
    print(f'{total:.2f} GiB in all, {free:.1f} GiB free under {existing}')
    if not args.yes and not ask('Start?'):
        sys.exit('Not started; --yes starts without asking.')
    for split, meta in plans.items():
        start, folder = time.perf_counter(), args.out / split
        counts = cache_features(
            model,
            cfg,
            split,
            folder,
            meta,
            args.batch_size,
            args.num_workers,
            args.seed,
        )
        for done in counts:
            print(f'\r{split}: {done} of {meta.clips}', end='', flush=True)
        print(f'\r{split}: done, {time.perf_counter() - start:.0f} s')
    folders = {split: (args.out / split).absolute() for split in plans}
    config_from_cache(cfg, folders).dump(args.out / 'config.py')
    print(f'Wrote {args.out / "config.py"}.')


if __name__ == '__main__':
    main()
