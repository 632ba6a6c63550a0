"""Draw charts as SVG whose colours are those of the page."""

from typing import List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from .calibration import BINS, Reliability
from .contents import Curve
from .elements import Html, element, percent, plural

WIDTH, HEIGHT = 380, 260
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 12, 34
SHARE_OF_VOLUMES = 0.18  # of the height, for the number of clips


class Frame(NamedTuple):
    """Ranges of the two axes, and how they are drawn."""

    x: Tuple[float, float]
    y: Tuple[float, float]

    def at(self, x: float, y: float) -> Tuple[float, float]:
        """Return the place of a point in the drawing."""
        across = (x - self.x[0]) / max(self.x[1] - self.x[0], 1e-12)
        up = (y - self.y[0]) / max(self.y[1] - self.y[0], 1e-12)
        return (
            round(LEFT + across * (WIDTH - LEFT - RIGHT), 1),
            round(HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM), 1),
        )


def ticks(low: float, high: float, wanted: int = 4) -> List[float]:
    """Choose round numbers from low to high."""
    if high <= low:
        return [low]
    step = 10 ** np.floor(np.log10((high - low) / wanted))
    step *= next(
        (m for m in (1, 2, 5) if (high - low) / (m * step) <= wanted), 10
    )
    first = np.ceil(low / step - 1e-9)
    return [
        float(i * step) + 0.0  # no -0
        for i in np.arange(first, np.floor(high / step + 1e-9) + 1)
    ]


def chart(
    frame: Frame,
    parts: Sequence[Html],
    titles: Tuple[str, str],
    label: str,
    shares: Tuple[bool, bool] = (False, False),
) -> Html:
    """Draw axes around what is plotted.

    Args:
        frame (Frame): Ranges of the axes.
        parts (Sequence[Html]): What is plotted.
        titles (Tuple[str, str]): Names of the axes.
        label (str): For those who cannot see it.
        shares (Tuple[bool, bool]): Whether an axis is one of per cent.
            Defaults to (False, False).

    Returns:
        Html: The SVG.
    """
    middle = (LEFT + WIDTH - RIGHT) / 2
    return element(
        'svg',
        _scales(frame, shares),
        _text(titles[0], middle, HEIGHT - 3, 'middle', 'axis'),
        _text(titles[1], 0, -8, 'start', 'axis'),
        list(parts),
        viewBox=f'0 -20 {WIDTH} {HEIGHT + 20}',
        role='img',
        aria_label=label,
        class_='chart',
    )


def _scales(frame: Frame, shares: Tuple[bool, bool]) -> List[Html]:
    """Draw the numbers of both axes, and lines across."""
    drawn: List[Html] = []
    for value in ticks(*frame.y):
        (x1, y), (x2, _) = (
            frame.at(frame.x[0], value),
            frame.at(frame.x[1], value),
        )
        drawn.append(element('line', x1=x1, x2=x2, y1=y, y2=y, class_='grid'))
        said = percent(value, 0) if shares[1] else f'{value:g}'
        drawn.append(_text(said, x1 - 6, y + 4, 'end'))
    for value in ticks(*frame.x):
        x, y = frame.at(value, frame.y[0])
        said = percent(value, 0) if shares[0] else f'{value:g}'
        drawn.append(_text(said, x, y + 15, 'middle'))
    return drawn


def _text(
    said: str, x: float, y: float, anchor: str, kind: Optional[str] = None
) -> Html:
    """Write a text in a drawing."""
    return element('text', said, x=x, y=y, text_anchor=anchor, class_=kind)


def line(frame: Frame, points: Sequence[Tuple], kind: str) -> Html:
    """Draw a line through points."""
    places = ' '.join('{},{}'.format(*frame.at(*point)) for point in points)
    return element('polyline', points=places, class_=f'line {kind}')


def dots(frame: Frame, points: Sequence[Tuple], kind: str) -> List[Html]:
    """Draw a dot for every point (x, y, title)."""
    return [
        element(
            'circle',
            element('title', title),
            **dict(zip(('cx', 'cy'), frame.at(x, y))),
            r=4,
            class_=kind,
        )
        for x, y, title in points
    ]


def reliability_chart(
    before: Reliability, after: Optional[Reliability] = None
) -> Html:
    """Draw accuracy over score: on the diagonal, scores say the truth.

    Args:
        before (Reliability): Of the scores as they are.
        after (Reliability, optional): With a temperature. Defaults to None.

    Returns:
        Html: The SVG.
    """
    frame = Frame((0, 1), (0, 1))
    parts = [line(frame, [(0, 0), (1, 1)], 'ideal')]
    parts += _volumes(frame, before)
    for kind, one in (('after', after), ('before', before)):
        if one is None:
            continue
        points = [
            (c, a, f'{n} clips: score {percent(c)}, right {percent(a)}')
            for c, a, n in zip(*one)
            if n
        ]
        parts.append(line(frame, [p[:2] for p in points], kind))
        parts += dots(frame, points, kind)
    said = f'Accuracy over score; calibration error {percent(before.ece)}.'
    titles = ('score of the prediction', 'right')
    return chart(frame, parts, titles, said, (True, True))


def _volumes(frame: Frame, found: Reliability) -> List[Html]:
    """Draw how many clips have which score."""
    parts, most = [], max(found.counts.max(), 1)
    for i, count in enumerate(found.counts):
        x, y = frame.at(i / BINS, SHARE_OF_VOLUMES * count / most)
        end, floor = frame.at((i + 1) / BINS, 0)
        parts.append(
            element(
                'rect',
                element('title', plural(int(count), 'clip')),
                x=x + 1,
                y=y,
                width=round(end - x - 2, 1),
                height=round(floor - y, 1),
                class_='volume',
            )
        )
    return parts


def curve_chart(curves: Sequence[Curve], title: str) -> Html:
    """Draw curves over the steps of a training, the first one strongest."""
    xs = [x for curve in curves for x, _ in curve.points]
    ys = [y for curve in curves for _, y in curve.points]
    low, high = min(ys), max(ys)
    shares = low >= 0 and high <= 1 and ('acc' in title or 'top' in title)
    low = 0.0 if low > 0 and low < high / 2 else low
    frame = Frame((min(xs), max(xs)), (low, high if high > low else low + 1))
    parts = []
    for kind, curve in zip(('before', 'after', 'third', 'fourth'), curves):
        parts.append(line(frame, curve.points, kind))
        if len(curve.points) == 1:
            parts += dots(frame, [(*curve.points[0], curve.name)], kind)
    said = f'{title} over the steps of the training.'
    return chart(frame, parts, ('step', title), said, (False, shares))


def histogram(values: Sequence[float], title: str, unit: str) -> Html:
    """Draw how often values occur."""
    counts, edges = np.histogram(values, bins=min(20, max(4, len(values))))
    frame = Frame((edges[0], edges[-1]), (0, max(counts.max(), 1)))
    parts = []
    for count, left, right in zip(counts, edges, edges[1:]):
        (x, y), (end, floor) = frame.at(left, count), frame.at(right, 0)
        parts.append(
            element(
                'rect',
                element('title', f'{count}: {left:.3g} to {right:.3g}'),
                x=x + 0.5,
                y=y,
                width=round(max(end - x - 1, 1), 1),
                height=round(floor - y, 1),
                class_='bar',
            )
        )
    return chart(frame, parts, (unit, 'videos'), title)
