"""Lists, classes and a report of own videos."""

import json
import statistics
from collections import Counter, defaultdict
from pathlib import Path
from typing import (
    Callable,
    Dict,
    Iterable,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from mmvidadapt.utils.printable import in_code, in_markdown

from .annotation_lists import Label, write_classes, write_list, write_text
from .check_videos import check_videos, drop_duplicates
from .frame_folders import FrameFiles
from .split_clips import count_labels
from .video_facts import VideoFacts
from .video_folders import SPLITS, Clip, Source

REPORT, RECORD, CLASSES = 'report.md', 'report.json', 'classes.txt'


class OwnData(NamedTuple):
    """Own videos that are ready for training."""

    root: Path
    classes: List[str]
    splits: Dict[str, List[Clip]]
    facts: Dict[str, VideoFacts]
    rejected: List[Tuple[str, str]]
    notes: Sequence[str] = ()
    frames: Optional[FrameFiles] = None
    several: bool = False
    tasks: Sequence[str] = ()

    def of_task(self, task: str) -> List[str]:
        """Return the classes of a task, called after it."""
        return [c for c in self.classes if c.startswith(f'{task}: ')]

    def label_numbers(self, clips: Sequence[Clip]) -> List[Label]:
        """Return the number of every clip's class, or its numbers.

        Those of tasks are counted from 0 in each, -1 where one is not known.
        """
        if self.tasks:
            parts = [self.of_task(task) for task in self.tasks]
            numbers = [{c: i for i, c in enumerate(part)} for part in parts]
            return [
                [max(part.get(c, -1) for c in clip.labels) for part in numbers]
                for clip in clips
            ]
        known = {name: i for i, name in enumerate(self.classes)}
        found = [sorted(known[c] for c in clip.labels) for clip in clips]
        return found if self.several else [number for (number,) in found]

    @property
    def median_frames(self) -> int:
        """Number of frames of a usual video."""
        frames = [f.frames for f in self.facts.values() if f.frames]
        return int(statistics.median(frames)) if frames else 0


def prepare_own(
    source: Source,
    split: Callable[[Sequence[Clip]], Dict[str, List[Clip]]],
    level: str = 'decode',
    num_workers: Optional[int] = None,
    ledger: Optional[Path] = None,
) -> OwnData:
    """Check videos, leave out what cannot be used, and split the rest.

    Args:
        source (Source): The videos.
        split (Callable): Makes the splits of the clips that are good.
        level (str): See :func:`~.check_videos.check_video`.
            Defaults to 'decode'.
        num_workers (int, optional): Processes; None: one per core.
            Defaults to None.
        ledger (Path, optional): File in which good videos are noted, so that
            a run that was cut off goes on. Defaults to None.

    Returns:
        OwnData: What is left.
    """
    paths = list(dict.fromkeys(clip.path for clip in source.clips))
    facts, bad = check_videos(
        source.root, paths, level, num_workers, ledger, source.frames
    )
    good = [clip for clip in source.clips if clip.path in facts]
    good, same = drop_duplicates(good, facts)
    rejected = sorted([*bad.items(), *same])
    if not good:
        raise ValueError(
            f'None of {len(paths)} videos below {source.root} can be used; '
            f'{rejected[0][0]}: {rejected[0][1]}'
        )
    classes = _find_classes(source, good)
    lost = sorted(set(count_labels(source.clips)) - set(classes))
    notes = list(source.notes)
    if lost:
        notes.append(f'No video that can be used of: {", ".join(lost)}.')
    found = (classes, split(good), facts, rejected, notes)
    kind = (source.frames, source.several, source.tasks)
    return OwnData(source.root, *found, *kind)


def _find_classes(source: Source, good: Sequence[Clip]) -> List[str]:
    """Return the names of the classes in their order, two at least."""
    labels = set(count_labels(good))
    parts = [_in_task(task, labels) for task in sorted(source.tasks)]
    parts = parts or [in_order(labels)]
    for classes in [source.classes] if source.classes else parts:
        if len(classes) < 2:
            raise ValueError(
                f'All videos below {source.root} are of one class, '
                f"'{''.join(classes)}'; there is nothing to tell apart."
            )
    return source.classes or [name for part in parts for name in part]


def _in_task(task: str, labels: Iterable[str]) -> List[str]:
    """Sort the classes of a task, called after it; numbers by their value."""
    start = f'{task}: '
    names = [name[len(start) :] for name in labels if name.startswith(start)]
    return [start + name for name in in_order(names)]


def in_order(labels: Sequence[str]) -> List[str]:
    """Sort labels; numbers by their value."""
    numbers = all(label.isdecimal() for label in labels)
    return sorted(labels, key=int if numbers else str)


def own_files(out: Path) -> List[Path]:
    """Return what is written to a folder."""
    lists = [f'{split}.txt' for split in SPLITS]
    return [out / name for name in (*lists, CLASSES, REPORT, RECORD)]


def write_own(data: OwnData, out: Path) -> List[str]:
    """Write ``{train,val,test}.txt``, ``classes.txt`` and the report.

    Args:
        data (OwnData): The videos.
        out (Path): The folder for the files.

    Returns:
        List[str]: What one should know about the data.
    """
    for split, clips in data.splits.items():
        rows = [*zip([c.path for c in clips], data.label_numbers(clips))]
        if data.frames is not None:  # RawframeDataset wants their number
            rows = [(f'{p} {data.facts[p].frames}', n) for p, n in rows]
        write_list(out / f'{split}.txt', rows)
    write_classes(out / CLASSES, data.classes)
    warnings = find_warnings(data)
    write_text(out / REPORT, report(data, warnings))
    content = dict(
        root=str(data.root),
        classes=data.classes,
        counts={name: dict(n) for name, n in counts(data).items()},
        rejected=[dict(path=p, reason=r) for p, r in data.rejected],
        warnings=warnings,
        videos={path: f._asdict() for path, f in sorted(data.facts.items())},
    )
    write_text(out / RECORD, json.dumps(content, indent=1))
    return warnings


def counts(data: OwnData) -> Dict[str, Counter]:
    """Count the videos of every class in every split."""
    return {split: count_labels(clips) for split, clips in data.splits.items()}


def find_warnings(data: OwnData) -> List[str]:
    """List warnings about the data."""
    warnings, number = list(data.notes), counts(data)
    for split, count in number.items():
        without = [name for name in data.classes if not count[name]]
        if count and without:
            warnings.append(f'No {split} video of: {", ".join(without)}.')
    most = max(number['train'].values(), default=0)
    few = [n for n in data.classes if 0 < number['train'][n] < most / 10]
    if few:
        warnings.append(
            'Less than a tenth of the largest class in training: '
            f'{", ".join(few)}.'
        )
    sides: Dict[str, set] = defaultdict(set)
    for split, clips in data.splits.items():
        for clip in clips:
            sides[clip.group].add(split)
    leaks = [g for g, on in sides.items() if g and len(on) > 1]
    if leaks:
        warnings.append(
            f'{len(leaks)} groups are in more than one split: {leaks[0]} ...'
        )
    still = [path for path, f in data.facts.items() if f.frames == 1]
    if still:
        warnings.append(f'{len(still)} videos have one frame: {still[0]} ...')
    return warnings


def report(data: OwnData, warnings: Sequence[str]) -> str:
    """Return the page that says what was found."""
    number, splits = counts(data), list(data.splits)
    sizes = Counter(f'{f.width}x{f.height}' for f in data.facts.values())
    frames = sorted(f.frames for f in data.facts.values())
    total = sum(f.bytes for f in data.facts.values())
    lines = [
        f'# Videos of {in_markdown(data.root)}',
        '',
        f'{len(data.facts)} can be decoded, {len(data.rejected)} are left '
        f'out. {total / 1e6:.1f} MB, {frames[0]} to {frames[-1]} frames '
        f'(median {data.median_frames}), '
        + ', '.join(f'{n} of {size}' for size, n in sizes.most_common(3))
        + (', ...' if len(sizes) > 3 else '')
        + '.',
        '',
        f'| class | number | {" | ".join(splits)} |',
        '|---' * (len(splits) + 2) + '|',
    ]
    for i, name in enumerate(data.classes):
        row = ' | '.join(str(number[split][name]) for split in splits)
        lines.append(f'| {in_markdown(name)} | {i} | {row} |')
    sums = ' | '.join(str(len(data.splits[split])) for split in splits)
    lines += [f'| all | | {sums} |', '']
    lines += [f'- {in_markdown(warning)}' for warning in warnings]
    if data.rejected:
        lines += ['', '## Left out', '']
        lines += [
            f'- {in_code(path)}: {in_markdown(reason)}'
            for path, reason in data.rejected
        ]
    return '\n'.join(lines) + '\n'
