"""Cache what a frozen trunk sees: python tools/cache_features.py CONFIG OUT.

For EVL, AttentiveProbe and VJEPA2. Every clip goes through the trunk once;
with --passes N, what is augmented N times, each with its own draws, of which
training draws one. Prints the size and asks before it starts, goes on where
an interrupted run stopped, makes lost files again, and writes OUT/config.py,
which trains and tests from the cache:
    python tools/train.py OUT/config.py
Splits left out of --splits are read from video as before. Several processes:
    torchrun --nproc_per_node 8 tools/cache_features.py --launcher pytorch ...
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
import sys
import time
from pathlib import Path
from typing import Dict

from mmaction.registry import MODELS
from mmengine.config import Config, DictAction
from mmengine.dist import barrier, init_dist, is_main_process
from mmengine.registry import init_default_scope
from torch import nn

from mmvidadapt.apis.train.config import load_config, write_config
from mmvidadapt.apis.data.cached_config import config_from_cache
from mmvidadapt.apis.data.feature_cache import (
    PRECISIONS,
    ask,
    cache_features,
    free_space,
    plan,
)
from mmvidadapt.apis.use.inference import load_strictly
from mmvidadapt.datasets.feature_cache.files import CacheMeta
from mmvidadapt.utils.printable import say

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
        help='data sets of the config that are cached',
    )
    parser.add_argument(
        '--frozen-augmentation',
        action='store_true',
        help='cache a data set that is augmented, too: what is drawn once '
        'is seen in all epochs',
    )
    parser.add_argument(
        '--passes',
        type=int,
        default=1,
        help='how often an augmented data set is cached, each time with other '
        'draws, of which training draws one; the size grows as much',
    )
    parser.add_argument(
        '--precision',
        choices=list(PRECISIONS),
        default='float32',
        help='in which the trunk runs; bfloat16 is faster on processors that '
        'have units for it',
    )
    parser.add_argument(
        '--launcher',
        choices=('none', 'pytorch', 'slurm', 'mpi'),
        default='none',
        help='that started several processes, which share the work',
    )
    parser.add_argument(
        '--checkpoint',
        help="weights in place of the config's pretrained; OUT/config.py "
        'starts from them',
    )
    parser.add_argument('--batch-size', type=int, default=4)
    parser.add_argument('--num-workers', type=int, default=2)
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--yes', action='store_true', help='do not ask')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def build_model(cfg: Config, args: argparse.Namespace) -> nn.Module:
    """Build the recognizer with the trunk's weights."""
    model = MODELS.build(cfg.model)
    if args.checkpoint:
        load_strictly(model, args.checkpoint)
    else:
        model.init_weights()
    return model.to(args.device)


def announce(plans: Dict[str, CacheMeta], out: Path) -> None:
    """Print what will be cached, and how large it is."""
    for split, meta in plans.items():
        drawn, times = '', ''
        if meta.passes > 1:
            drawn = f', augmented: {meta.passes} draws'
            times = f' x {meta.passes} passes'
        elif meta.random:
            drawn = ', augmented: one draw for all epochs'
        say(
            f'{split}: {meta.clips} videos{times} x {meta.views} views, '
            f'{meta.bytes:,} bytes ({meta.bytes / GIB:.2f} GiB){drawn}'
        )
    total = sum(meta.bytes for meta in plans.values()) / GIB
    free = free_space(out, plans.values()) / GIB
    say(f'{total:.2f} GiB in all, {free:.1f} GiB free')


def confirm(plans: Dict[str, CacheMeta], args: argparse.Namespace) -> None:
    """Stop where augmentation would freeze unasked, or nobody agrees."""
    augmented = [
        split
        for split, meta in plans.items()
        if meta.random and meta.passes == 1
    ]
    if augmented and not args.frozen_augmentation:
        sys.exit(
            f'The pipeline of {augmented} draws its clips anew in every '
            'epoch, a cache holds one draw. Leave the split out of --splits '
            'to read it from video, take what is random out of the pipeline, '
            'cache several draws with --passes N, or one for all epochs with '
            '--frozen-augmentation.'
        )
    if not args.yes and not ask('Start?'):
        sys.exit('Not started; --yes starts without asking.')


def main() -> None:
    """Plan, ask, fill the cache, write the config."""
    args = parse_args()
    if args.launcher != 'none':
        init_dist(args.launcher, 'nccl' if 'cuda' in args.device else 'gloo')
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    model = build_model(cfg, args)
    splits = [s for s in args.splits if cfg.get(f'{s}_dataloader')]
    drawn = args.seed, args.passes, args.precision
    plans = {s: plan(model, cfg, s, *drawn) for s in splits}
    if is_main_process():
        announce(plans, args.out)
        confirm(plans, args)
    folders = {split: (args.out / split).absolute() for split in plans}
    cached = config_from_cache(cfg, folders)
    if args.checkpoint:  # its trunk is the one that the features are of
        local = Path(args.checkpoint).exists()
        cached.load_from = (
            str(Path(args.checkpoint).absolute()) if local else args.checkpoint
        )
    sizes = args.batch_size, args.num_workers
    for split, meta in plans.items():
        start, folder = time.perf_counter(), folders[split]
        counts = cache_features(model, cfg, split, folder, meta, *sizes)
        for done in counts:
            if is_main_process():
                say(f'\r{split}: {done} of {meta.rows}', end='', flush=True)
        say(f'\r{split}: done, {time.perf_counter() - start:.0f} s')
    barrier()
    if is_main_process():
        write_config(cached, args.out / 'config.py')
        say(f'Wrote {args.out / "config.py"}.')


if __name__ == '__main__':
    main()
