"""Entropy of what is masked: masked_tokens.py CONFIG [CHECKPOINT].

Draws clips and images as a pretraining does and prints, for each stream, the
unigram entropy of the masked tokens and, of a checkpoint, its loss on them.
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse

from mmengine.config import DictAction

from mmvidadapt.apis.train.config import load_config
from mmvidadapt.apis.inspect.masked_tokens import measure_tokens
from mmvidadapt.utils.printable import fail, say


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Print entropy and loss of the masked tokens'
    )
    parser.add_argument('config', help='path, or name of a pretraining config')
    parser.add_argument('checkpoint', nargs='?', help='path or URL')
    parser.add_argument(
        '--samples', type=int, default=200, help='of each stream at most'
    )
    parser.add_argument('--seed', type=int, default=0, help='of crop and mask')
    parser.add_argument('--device', help='by default a GPU if there is one')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def main() -> None:
    """Measure as the command line says."""
    args = parse_args()
    config = load_config(args.config, args.cfg_options)
    for found in measure_tokens(
        config, args.checkpoint, args.samples, args.seed, args.device
    ):
        say(found)


if __name__ == '__main__':
    try:
        main()
    except (FileNotFoundError, ValueError) as error:
        fail(error)
