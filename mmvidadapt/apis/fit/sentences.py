"""Describe clips and what is tested of them, in sentences for a user."""

from collections import Counter
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

import numpy as np

from mmvidadapt.datasets.prepare.own_videos import in_order
from mmvidadapt.datasets.prepare.video_facts import VideoFacts
from mmvidadapt.datasets.prepare.video_folders import Clip

from .folds import Fold, count_groups
from .intervals import wilson

SHOWN = 3  # examples in a sentence
FEW = 50  # clips; below, a sentence says how little a test tells


def describe_clips(root: Path, counts: Counter, classes: Sequence[str]) -> str:
    """Count the clips and their classes."""
    few = min(classes, key=lambda name: counts[name])
    most = max(classes, key=lambda name: counts[name])
    each = (
        f'{counts[few]} of each'
        if counts[few] == counts[most]
        else f"from {counts[few]} of '{few}' to {counts[most]} of '{most}'"
    )
    total = sum(counts.values())
    return f'{total} clips of {len(classes)} classes in {root}: {each}.'


def describe_sizes(facts: Dict[str, VideoFacts]) -> List[str]:
    """Describe how long and how large the videos are, where that is known."""
    frames = sorted(f.frames for f in facts.values() if f.frames)
    if not frames:
        return []
    sizes = Counter(f'{f.width}x{f.height}' for f in facts.values())
    usual = ', '.join(size for size, _ in sizes.most_common(SHOWN))
    more = ', ...' if len(sizes) > SHOWN else ''
    middle = frames[len(frames) // 2]
    said = f'{frames[0]} to {frames[-1]} frames (median {middle})'
    sentences = [f'The clips have {said} of {usual}{more} pixels.']
    still = [path for path, f in facts.items() if f.frames == 1]
    if still:
        sentences.append(
            f'{len(still)} clips have a single frame, such as {still[0]}: '
            'nothing moves in them.'
        )
    return sentences


def describe_rejected(rejected: Sequence[Tuple[str, str]]) -> List[str]:
    """Name files that were left out, with the reasons."""
    if not rejected:
        return []
    named = ' '.join(f'{path}: {why}' for path, why in rejected[:SHOWN])
    more = len(rejected) - SHOWN
    files = '1 file is' if len(rejected) == 1 else f'{len(rejected)} files are'
    return [
        f'{files} left out. {named}'
        + (f' And {more} more, see the report.' if more > 0 else '')
    ]


def describe_lost(
    clips: Sequence[Clip], counts: Counter, reasons: Dict[str, str]
) -> List[str]:
    """Name classes of which no clip can be used."""
    sentences = []
    for name in in_order({clip.label for clip in clips}):
        if counts[name]:
            continue
        paths = [clip.path for clip in clips if clip.label == name]
        sentences.append(
            f"None of the {len(paths)} clips of '{name}' can be used "
            f'({paths[0]}: {reasons[paths[0]].rstrip(".")}); the model will '
            'not know this class.'
        )
    return sentences


def describe_counts(counts: Counter, classes: Sequence[str]) -> List[str]:
    """Describe what small numbers of clips will mean."""
    total, most = sum(counts.values()), max(counts.values())
    sentences = []
    single = [name for name in classes if counts[name] == 1]
    if single:
        sentences.append(
            f'One clip of {name_some(single)}: always trained on, so how '
            'well its class is recognised stays unknown.'
        )
    rare = [n for n in classes if 1 < counts[n] < most / 10]
    if rare:
        sentences.append(
            f'Less than a tenth of the largest class: {name_some(rare)}.'
        )
    if total < FEW:
        low, high = wilson(0.9 * total, total)[1:3]
        sentences.append(
            f'{total} clips are few: where 90 % of them are right, elsewhere '
            f'{100 * low:.0f} to {100 * high:.0f} % may be.'
        )
    return sentences


def describe_folds(
    clips: Sequence[Clip], divided: Sequence[Fold]
) -> List[str]:
    """Describe what is tested, and what cannot be.

    Args:
        clips (Sequence[Clip]): The clips.
        divided (Sequence[Fold]): Their folds.

    Returns:
        List[str]: Sentences.
    """
    index, counts = count_groups(clips)
    tested = np.unique(np.concatenate([fold.test for fold in divided]))
    groups, grouped = len(np.unique(index[tested])), len(counts) < len(clips)
    what = f'{groups} groups' if grouped else f'{groups} clips'
    how = 'one at a time' if groups == len(divided) else 'each once'
    sentences = [
        f'Cross-validation in {len(divided)} folds tests {what}, {how}; '
        + ('no group is on two sides.' if grouped else 'there are no groups.')
    ]
    labels = {clips[i].label for i in tested}
    never = sorted({clip.label for clip in clips} - labels)
    if never:
        sentences.append(
            f'Never tested: {name_some(never)}. All clips of each lie in one '
            'group; clips from another would tell how well it is recognised.'
        )
    rest = len(clips) - len(tested)
    if rest:
        sentences.append(
            f'{rest} clips are always trained on: without their groups a '
            'class would be unknown.'
        )
    return sentences


def describe_hold_out(clips: Sequence[Clip], held: Fold) -> List[str]:
    """Describe what is held out for the last test, and what speaks against it.

    Args:
        clips (Sequence[Clip]): The clips.
        held (Fold): What :func:`~mmvidadapt.apis.fit.folds.hold_out` gives.

    Returns:
        List[str]: Sentences.
    """
    index, counts = count_groups(clips)
    if not len(held.test):
        return [
            f'Nothing is held out for a last test: of {len(counts)} groups '
            'too few would remain. The accuracy is that of cross-validation.'
        ]
    given = any(clip.split for clip in clips)
    groups = np.unique(index[held.test])
    what = f' of {len(groups)} groups' if len(counts) < len(clips) else ''
    sentences = [
        f'{len(held.test)} of {len(clips)} clips{what} are held out for one '
        f'test at the end, {"as their split says" if given else "at random"}.'
    ]
    both = np.intersect1d(groups, index[held.train])
    if len(both):
        first = clips[int(np.flatnonzero(index == both[0])[0])].group
        sentences.append(
            f'{len(both)} groups are on both sides of that split, such as '
            f"'{first}': the test will praise what knows them."
        )
    labels = {clip.label for clip in clips}
    missing = sorted(labels - {clips[i].label for i in held.test})
    if missing:
        sentences.append(f'No clip is held out of {name_some(missing)}.')
    unknown = sorted(labels - {clips[i].label for i in held.train})
    if unknown:
        sentences.append(
            f'Only held out, so never learned: {name_some(unknown)}.'
        )
    return sentences


def name_some(names: Sequence[str]) -> str:
    """Join names in quotes, the first of many."""
    more = f' and {len(names) - SHOWN} more' if len(names) > SHOWN else ''
    return ', '.join(f"'{name}'" for name in names[:SHOWN]) + more
