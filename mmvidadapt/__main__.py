"""``python -m mmvidadapt``: ``config``, ``trunks``, ``doctor``, ``run``."""

import argparse
import contextlib
import sys
from typing import Any, List, Optional

from mmengine.config import DictAction

from mmvidadapt.utils.printable import printable_lines, say

from .apis.train.config import flatten, list_configs


def parse_args(argv: Optional[List[str]]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog='mmvidadapt')
    commands = parser.add_subparsers(dest='command', required=True)
    config = commands.add_parser(
        'config', help='print a config as one file that inherits nothing'
    )
    config.add_argument('name', nargs='?', help='such as aim/vitb16_k400')
    config.add_argument('--list', action='store_true', help='print all names')
    config.add_argument('--trunk', help='openai/ViT-L-14, say, or NAME=FILE')
    config.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='override entries, such as num_frames=16',
    )
    trunks = commands.add_parser(
        'trunks', help='list the published models that --trunk takes'
    )
    trunks.add_argument(
        'words',
        nargs='*',
        help='list those alone that have all words in name, note, family or '
        'licence: dino apache, say',
    )
    commands.add_parser(
        'doctor', help='check the installation and say what is wrong'
    )
    _add_run(commands)
    args = parser.parse_args(argv)
    if vars(args).get('name', '') is None and not args.list:
        config.error('give the name of a config, or --list')
    return args


def _add_run(commands: Any) -> None:
    """Add the command that runs tools of mmaction2."""
    tool = commands.add_parser(
        'run', help="run one of mmaction2's own tools, mmaction2 healed first"
    )
    tool.add_argument(
        'tool',
        nargs='?',
        help='name such as confusion_matrix, or a path; without it all names '
        'are printed',
    )
    tool.add_argument(
        'arguments', nargs=argparse.REMAINDER, help="the tool's own"
    )


def main(argv: Optional[List[str]] = None) -> int:
    """Run a command; return its exit status."""
    args = parse_args(argv)
    status = 0
    if args.command == 'run' and args.tool is not None:
        return run(args.tool, args.arguments)
    try:
        # Only the answer may reach standard output, no log of a library.
        with contextlib.redirect_stdout(sys.stderr):
            if args.command == 'doctor':
                from .apis.train.doctor import examine

                text, problems = examine()
                text = printable_lines(text)
                status = int(bool(problems))
            elif args.command == 'trunks':
                from .trunks.listing import list_trunks

                text = list_trunks(args.words)
            elif args.command == 'run':
                from .apis.train.host_tools import list_tools

                text = '\n'.join(list_tools())
            elif args.list:
                text = '\n'.join(list_configs())
            else:
                text = flatten(args.name, args.cfg_options, args.trunk)
    except ValueError as error:
        say(error, file=sys.stderr)
        return 1
    print(text)
    return status


def run(tool: str, arguments: List[str]) -> int:
    """Run a tool of mmaction2; what it raises is its own."""
    from .apis.train.host_tools import find_tool, run_tool

    try:
        path = find_tool(tool)
    except ValueError as error:
        say(error, file=sys.stderr)
        return 1
    run_tool(path, arguments)
    return 0


if __name__ == '__main__':
    sys.exit(main())
