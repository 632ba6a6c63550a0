"""Advise what would help a recognizer of own videos most.

From confusion matrices of models trained on parts of the clips, and from what
the model makes of clips whose frames are in another order.
"""

from typing import (
    Dict,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

import numpy as np

from .intervals import wilson

SHOWN = 3  # classes in a sentence
SURE = 2  # standard errors that a difference is above
LEAST = 0.02  # difference of accuracies that is worth a sentence
GOOD = 0.95  # accuracy above which nothing limits
PRIOR = 10  # mistakes that all classes together count for in each
PAIR, PART = 3, 0.15  # mistakes of a pair that is named, their part of all


class Orders(NamedTuple):
    """Accuracies of one model on the same clips, frames in several orders."""

    plain: float
    shuffled: Optional[float] = None
    single_frame: Optional[float] = None
    reversed: Optional[float] = None


def advise(
    classes: Sequence[str],
    curve: Mapping[float, np.ndarray],
    orders: Optional[Orders] = None,
) -> List[str]:
    """Advise what would help most.

    Args:
        classes (Sequence[str]): The names of the K classes.
        curve (Mapping[float, np.ndarray]): Confusion matrices, ``(K, K)``,
            true classes down, predicted ones across, all on the same test
            clips, by the part of the training clips: 0.25, 0.5 and 1, say.
        orders (Orders, optional): What the order of frames is worth.
            Defaults to None: not measured.

    Returns:
        List[str]: Sentences, what helps most first.

    Raises:
        ValueError: If there is no matrix for all clips, or one of another
            size.
    """
    matrices = {part: np.asarray(c, float) for part, c in curve.items()}
    number = len(classes)
    wrong = [c.shape for c in matrices.values() if c.shape != (number,) * 2]
    if 1 not in matrices or wrong or not matrices[1].sum():
        raise ValueError(
            f'Confusion matrices of {sorted(matrices)} of the clips, sizes '
            f'{[c.shape for c in matrices.values()]}: give one of all (1) '
            f'that is not empty, each {(number, number)}.'
        )
    confusion = matrices[1]
    total, right = confusion.sum(), np.trace(confusion)
    if right == total:
        low = 100 * wilson(right, total).low
        said = [
            f'All {total:.0f} tested clips are right. Only clips of other '
            'groups would tell more: from these, the accuracy elsewhere may '
            f'be as low as {low:.0f} %.'
        ]
    else:
        said = [
            *advise_on_number(matrices),
            *advise_on_classes(classes, matrices),
            *advise_on_pairs(classes, confusion),
        ]
    return said + advise_on_order(orders, confusion)


def advise_on_number(matrices: Mapping[float, np.ndarray]) -> List[str]:
    """Judge whether more clips help, from accuracies on parts of them.

    The share of mistakes is taken to fall as a power of the number of clips
    (`Deep Learning Scaling is Predictable, Empirically
    <https://arxiv.org/abs/1712.00409>`_).

    Args:
        matrices (Mapping[float, np.ndarray]): See :func:`advise`.

    Returns:
        List[str]: A sentence; none where parts were not tried.
    """
    parts = sorted(matrices)
    if len(parts) < 2:
        return []
    total = matrices[1].sum()
    rate = {part: np.trace(c) / c.sum() for part, c in matrices.items()}
    steps = ', '.join(
        f'{100 * rate[part]:.0f} % from {_part(part)}' for part in parts
    )
    gain, noise = rate[1] - rate[parts[-2]], _noise(rate[1], total)
    if gain <= LEAST:
        return [
            f'More clips of the same kind would help little: {steps}. Clips '
            'of other people, places or views rather would, or another trunk.'
        ]
    if gain <= noise and rate[1] - rate[parts[0]] <= noise:
        return [
            f'Whether more clips would help is not clear: {steps}; of '
            f'{total:.0f} clips that may be chance.'
        ]
    errors = [1 - rate[part] + 0.5 / total for part in parts]
    slope = min(np.polyfit(np.log(parts), np.log(errors), 1)[0], 0.0)
    then = 1 - (1 - rate[1]) * 2**slope
    return [
        f'More clips would help: {steps}. With twice as many, about '
        f'{100 * then:.0f} % are to be expected.'
    ]


def advise_on_classes(
    classes: Sequence[str], matrices: Mapping[float, np.ndarray]
) -> List[str]:
    """Name the classes of which more clips would put most right.

    The part of its mistakes that a class kept when clips were added is drawn
    towards the part of all: of one class there are few. That part would be
    kept again.

    Args:
        classes (Sequence[str]): Their names.
        matrices (Mapping[float, np.ndarray]): See :func:`advise`.

    Returns:
        List[str]: A sentence; none where no class has mistakes enough.
    """
    confusion = matrices[1]
    number, right = confusion.sum(1), np.diag(confusion)  # (K,)
    mistakes = number - right  # (K,)
    parts = sorted(matrices)
    hoped, before = mistakes, None  # (K,)
    if len(parts) > 1:
        before = np.diag(matrices[parts[-2]])  # (K,)
        then = number - before  # (K,)
        kept = min(mistakes.sum() / max(then.sum(), 1), 1 - LEAST)
        kept = (mistakes + PRIOR * kept) / (then + PRIOR)  # (K,)
        hoped = mistakes * (1 - kept)  # (K,)
    worst = [i for i in np.argsort(-hoped, kind='stable') if mistakes[i] > 1]
    worst = [i for i in worst[:SHOWN] if hoped[i] > 0]
    if not worst:
        return []
    named = []
    for i in worst:
        then = '' if before is None else f', {before[i]:.0f} from '
        then = then and then + _part(parts[-2])
        count = f'{right[i]:.0f} of {number[i]:.0f} right'
        named.append(f"'{classes[i]}' ({count}{then})")
    return [f'Most would help more clips of {", ".join(named)}.']


def advise_on_pairs(
    classes: Sequence[str], confusion: np.ndarray
) -> List[str]:
    """Name the classes that are taken for one another most often.

    Args:
        classes (Sequence[str]): Their names.
        confusion (np.ndarray): Counts, ``(K, K)``.

    Returns:
        List[str]: A sentence; none where no pair stands out.
    """
    both = np.triu(confusion + confusion.T, 1)  # (K, K)
    mistakes = both.sum()
    order = np.argsort(-both, axis=None, kind='stable')[:SHOWN]
    pairs = [divmod(int(place), len(classes)) for place in order]
    pairs = [p for p in pairs if both[p] >= max(PAIR, PART * mistakes)]
    if not pairs:
        return []
    named = ', '.join(
        f"'{classes[i]}' and '{classes[j]}' ({both[i, j]:.0f})"
        for i, j in pairs
    )
    return [
        f'Of {mistakes:.0f} mistakes, most take one of these for the other: '
        f'{named}. Look at those clips in the report: are the labels right? '
        'Then clips help in which nothing else differs; where the difference '
        'does not matter, make them one class.'
    ]


def advise_on_order(
    orders: Optional[Orders], confusion: np.ndarray
) -> List[str]:
    """Judge whether motion or appearance decides, and limits.

    Args:
        orders (Orders, optional): The accuracies.
        confusion (np.ndarray): Counts on the clips, ``(K, K)``.

    Returns:
        List[str]: Sentences; none where nothing was measured.
    """
    said: Dict[str, float] = {
        name.replace('_', ' '): value
        for name, value in (orders._asdict() if orders else {}).items()
        if value is not None and name != 'plain'
    }
    if not said:
        return []
    plain, total = orders.plain, confusion.sum()
    listed = ', '.join(f'{name} {100 * v:.0f} %' for name, v in said.items())
    start = f'{100 * plain:.0f} % of the clips are right ({listed}): '
    noise = _noise(plain, total)
    if plain - confusion.sum(1).max() / total <= noise:
        return [f'{start}hardly more than the largest class alone would give.']
    what, way = _what_decides(orders, noise)
    return [start + what + ('' if plain >= GOOD else way)]


def _what_decides(orders: Orders, noise: float) -> Tuple[str, str]:
    """Describe what a model goes by, and what would help if that limits it."""
    single, shuffled = orders.single_frame, orders.shuffled
    if single is not None and orders.plain - single <= noise:
        return (
            'a single frame decides, motion is not looked at.',
            ' What limits is appearance: larger frames or a larger trunk. If '
            'the classes differ in motion, film all of them in every place.',
        )
    if shuffled is not None and orders.plain - shuffled <= noise:
        return (
            'several frames decide, their order does not.',
            ' If the classes differ in the order of what happens, the model '
            'has not learned it: more frames, or more clips of pairs that '
            'differ in nothing else.',
        )
    if shuffled is None:
        return 'one frame is not enough.', ''
    return (
        'the order of frames decides.',
        ' What limits is motion: more frames of every clip, clips cut closer '
        'to the action, or larger frames where what moves is small.',
    )


def _noise(rate: float, number: float) -> float:
    """Return the difference of accuracies below which nothing is said."""
    error = np.sqrt(max(rate * (1 - rate), 0.0) / number)
    return max(SURE * float(error), LEAST)


def _part(part: float) -> str:
    """Name a part of the clips."""
    return 'all' if part == 1 else f'{100 * part:.0f} % of the clips'
