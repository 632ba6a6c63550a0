"""Merge LoRA: python tools/merge_lora.py CONFIG CHECKPOINT OUT.pth.

Writes a checkpoint of a plain image ViT with equal outputs, and OUT.py, the
config that tests it:
    python tools/test.py OUT.py OUT.pth
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
from pathlib import Path

from mmvidadapt.apis.train.config import load_config
from mmvidadapt.apis.use.merge_lora import merge_checkpoint
from mmvidadapt.utils.printable import say


def main() -> None:
    """Merge, and say what was written."""
    parser = argparse.ArgumentParser(
        description='Turn a checkpoint with LoRA into one of a plain ViT'
    )
    parser.add_argument(
        'config', help='path, or name such as petl/lora_vitb16_k400'
    )
    parser.add_argument('checkpoint')
    parser.add_argument('out', type=Path, help='file to write, .pth')
    args = parser.parse_args()
    merge_checkpoint(load_config(args.config), args.checkpoint, args.out)
    say(f'wrote {args.out} and {args.out.with_suffix(".py")}')


if __name__ == '__main__':
    main()
