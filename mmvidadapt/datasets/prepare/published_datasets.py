"""The papers' data sets: from the official files to mmaction2's lists."""

from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

from .annotation_lists import write_classes, write_list, write_text
from .charades import read_charades
from .check_cache import CHECKED
from .check_videos import check_videos
from .diving48 import read_diving48
from .epic100 import read_epic100
from .hmdb51 import read_hmdb51
from .kinetics import read_kinetics
from .match_files import MISSING, Videos
from .official_annotations import Official
from .sthv2 import read_sthv2
from .ucf101 import read_ucf101


class Paper(NamedTuple):
    """A data set: who reads it, what its files and folders are called.

    ``sizes`` are the numbers of videos that were published, where these are
    certain; those of Kinetics changed with every release.
    """

    read: Callable[[Path], Official]
    name: str
    num_classes: int  # those of all tasks
    list_name: str = '{name}_{split}_list_videos.txt'
    folder: str = 'videos'
    sizes: Dict[str, int] = {}


def _kinetics(number: int) -> Paper:
    """Return one of the three, whose splits have folders of their own."""
    return Paper(
        read_kinetics, f'kinetics{number}', number, folder='videos_{split}'
    )


PAPERS = dict(
    k400=_kinetics(400),
    k600=_kinetics(600),
    k700=_kinetics(700),
    ssv2=Paper(
        read_sthv2, 'sthv2', 174, sizes=dict(train=168_913, val=24_777)
    ),
    diving48=Paper(
        read_diving48, 'diving48', 48, sizes=dict(train=15_027, val=1_970)
    ),
    charades=Paper(
        read_charades, 'charades', 157, sizes=dict(train=7_985, val=1_863)
    ),
    epic100=Paper(
        read_epic100,
        'epic100',
        97 + 300 + 3806,
        sizes=dict(train=67_217, val=9_668),
    ),
    hmdb51=Paper(
        read_hmdb51,
        'hmdb51',
        51,
        '{name}_{split}_videos.txt',
        sizes={
            f'{side}_split_{k}': size
            for k in (1, 2, 3)
            for side, size in (('train', 3_570), ('val', 1_530))
        },
    ),
    ucf101=Paper(
        read_ucf101,
        'ucf101',
        101,
        '{name}_{split}_videos.txt',
        sizes=dict(
            train_split_1=9_537,
            val_split_1=3_783,
            train_split_2=9_586,
            val_split_2=3_734,
            train_split_3=9_624,
            val_split_3=3_696,
        ),
    ),
)


class SplitReport(NamedTuple):
    """Numbers of listed, missing and unreadable videos of a split."""

    split: str
    official: int  # videos in the annotations
    published: Optional[int]  # videos that there should be
    listed: int
    lost: List[Tuple[str, str]]  # missing and unreadable, with reasons

    @property
    def unreadable(self) -> int:
        """Count the videos that are there, but cannot be used."""
        return sum(not why.startswith(MISSING) for _, why in self.lost)

    def __str__(self) -> str:
        """Format as one line."""
        text = (
            f'{self.split}: {self.listed:,} of {self.official:,} videos '
            f'({self.listed / self.official:.1%}), '
            f'{len(self.lost) - self.unreadable:,} missing, '
            f'{self.unreadable:,} unreadable'
        )
        if self.published not in (None, self.official):
            text += (
                f'; the annotations are not whole: {self.published:,} videos '
                'were published'
            )
        return text


def prepare_paper(
    paper: Paper,
    source: Path,
    out: Path,
    annotations: Optional[Path] = None,
    level: str = 'open',
    num_workers: Optional[int] = None,
) -> List[SplitReport]:
    """Write the lists of a data set, the names of its classes, what is lost.

    Args:
        paper (Paper): The data set.
        source (Path): The folder of its videos.
        out (Path): The folder for the lists; links to the videos are made in
            it where our configs look for them.
        annotations (Path, optional): The folder of the official annotations.
            Defaults to None: they are among the videos.
        level (str): How closely to look, see
            :func:`~mmvidadapt.datasets.prepare.check_videos.check_video`.
            Defaults to 'open'.
        num_workers (int, optional): Processes that look. Defaults to None:
            one per core.

    Returns:
        List[SplitReport]: What became of every split.
    """
    official = paper.read(annotations or source)
    roots = _place(paper, list(official.splits), source, out)
    write_classes(out / f'{paper.name}_classes.txt', official.classes)
    checks = {
        root: Checked(root, level, num_workers, out / CHECKED)
        for root in set(roots.values())
    }
    return [
        _prepare_split(paper, official, split, checks[root], out)
        for split, root in roots.items()
    ]


def _place(
    paper: Paper, splits: List[str], source: Path, out: Path
) -> Dict[str, Path]:
    """Return the folder of every split, and link to it."""
    roots = {}
    for split in splits:
        folder = paper.folder.format(split=split)
        inside = (source / folder).is_dir()
        roots[split] = source / folder if inside else source
        _link(out / folder, roots[split])
    return roots


class Checked(Videos):
    """Videos that are looked at once, in however many splits they are.

    Args:
        root (Path): The folder.
        level (str): How closely to look.
        num_workers (int, optional): Processes that look.
        ledger (Path): File in which the good ones are noted.
    """

    def __init__(
        self,
        root: Path,
        level: str,
        num_workers: Optional[int],
        ledger: Path,
    ) -> None:
        super().__init__(root)
        self.level, self.num_workers = level, num_workers
        self.ledger = ledger
        self.reasons: Dict[str, str] = {}

    def unreadable(self, paths: List[str]) -> Dict[str, str]:
        """Return why some of the paths cannot be used."""
        new = sorted(set(paths) - set(self.reasons))
        self.reasons.update(dict.fromkeys(new, ''))
        _, bad = check_videos(
            self.root, new, self.level, self.num_workers, self.ledger
        )
        self.reasons.update(bad)
        return {
            path: self.reasons[path] for path in paths if self.reasons[path]
        }


def _prepare_split(
    paper: Paper, official: Official, split: str, videos: Checked, out: Path
) -> SplitReport:
    """Write the list of a split and what is lost of it."""
    entries = official.splits[split]
    found, lost = videos.find_all(entries, official.classes)
    bad = videos.unreadable([path for path, _ in found])
    lost += bad.items()
    rows = [(path, label) for path, label in found if path not in bad]
    name = paper.list_name.format(name=paper.name, split=split)
    write_list(out / name, rows)
    write_text(
        out / f'{paper.name}_{split}_lost.txt',
        ''.join(f'{path}\t{reason}\n' for path, reason in lost),
    )
    size = paper.sizes.get(split)
    return SplitReport(split, len(entries), size, len(rows), lost)


def _link(place: Path, root: Path) -> None:
    """Show the videos where the configs look for them."""
    if not place.is_symlink() and not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(root.absolute(), target_is_directory=True)
    elif place.resolve() != root.resolve():
        raise ValueError(
            f'{place} is there, but the videos lie in {root}. Choose another '
            'folder for the lists, or remove it.'
        )
