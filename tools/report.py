"""Report on a recognizer: python tools/report.py CONFIG CHECKPOINT OUT.

OUT/report.html (or OUT, where it ends in .html) is one file that needs no
network: accuracy with its interval, the surest mistakes with their frames,
confusion, calibration, what the order of frames is worth, where the model
looked, learning curves, data, and the commands that make it again.
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
import shlex
import sys
from pathlib import Path
from typing import List

from mmengine.config import DictAction

from mmvidadapt.apis.report import write_report
from mmvidadapt.apis.report.measure_run import RunReporter
from mmvidadapt.apis.report.tested_clips import ORDERS
from mmvidadapt.apis.train.config import load_config
from mmvidadapt.apis.use.inference import read_labels
from mmvidadapt.utils.printable import fail, say


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Write report.html of a recognizer'
    )
    parser.add_argument('config', help='path, or name such as aim/vitb16_k400')
    parser.add_argument('checkpoint', help='checkpoint or adapter file')
    parser.add_argument('out', type=Path, help='folder, or a name in .html')
    parser.add_argument(
        '--group-pattern',
        help='regular expression: paths where it finds the same (a person, a '
        'room) are one group, for the interval of the accuracy',
    )
    parser.add_argument(
        '--task', help='which one, where a model has several: verb, say'
    )
    parser.add_argument('--labels', help='file of class names, one a line')
    parser.add_argument(
        '--orders',
        nargs='*',
        choices=ORDERS,
        default=ORDERS,
        help='other orders of frames that are tested; by default all three',
    )
    parser.add_argument(
        '--looked',
        type=int,
        default=24,
        help='clips into which is drawn where the model looked',
    )
    parser.add_argument('--title', help='by default the name of the config')
    parser.add_argument('--num-workers', type=int, default=0)
    parser.add_argument('--seed', type=int, default=0, help='of shuffling')
    parser.add_argument('--device', help='by default a GPU if there is one')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def commands(args: argparse.Namespace) -> List[str]:
    """Write down what makes everything again."""
    config, checkpoint = map(shlex.quote, (args.config, args.checkpoint))
    return [
        f'python tools/train.py {config}',
        f'python tools/test.py {config} {checkpoint}',
        shlex.join(['python', 'tools/report.py', *sys.argv[1:]]),
    ]


def main() -> None:
    """Test and write as the command line says."""
    args = parse_args()
    reporter = RunReporter(
        load_config(args.config, args.cfg_options),
        args.checkpoint,
        read_labels(args.labels) if args.labels else None,
        args.device,
        args.num_workers,
        args.seed,
        args.task,
    )
    title = args.title or Path(args.config).stem
    report = reporter.collect(
        args.orders, args.group_pattern, args.looked, title
    )
    report.commands = commands(args)
    out = args.out
    if out.suffix.lower() not in ('.html', '.htm'):
        out = out / 'report.html'
    path = write_report(report, out, reporter.reader())
    say(f'{report.right.mean():.1%} of {len(report.clips)} clips are right.')
    say(f'written: {path}')


if __name__ == '__main__':
    try:
        main()
    except (FileNotFoundError, ValueError) as error:
        fail(error)
