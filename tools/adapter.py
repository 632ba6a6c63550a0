"""Small files with what was trained: python tools/adapter.py COMMAND ...

extract CONFIG CHECKPOINT OUT   what a checkpoint was trained to be
merge ADAPTER OUT               trunk and adapter as one checkpoint
info ADAPTER                    what a file holds
verify ADAPTER [--trunk]        whether it is whole, and fits its trunk
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse

from mmengine.config import DictAction

from mmvidadapt.apis.use.adapters import (
    describe_adapter,
    extract_adapter,
    merge_adapter,
    verify_adapter,
)
from mmvidadapt.apis.train.config import load_config
from mmvidadapt.utils.printable import fail, say
from mmvidadapt.weights.adapter_file import SUFFIX


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Pass on what was trained, without the trunk'
    )
    commands = parser.add_subparsers(dest='command', required=True)
    extract = commands.add_parser('extract', help='checkpoint to adapter')
    extract.add_argument(
        'config', help='path, or name such as aim/vitb16_k400'
    )
    extract.add_argument('checkpoint', help='path or URL, official ones too')
    extract.add_argument('out', help=f'the adapter file, *{SUFFIX}')
    extract.add_argument('--label-file', help='names of the classes, by line')
    extract.add_argument(
        '--metrics',
        nargs='+',
        action=DictAction,
        help='what was measured with it, such as acc/top1=0.839',
    )
    merge = commands.add_parser('merge', help='adapter to whole checkpoint')
    merge.add_argument('adapter')
    merge.add_argument('out', help='the checkpoint, *.pth')
    merge.add_argument('--trunk', help='image weights, if they moved')
    info = commands.add_parser('info', help='say what a file holds')
    info.add_argument('adapter')
    verify = commands.add_parser('verify', help='check a file')
    verify.add_argument('adapter')
    verify.add_argument(
        '--trunk',
        nargs='?',
        const='',
        help='compare with these image weights, or with those that the file '
        'names',
    )
    return parser.parse_args()


def extract(args: argparse.Namespace) -> None:
    """Write an adapter file, and say what is in it."""
    from mmvidadapt.apis.use.inference import read_labels

    labels = read_labels(args.label_file) if args.label_file else None
    config = load_config(args.config)
    extract_adapter(config, args.checkpoint, args.out, labels, args.metrics)
    say(describe_adapter(args.out))


def main() -> None:
    """Do what the command line says."""
    args = parse_args()
    if args.command == 'extract':
        extract(args)
    elif args.command == 'merge':
        merge_adapter(args.adapter, args.out, args.trunk)
        say(f'wrote {args.out}')
    elif args.command == 'info':
        say(describe_adapter(args.adapter))
    else:
        say('\n'.join(verify_adapter(args.adapter, args.trunk)))


if __name__ == '__main__':
    try:
        main()
    except (OSError, ValueError) as error:
        fail(error)
