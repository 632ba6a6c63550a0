"""Test on reordered frames: python tools/motion_report.py CONFIG CKPT OUT."""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse

from mmvidadapt.apis.train.config import load_config
from mmvidadapt.apis.inspect.motion_report import (
    describe,
    report_motions,
    save_report,
)
from mmvidadapt.utils.printable import fail, say


def main() -> None:
    """Report as the command line says."""
    parser = argparse.ArgumentParser(
        description='What a recognizer of motions makes of frame order'
    )
    parser.add_argument('config', help='such as quickstart/aim_motion')
    parser.add_argument('checkpoint', help='path or URL of a checkpoint')
    parser.add_argument('out', help='folder for the figures and the picture')
    parser.add_argument('--device', help='by default a GPU if there is one')
    args = parser.parse_args()
    report = report_motions(
        load_config(args.config), args.checkpoint, args.device
    )
    say(describe(report))
    for path in save_report(report, args.out):
        say(f'written: {path}')


if __name__ == '__main__':
    try:
        main()
    except ValueError as error:
        fail(error)
