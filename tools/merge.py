"""Merge LoRA or ZeroI2V: python tools/merge.py CONFIG CHECKPOINT OUT.pth.

Writes a checkpoint of a plain ViT with equal outputs, whose heads still read
other frames where ZeroI2V's did, and OUT.py, the config that tests it:
    python tools/test.py OUT.py OUT.pth
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
from pathlib import Path

from mmvidadapt.apis.train.config import load_config
from mmvidadapt.apis.use.merge import merge_checkpoint
from mmvidadapt.utils.printable import say


def main() -> None:
    """Merge, and say what was written."""
    parser = argparse.ArgumentParser(
        description='Turn a trained model into a plain ViT with equal outputs'
    )
    parser.add_argument(
        'config', help='path, or name such as zeroi2v/vitb16_k400'
    )
    parser.add_argument('checkpoint')
    parser.add_argument('out', type=Path, help='file to write, .pth')
    args = parser.parse_args()
    merge_checkpoint(load_config(args.config), args.checkpoint, args.out)
    say(f'wrote {args.out} and {args.out.with_suffix(".py")}')


if __name__ == '__main__':
    main()
