"""Prepare videos for training: python tools/prepare_data.py KIND SRC OUT.

Own videos: KIND is folder (of class folders), csv (a table with the columns
path and label, several labels with `;` between them) or list (lines of
mmaction2). Every file is decoded; what cannot be used is left out and named in
OUT/report.md. Then
    python tools/train.py OUT/aim_vitb16.py
trains on them. The papers' data sets: KIND is k400, k600, k700, ssv2,
diving48, charades, epic100, hmdb51 or ucf101; SRC holds the videos and the
official annotations.
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
import shlex
from pathlib import Path
from typing import Dict

from mmengine.config import DictAction

from mmvidadapt.apis.train.config import comment_lines, write_config
from mmvidadapt.apis.train.own_videos_config import (
    Choices,
    explain,
    own_config,
)
from mmvidadapt.apis.train.uneven_classes import HOW
from mmvidadapt.datasets.prepare.check_videos import LEVELS
from mmvidadapt.datasets.prepare.frame_folders import read_frames
from mmvidadapt.datasets.prepare.check_cache import CHECKED
from mmvidadapt.datasets.prepare.annotation_lists import (
    keep_sources,
    read_text,
)
from mmvidadapt.datasets.prepare.own_videos import (
    REPORT,
    own_files,
    prepare_own,
    write_own,
)
from mmvidadapt.datasets.prepare.published_datasets import (
    PAPERS,
    prepare_paper,
)
from mmvidadapt.datasets.prepare.video_folders import (
    SPLITS,
    Source,
    group_by,
    read_folder,
    read_labels,
)
from mmvidadapt.datasets.prepare.split_clips import split_fold, split_into
from mmvidadapt.datasets.prepare.csv_table import (
    COLUMNS,
    SEPARATOR,
    read_csv,
)
from mmvidadapt.utils.printable import fail, say


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Make lists and a config of videos'
    )
    kinds = parser.add_subparsers(dest='kind', required=True, metavar='KIND')
    for kind, source in (
        ('folder', 'folder of class folders'),
        ('frames', 'folder of class folders of folders of frames'),
        ('csv', 'table with a header'),
        ('list', 'lines of a path and the number of a class'),
    ):
        own = kinds.add_parser(kind, help=f'own videos: {source}')
        own.add_argument('source', type=Path, metavar='SRC', help=source)
        add_own_arguments(own)
        add_config_arguments(own)
        if kind in ('csv', 'list'):
            own.add_argument(
                '--root', type=Path, help='what paths are relative to'
            )
        if kind == 'csv':
            for name in COLUMNS:
                if name != 'label':
                    own.add_argument(f'--{name}-column')
            own.add_argument(
                '--label-column',
                action='append',
                help='once for each of several tasks, such as verb and noun',
            )
            own.add_argument(
                '--label-separator',
                default=SEPARATOR,
                help='between several labels of a clip in one cell; '
                f"'{SEPARATOR}' by default, '' for none",
            )
        if kind == 'list':
            own.add_argument('--classes', type=Path, help='names, one a line')
    for kind in PAPERS:
        paper = kinds.add_parser(kind, help='official annotations and videos')
        paper.add_argument('source', type=Path, metavar='SRC')
        add_common_arguments(paper, level='open')
        paper.add_argument(
            '--annotations', type=Path, help='their folder, if not SRC'
        )
    return parser.parse_args()


def add_common_arguments(parser: argparse.ArgumentParser, level: str) -> None:
    """Add what all kinds have."""
    parser.add_argument('out', type=Path, metavar='OUT', help='for the lists')
    parser.add_argument(
        '--check',
        choices=LEVELS,
        default=level,
        help=f'how closely every file is looked at; {level} by default',
    )
    parser.add_argument('--num-workers', type=int, help='default: all cores')


def add_own_arguments(parser: argparse.ArgumentParser) -> None:
    """Add how own videos are split."""
    add_common_arguments(parser, level='decode')
    parser.add_argument(
        '--split',
        type=float,
        nargs=3,
        default=(0.7, 0.15, 0.15),
        metavar=('TRAIN', 'VAL', 'TEST'),
        help='shares; 0.7 0.15 0.15 by default',
    )
    parser.add_argument(
        '--group-pattern',
        help='regular expression: paths where it finds the same are never on '
        'two sides of the split',
    )
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--folds', type=int, help='cross-validation: folds')
    parser.add_argument('--fold', type=int, default=0, help='the tested one')


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the config is made from."""
    parser.add_argument('--method', default='aim', help='such as aim or evl')
    parser.add_argument('--arch', default='vitb16', help='such as vitb16')
    parser.add_argument(
        '--trunk',
        help='in place of the one of --arch: facebook/dinov2-small, say, or '
        'NAME=FILE with weights of your own',
    )
    parser.add_argument('--img-size', type=int, help='instead of 224')
    parser.add_argument('--batch-size', type=int, help='clips per GPU')
    parser.add_argument('--gpus', type=int, default=1)
    parser.add_argument('--epochs', type=int)
    parser.add_argument(
        '--sampling',
        choices=('whole', 'dense'),
        help='frames spread over the whole video, as short ones have it, or '
        'those of a stretch, as the recipe has it',
    )
    parser.add_argument(
        '--flip',
        action=argparse.BooleanOptionalAction,
        help='mirror videos; not done where classes are called left or right',
    )
    parser.add_argument(
        '--balance',
        choices=HOW,
        help='of uneven classes: repeat clips of rare ones, weigh their loss, '
        'or leave them; chosen where the largest has four times as many',
    )
    parser.add_argument(
        '--few-clips',
        action='store_true',
        help='hundreds, not hundreds of thousands: larger crops, less '
        'dropout, a higher rate',
    )
    parser.add_argument(
        '--other',
        help='class that is everything else, named where no other class is '
        "sure enough; 'other' if there is one, '' for none",
    )
    parser.add_argument(
        '--false-alarm-rate',
        type=float,
        default=0.05,
        help='share of its clips that may be taken for another class',
    )
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)


def read_source(args: argparse.Namespace) -> Source:
    """Read own videos with their groups."""
    if args.kind == 'csv':
        columns = {name: getattr(args, f'{name}_column') for name in COLUMNS}
        sign = args.label_separator or None
        source = read_csv(args.source, args.root, columns, sign)
    elif args.kind == 'list':
        classes = args.classes and read_text(args.classes).splitlines()
        source = read_labels(args.source, args.root, classes)
    elif args.kind == 'frames':
        source = read_frames(args.source)
    else:
        source = read_folder(args.source)
    pattern = args.group_pattern
    return source if pattern is None else group_by(source, pattern)


def lists_in(folder: Path) -> Dict[str, str]:
    """Read the lists that are in a folder."""
    paths = [folder / f'{split}.txt' for split in SPLITS]
    return {p.name: p.read_text('utf-8') for p in paths if p.is_file()}


def prepare_own_videos(args: argparse.Namespace) -> None:
    """Write lists, report and config of own videos."""

    def split(clips: list) -> dict:
        if args.folds is not None:
            return split_fold(clips, args.folds, args.fold, args.seed)
        return split_into(clips, args.split, args.seed)

    # Mistakes show before all videos are decoded.
    choices = Choices(
        **{name: getattr(args, name) for name in Choices._fields}
    )
    choices.check()
    source = read_source(args)
    split(source.clips)
    keep_sources([args.source], own_files(args.out))
    ledger = args.out / CHECKED
    data = prepare_own(source, split, args.check, args.num_workers, ledger)
    former = lists_in(args.out)
    write_own(data, args.out)
    say((args.out / REPORT).read_text('utf-8'))
    fold = None if args.folds is None else args.fold
    cfg = own_config(data, args.out, choices, args.cfg_options, fold)
    path = args.out / f'{choices.name}.py'
    what = choices.name.replace('_', ', ', 1)
    reasons = explain(cfg, data, choices)
    head = [f'# {what}, for the videos of {data.root}.']
    write_config(cfg, path, head + comment_lines(reasons))
    say('\n'.join(reasons))
    if former not in ({}, lists_in(args.out)) and Path(cfg.work_dir).exists():
        say(
            f'The lists in {args.out} have changed, and {cfg.work_dir} holds '
            'a run on the former ones: train with --work-dir to keep it.'
        )
    last = f'{cfg.work_dir}/epoch_{cfg.train_cfg.max_epochs}.pth'
    config = shlex.quote(str(path))
    say(f'Train: python tools/train.py {config}')
    say(f'Test: python tools/test.py {config} {shlex.quote(last)}')


def prepare_paper_videos(args: argparse.Namespace) -> None:
    """Write the lists of a paper's data set."""
    paper = PAPERS[args.kind]
    reports = prepare_paper(
        paper,
        args.source,
        args.out,
        args.annotations,
        args.check,
        args.num_workers,
    )
    for report in reports:
        say(report)
    names = args.out / f'{paper.name}_classes.txt'
    found = len(names.read_text('utf-8').splitlines())
    if found != paper.num_classes:
        say(f'{found} classes, but the data set has {paper.num_classes}.')
    say(f'What is lost, and why: {args.out}/{paper.name}_*_lost.txt')


def main() -> None:
    """Prepare what the command line says."""
    args = parse_args()
    try:
        if args.kind in PAPERS:
            prepare_paper_videos(args)
        else:
            prepare_own_videos(args)
    except (OSError, ValueError) as error:
        fail(error)


if __name__ == '__main__':
    main()
