"""Measure an input pipeline: python tools/benchmark/loader.py CONFIG [LIST].

Reads the same clips with the config's pipeline and with mmaction2's decoding
in its place, in turns, in one process, as one worker does. Prints clips per
second of a worker, what every step costs, how far the pixels differ, and the
bottleneck with what to do about it.
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
import time
from pathlib import Path
from typing import Dict

import cv2
import torch
from mmengine.config import DictAction
from mmengine.registry import init_default_scope

from mmvidadapt.apis.benchmark.loader import (
    Profile,
    advise,
    compare_with_stock,
)
from mmvidadapt.apis.train.config import load_config
from mmvidadapt.utils.text_table import text_table


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', help='path, or name such as aim/vitb16_k400')
    parser.add_argument(
        'list', nargs='?', help="annotation file in place of the config's"
    )
    parser.add_argument(
        '--data-root', help='folder of its videos; by default that of LIST'
    )
    parser.add_argument(
        '--split', choices=['train', 'val', 'test'], default='train'
    )
    parser.add_argument('--clips', type=int, default=32)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    args = parser.parse_args()
    if args.clips < 1:
        parser.error(f'--clips {args.clips}: give 1 or more')
    if args.list and args.data_root is None:
        args.data_root = str(Path(args.list).parent)
    return args


def table(profiles: Dict[str, Profile]) -> str:
    """Lay out what every step costs."""
    stock, own = profiles['stock'], profiles['own']
    rows = [['CPU ms per clip', 'mmaction2', 'own', 'share']]
    for (_, before), (name, after) in zip(stock.cpu.items(), own.cpu.items()):
        costs = [1e3 * before / stock.clips, 1e3 * after / own.clips]
        share = f'{after / own.total:.1%}'
        rows.append([name, *(f'{cost:.2f}' for cost in costs), share])
    for title, cost in (
        ('all steps', lambda p: 1e3 * p.total / p.clips),
        ('clips per CPU-second', lambda p: p.clips / p.total),
    ):
        rows.append([title, *(f'{cost(p):.2f}' for p in (stock, own))])
    return text_table(rows)


def main() -> None:
    """Measure and print."""
    args = parse_args()
    torch.set_num_threads(1)  # as in a worker
    cv2.setNumThreads(0)
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    profiles, apart = compare_with_stock(
        cfg, args.split, args.list, args.data_root, args.clips, args.seed
    )
    stock, own = profiles['stock'], profiles['own']
    print(
        f'{time.strftime("%Y-%m-%d")}, {args.config}, {args.split} pipeline, '
        f'{own.clips} clips, one worker'
    )
    print(table(profiles))
    print(
        f'ratio: {stock.total / own.total:.2f} times as many clips per '
        f'CPU-second as with mmaction2; pixels differ by {apart["mean"]:.4f} '
        f'of 255 in the mean, {apart["max"]:.0f} at most'
    )
    print(
        f'reading a file takes {1e3 * own.reading / own.clips:.1f} ms, '
        'waiting included'
    )
    print(advise(own))


if __name__ == '__main__':
    main()
