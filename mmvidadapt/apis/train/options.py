"""Apply the arguments of the tools to a config."""

import argparse
import os
from pathlib import Path
from typing import Optional

import torch
from mmengine.config import Config, DictAction
from mmengine.logging import print_log

from mmvidadapt.engine.checkpoints import is_remote, read_checkpoint
from mmvidadapt.engine.find_checkpoint import find_checkpoint
from mmvidadapt.engine.hooks.strict_load import KEY, OPTIONS
from mmvidadapt.engine.work_dir_lock import lock_work_dir
from mmvidadapt.methods.probe_sweep.config import sweep_config

from .config import load_config
from .image_size import check_crops

TRUNK_HELP = (
    'another trunk, such as openai/ViT-L-14, or NAME=FILE with weights of '
    'your own: mean, std, head and crops follow'
)
AMP_WRAPPERS = ('OptimWrapper', 'AmpOptimWrapper', 'CPUAmpOptimWrapper')


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that training and testing share."""
    parser.add_argument('--work-dir', help='folder for logs and results')
    parser.add_argument('--trunk', help=TRUNK_HELP)
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='override entries of the config, such as '
        'train_dataloader.batch_size=4 or key="[a,b]" (no spaces inside)',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='who started this process; the scripts beside this file set it',
    )
    parser.add_argument(
        '--local_rank',
        '--local-rank',
        type=int,
        default=0,
        help=argparse.SUPPRESS,
    )


def read_config(args: argparse.Namespace) -> Config:
    """Read the config with its overrides, launcher and folder."""
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    config = load_config(args.config, args.cfg_options, args.trunk)
    check_crops(config)
    config.launcher = args.launcher
    if args.work_dir is not None:
        config.work_dir = args.work_dir
    elif config.get('work_dir') is None:
        config.work_dir = str(Path('work_dirs', Path(args.config).stem))
    return config


def use_amp(config: Config) -> None:
    """Turn mixed precision on, on the GPU or, where there is none, the CPU."""
    wrapper = config.optim_wrapper
    kind = wrapper.get('type', 'OptimWrapper')
    if kind not in AMP_WRAPPERS:
        raise ValueError(
            f"--amp does not know optim_wrapper.type='{kind}'; "
            'set mixed precision in the config instead.'
        )
    if torch.cuda.is_available():
        wrapper.type = 'AmpOptimWrapper'
        wrapper.setdefault('loss_scale', 'dynamic')
        return
    wrapper.type = 'CPUAmpOptimWrapper'
    dropped = [
        f'{key}={wrapper.pop(key)!r}'
        for key in ('loss_scale', 'use_fsdp')
        if key in wrapper
    ]
    wrapper.dtype = wrapper.get('dtype') or 'bfloat16'
    print_log(
        f"--amp without a GPU: optim_wrapper.type='{kind}' became "
        f"'CPUAmpOptimWrapper' with dtype='{wrapper.dtype}'"
        + (f', without {" and ".join(dropped)}' if dropped else ''),
        logger='current',
    )


def reserve_work_dir(config: Config) -> None:
    """Refuse to train in the folder of another training that runs.

    Runner writes there as soon as it is built. The first process asks, for
    all; the launchers end the others when it fails.
    """
    ranks = dict(
        pytorch='RANK', slurm='SLURM_PROCID', mpi='OMPI_COMM_WORLD_RANK'
    )
    if os.environ.get(ranks.get(config.launcher, ''), '0') == '0':
        lock_work_dir(config.work_dir)


def use_resume(config: Config, resume: Optional[str]) -> None:
    """Resume from the newest checkpoint ('auto') or from a given one.

    Where 'auto' finds none, training starts as the config says: mmengine
    would leave its ``load_from`` out.
    """
    if resume is None:
        return
    if resume == 'auto':
        resume = find_checkpoint(config.work_dir)
    config.resume = resume is not None
    if config.resume:
        config.load_from = resume


def use_load_options(config: Config, args: argparse.Namespace) -> None:
    """Apply the options on differences of ``load_from`` and the model."""
    given = {name: True for name in OPTIONS if getattr(args, name)}
    if not given:
        return
    if config.get('load_from') is None:
        flags = ' and '.join(f'--{name.replace("_", "-")}' for name in given)
        raise ValueError(
            f'{flags} is about `load_from`, and this config loads nothing; '
            'add --cfg-options load_from=CHECKPOINT.'
        )
    config.load_options = {**(config.get(KEY) or {}), **given}
    hooks = list(config.get('custom_hooks') or [])
    if not any(str(h.get('type')).endswith('StrictLoadHook') for h in hooks):
        config.custom_hooks = [*hooks, dict(type='StrictLoadHook')]


def check_checkpoint(config: Config) -> None:
    """Read the checkpoint that a run starts from before anything is built."""
    start = config.get('load_from')
    if start is None and config.get('resume'):
        start = find_checkpoint(config.work_dir)
    if start is not None and not is_remote(start):
        read_checkpoint(start, copy=False)


def use_seed(config: Config, args: argparse.Namespace) -> None:
    """Override the config's ``randomness`` by given arguments."""
    randomness = dict(config.get('randomness') or dict(seed=None))
    if args.seed is not None:
        randomness['seed'] = args.seed
    for flag in ('diff_rank_seed', 'deterministic'):
        if getattr(args, flag):
            randomness[flag] = True
    config.randomness = randomness


def use_auto_scale_lr(config: Config) -> None:
    """Scale the learning rate by the batch size of this run."""
    if 'base_batch_size' not in config.get('auto_scale_lr', {}):
        raise ValueError(
            '--auto-scale-lr needs to know which batch size the learning '
            'rate is for; add auto_scale_lr=dict(enable=True, '
            'base_batch_size=64) to the config.'
        )
    config.auto_scale_lr.enable = True


def use_sweep(config: Config) -> Config:
    """Train many readers of the frozen trunk at once, each with its rates.

    Those of ``model.sweep``, ``lr`` and ``weight_decay``, else V-JEPA 2's.
    """
    if config.get('val_dataloader') is None:
        raise ValueError(
            '--sweep chooses the best on the validation set: leave '
            '--no-validate out, and give the config a val_dataloader.'
        )
    return sweep_config(config, **(config.model.get('sweep') or {}))


def drop_validation(config: Config) -> None:
    """Train without evaluating."""
    config.val_cfg = config.val_dataloader = config.val_evaluator = None


def write_manifest(config: Config) -> None:
    """Add the hook that records what a test tested, if it is not there."""
    _add_hook(config, 'ManifestHook')


def check_labels(config: Config) -> None:
    """Add the hook that drops the metrics of clips without labels."""
    _add_hook(config, 'BadVideosHook')


def _add_hook(config: Config, kind: str) -> None:
    """Add a hook to a config that does not have it."""
    hooks = list(config.get('custom_hooks') or [])
    if not any(str(h.get('type')).endswith(kind) for h in hooks):
        config.custom_hooks = [*hooks, dict(type=kind)]


def dump_predictions(config: Config, path: str) -> None:
    """Write the scores of all test clips to a pickle file."""
    if not path.endswith(('.pkl', '.pickle')):
        raise ValueError(f"--dump '{path}' must end in .pkl or .pickle.")
    metrics = config.test_evaluator
    metrics = (
        list(metrics) if isinstance(metrics, (list, tuple)) else [metrics]
    )
    config.test_evaluator = metrics + [
        dict(type='DumpResults', out_file_path=path)
    ]


def show_predictions(config: Config, args: argparse.Namespace) -> None:
    """Write or show the test clips with their predictions."""
    hook = dict(
        type='SavePredictionsHook',
        out_dir=args.show_dir,
        interval=args.interval,
        show=args.show,
        wait_time=args.wait_time,
    )
    config.custom_hooks = list(config.get('custom_hooks') or []) + [hook]
