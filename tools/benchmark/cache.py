"""Measure training from cached features: python tools/benchmark/cache.py OUT.

OUT is the folder that tools/cache_features.py filled, train among its splits.
Prints training steps a second, data and optimizer included, from video and
from the cache, in one run.
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
import time
from pathlib import Path

import torch
from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope

from mmvidadapt.apis.benchmark.cached_features import (
    ROUNDS,
    compare_with_video,
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('out', type=Path, help='folder of the cache')
    parser.add_argument('--iters', type=int, default=50, help='of a round')
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    args = parser.parse_args()
    if args.iters < 1:
        parser.error(f'--iters {args.iters}: give 1 or more')
    torch.set_num_threads(args.threads)
    cfg = Config.fromfile(args.out / 'config.py')
    cfg.merge_from_dict(args.cfg_options or {})
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    speed = compare_with_video(cfg, args.iters)
    loader = cfg.train_dataloader
    print(
        f'{time.strftime("%Y-%m-%d")}, torch {torch.__version__}, '
        f'{args.threads} threads, batch {loader.batch_size}, '
        f'{loader.num_workers} workers, median of {ROUNDS} rounds of '
        f'{args.iters} steps'
    )
    for name, steps in speed.items():
        print(f'{name}: {steps:.2f} steps/s ({1e3 / steps:.1f} ms)')
    print(f'ratio: {speed["cache"] / speed["video"]:.2f}')


if __name__ == '__main__':
    main()
