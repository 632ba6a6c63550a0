"""Train: python tools/train.py CONFIG [arguments of mmaction2's train.py]."""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse

from mmaction.registry import RUNNERS
from mmengine.runner import Runner

from mmvidadapt.apis.train import options
from mmvidadapt.utils import cpu_distributed


FLAGS = {
    '--amp': 'mixed precision: optim_wrapper.dtype, by default fp16 on a GPU '
    'and bf16 without one',
    '--no-validate': 'do not evaluate',
    '--auto-scale-lr': 'scale the learning rate by the batch size',
    '--new-head': 'load_from may have other classes: train a new classifier',
    '--interpolate-time': 'load_from may have another number of frames: '
    'interpolate its positions in time',
    '--sweep': 'train probes of a frozen trunk at once, with 5 learning rates '
    'times 4 weight decays, or those of --cfg-options model.sweep.lr=[...] '
    'model.sweep.weight_decay=[...]; the best on validation is kept',
    '--diff-rank-seed': 'a seed of its own for every process',
    '--deterministic': 'deterministic algorithms only',
}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Train a recognizer')
    parser.add_argument('config', help='path, or name such as aim/vitb16_k400')
    options.add_common_arguments(parser)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='go on from this checkpoint, or from the newest one in the work '
        'directory when none is named',
    )
    parser.add_argument('--seed', type=int, help='random seed')
    for name, text in FLAGS.items():
        parser.add_argument(name, action='store_true', help=text)
    return parser.parse_args()


def main() -> None:
    """Train as the command line says."""
    args = parse_args()
    config = options.read_config(args)
    if args.no_validate:
        options.drop_validation(config)
    if args.sweep:
        config = options.use_sweep(config)
    if args.amp:
        options.use_amp(config)
    if args.auto_scale_lr:
        options.use_auto_scale_lr(config)
    options.use_load_options(config, args)
    options.use_resume(config, args.resume)
    options.use_seed(config, args)
    options.check_checkpoint(config)
    options.reserve_work_dir(config)
    build = RUNNERS.build if 'runner_type' in config else Runner.from_cfg
    build(config).train()
    cpu_distributed.leave()


if __name__ == '__main__':
    main()
