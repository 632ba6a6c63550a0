"""Lists, classes and a report of own videos."""

import json
import statistics
from collections import Counter, defaultdict
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from mmvidadapt.utils.printable import in_code, in_markdown

from .annotation_lists import write_classes, write_list, write_text
from .check_videos import check_videos, drop_duplicates
from .frame_folders import FrameFiles
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
    lost = sorted({clip.label for clip in source.clips} - set(classes))
    notes = list(source.notes)
    if lost:
        notes.append(f'No video that can be used of: {", ".join(lost)}.')
    found = (classes, split(good), facts, rejected, notes)
    return OwnData(source.root, *found, source.frames)


def _find_classes(source: Source, good: Sequence[Clip]) -> List[str]:
    """Return the names of the classes in their order, two at least."""
    classes = source.classes or in_order({clip.label for clip in good})
    if len(classes) < 2:
        raise ValueError(
            f'All videos below {source.root} are of one class, '
            f"'{classes[0]}'; there is nothing to tell apart."
        )
    return classes


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
    numbers = {name: i for i, name in enumerate(data.classes)}
    for split, clips in data.splits.items():
        rows = [(clip.path, numbers[clip.label]) for clip in clips]
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
    return {
        split: Counter(clip.label for clip in clips)
        for split, clips in data.splits.items()
    }


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
    sums = ' | '.join(str(sum(number[split].values())) for split in splits)
    lines += [f'| all | | {sums} |', '']
    lines += [f'- {in_markdown(warning)}' for warning in warnings]
    if data.rejected:
        lines += ['', '## Left out', '']
        lines += [
            f'- {in_code(path)}: {in_markdown(reason)}'
            for path, reason in data.rejected
        ]
    return '\n'.join(lines) + '\n'
