"""Fit a recognizer to own videos: python tools/fit.py VIDEOS OUT.

VIDEOS is a folder of class folders, a table (.csv with the columns file and
label) or a list of paths and labels. Every video is checked, groups that must
not be on two sides of a split are found or taken from --group-pattern or
--group-column, a frozen trunk sees every clip once, light readers of it are
cross-validated, and the best is trained on all that is not held out and tested
once. OUT gets config.py, model.adapter.safetensors and report.html; run again,
it goes on where it stopped:
    python tools/inference.py VIDEO OUT/config.py OUT/model.adapter.safetensors
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
from pathlib import Path

from mmvidadapt.apis.fit.fit import fit
from mmvidadapt.apis.fit.reader_configs import BASES
from mmvidadapt.apis.train.options import TRUNK_HELP
from mmvidadapt.utils.printable import fail


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Fit a recognizer to own videos'
    )
    parser.add_argument('videos', type=Path, help='folder, table or list')
    parser.add_argument('out', type=Path, help='folder of what is written')
    parser.add_argument(
        '--group-pattern',
        help='regular expression: clips in whose paths it finds the same, a '
        'person, say, are never on two sides of a split',
    )
    parser.add_argument(
        '--group-column',
        nargs='+',
        default=(),
        dest='group_columns',
        help='columns of the table that say the same',
    )
    parser.add_argument(
        '--trunk',
        help=f'{TRUNK_HELP}; by default the largest DINOv2 that is kept here, '
        'or can be downloaded, and for which there is time',
    )
    parser.add_argument(
        '--methods', nargs='+', choices=list(BASES), default=list(BASES)
    )
    parser.add_argument('--budget', default='10m', help='such as 10m or 2h')
    parser.add_argument('--folds', type=int, default=5, dest='num_folds')
    parser.add_argument(
        '--test-share',
        type=float,
        default=0.2,
        help='part of the clips that is tested once, at the end',
    )
    parser.add_argument('--no-download', action='store_false', dest='download')
    parser.add_argument(
        '--processes', type=int, help='trainings at once; one a core'
    )
    parser.add_argument('--seed', type=int, default=0)
    return parser.parse_args()


def main() -> None:
    """Fit, and say what was reached."""
    try:
        fit(**vars(parse_args()))
    except (ValueError, OSError) as error:
        fail(error)


if __name__ == '__main__':
    main()
