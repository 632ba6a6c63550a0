"""Convert weights to our names: python tools/convert_weights.py SRC DST.

Every known layout is recognised by its names. What is written is a file of
torch.save, or of safetensors by the name of DST, to be given as `pretrained`
(a backbone) or as a checkpoint (backbone and head).
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
import os

from mmvidadapt.apis.use.convert_weights import (
    describe,
    read_conversion,
    save_conversion,
)
from mmvidadapt.apis.inspect.method_fit import (
    compare_with,
    describe_fit,
    list_methods,
)
from mmvidadapt.utils.printable import fail, say


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Give weights our names')
    parser.add_argument('source', help='alias, URL or path')
    parser.add_argument(
        'out', nargs='?', help='file to write: *.pth or *.safetensors'
    )
    parser.add_argument(
        '--to', choices=list_methods(), help='what they are for, to compare'
    )
    parser.add_argument('--dry-run', action='store_true', help='write nothing')
    return parser.parse_args()


def main() -> None:
    """Convert as the command line says."""
    args = parse_args()
    if args.out is None and not args.dry_run:
        raise ValueError('Name a file to write, or say --dry-run.')
    if args.out and os.path.abspath(args.out) == os.path.abspath(args.source):
        raise ValueError(f'{args.out} is the source; name another file.')
    found = read_conversion(args.source, args.to or '')
    say(describe(found, args.source))
    if args.to:
        say(describe_fit(compare_with(found, args.to)))
    if not args.dry_run:
        path = save_conversion(found, args.source, args.out)
        say(f'written: {path}, {path.stat().st_size / 2**20:.1f} MiB')


if __name__ == '__main__':
    try:
        main()
    except (OSError, ValueError) as error:
        fail(error)
