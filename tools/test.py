"""Test: python tools/test.py CONFIG CHECKPOINT [mmaction2's arguments]."""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse

from mmaction.registry import RUNNERS
from mmengine.runner import Runner

from mmvidadapt.apis.train import options
from mmvidadapt.apis.use.other_class import use_threshold
from mmvidadapt.utils import cpu_distributed


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Test a recognizer')
    parser.add_argument('config', help='path, or name such as aim/vitb16_k400')
    parser.add_argument('checkpoint', help='path or URL of a checkpoint')
    options.add_common_arguments(parser)
    parser.add_argument('--dump', help='pickle file for all predictions')
    parser.add_argument(
        '--show-dir', help='folder for the clips with their predictions'
    )
    parser.add_argument(
        '--show', action='store_true', help='show the clips in a window'
    )
    parser.add_argument(
        '--interval', type=int, default=1, help='every how many clips one is'
    )
    parser.add_argument(
        '--wait-time', type=float, default=2.0, help='seconds a clip is shown'
    )
    return parser.parse_args()


def main() -> None:
    """Test as the command line says."""
    args = parse_args()
    config = options.read_config(args)
    config.load_from = args.checkpoint
    if args.dump is not None:
        options.dump_predictions(config, args.dump)
    if args.show or args.show_dir is not None:
        options.show_predictions(config, args)
    use_threshold(config, args.checkpoint)
    options.write_manifest(config)
    options.check_labels(config)
    options.check_checkpoint(config)
    build = RUNNERS.build if 'runner_type' in config else Runner.from_cfg
    build(config).test()
    cpu_distributed.leave()


if __name__ == '__main__':
    main()
