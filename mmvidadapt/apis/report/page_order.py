"""Show what the order of frames is worth to a recognizer."""

from typing import Optional

from .contents import Report
from .elements import Html, element, join, percent, points
from .measures import flips
from .page_accuracy import independent, range_bar

MOST_FLIPS = 12


def order(report: Report) -> Html:
    """Show what the order of frames is worth."""
    plain = independent(report.right)
    found = [('plain', plain)]
    hits = {}
    for name, scores in report.orders.items():
        hits[name] = report.predict(scores) == report.labels
        found.append((name, independent(hits[name])))
    rows = [
        element(
            'div',
            element('span', name, class_='what'),
            range_bar(interval),
            element(
                'span',
                percent(interval.value),
                None
                if name == 'plain'
                else element(
                    'small',
                    points(interval.value - plain.value),
                ),
                class_='num',
            ),
            class_='interval',
        )
        for name, interval in found
    ]
    return join(
        element('p', verdict(report), class_='lead'),
        element(
            'div',
            element('div', rows, class_='intervals'),
            _flips(report),
            class_='halves',
        ),
    )


def verdict(report: Report) -> str:
    """Say whether a recognizer needs the order of frames."""
    if 'shuffled' not in report.orders:
        return 'Accuracy when frames come in another order.'
    other = report.predict(report.orders['shuffled']) == report.labels
    lost = int((report.right & ~other).sum())
    won = int((other & ~report.right).sum())
    drop = report.right.mean() - other.mean()
    # McNemar: of the clips that changed, as many either way by chance.
    sure = abs(lost - won) > 1.96 * max(lost + won, 1) ** 0.5
    if sure and drop > 0:
        return (
            f'Order matters: with shuffled frames {100 * drop:.0f} points '
            'are lost. The model sees motion, not only what is there.'
        )
    return (
        f'Order hardly matters: {lost} clips are lost and {won} are won '
        'when frames are shuffled, which chance can do. The model looks at '
        'what is there.'
    )


def _flips(report: Report) -> Optional[Html]:
    """List the classes that are taken for another when played backwards."""
    if 'reversed' not in report.orders:
        return None
    found = flips(report.labels, report.predict(report.orders['reversed']))
    if not found:
        return None
    listed = [
        element(
            'li',
            element('b', report.classes[f.label]),
            ' becomes ',
            element('b', report.classes[f.other]),
            element('span', percent(f.share, 0), class_='count'),
        )
        for f in found[:MOST_FLIPS]
    ]
    return element(
        'div',
        element('h3', 'Played backwards'),
        element('ul', listed, class_='pairs'),
    )
