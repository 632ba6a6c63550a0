"""Show how accurate a recognizer is: as a whole, by class."""

from typing import List, Optional, Tuple

import numpy as np

from ..fit.intervals import Interval, grouped_interval, wilson
from .contents import Report
from .elements import Html, element, join, percent, plural
from .measures import class_figures, confusion_matrix


def intervals(report: Report) -> List[Tuple[str, Interval]]:
    """Return the intervals of the accuracy, the one to trust first."""
    found = [('clips drawn one by one (Wilson)', independent(report.right))]
    if report.grouped:
        number = plural(len(set(report.groups)), 'group')
        whole = grouped_interval(report.right, report.groups)
        found.insert(0, (f'groups never seen ({number})', whole))
    return found


def independent(right: np.ndarray) -> Interval:
    """Bound a share of clips that were drawn one by one."""
    return wilson(int(right.sum()), len(right))


def between(interval: Interval) -> str:
    """Write the ends of an interval."""
    return f'{100 * interval.low:.1f} – {100 * interval.high:.1f} %'


def accuracy(report: Report) -> Html:
    """Show the accuracy, its interval and how clips were split."""
    found = intervals(report)
    chance = max(np.bincount(report.labels)) / len(report.labels)
    rows = [
        element(
            'div',
            element('span', f'95 % interval, {name}', class_='what'),
            range_bar(interval, chance),
            element('span', between(interval), class_='num'),
            class_='interval',
        )
        for name, interval in found
    ]
    number = (
        f'{int(report.right.sum())} of {plural(len(report.clips), "clip")}'
    )
    of = plural(len(report.classes), 'class')
    return join(
        element(
            'div',
            element('h2', 'Accuracy'),
            element('p', percent(report.right.mean()), class_='huge'),
            element('p', f'{number} of {of} are right.', class_='lead'),
            class_='score',
        ),
        element(
            'div',
            rows,
            element(
                'p',
                element('span', '', class_='mark'),
                f'{percent(chance)}: always naming the largest class.',
                class_='small',
            ),
            [element('p', said, class_='small') for said in report.split],
            class_='intervals',
        ),
    )


def range_bar(interval: Interval, mark: Optional[float] = None) -> Html:
    """Draw a share with its interval from 0 to 1."""
    width = 100 * (interval.high - interval.low)
    return element(
        'span',
        element(
            'i',
            class_='range',
            style=f'left:{100 * interval.low:.2f}%;width:{width:.2f}%',
        ),
        element(
            'i', class_='point', style=f'left:{100 * interval.value:.2f}%'
        ),
        None
        if mark is None
        else element('i', class_='mark', style=f'left:{100 * mark:.2f}%'),
        class_='track',
        aria_hidden='true',
    )


def by_class(report: Report) -> Html:
    """Show precision, recall and number of clips of every class."""
    matrix = confusion_matrix(
        report.labels, report.predicted, len(report.classes)
    )
    figures = class_figures(matrix)
    rows = [
        element(
            'tr',
            element('th', name, scope='row'),
            _bar_cell(figures.recall[i], 'recall'),
            _bar_cell(figures.precision[i], 'precision'),
            element('td', int(figures.counts[i]), class_='num'),
            element('td', int(figures.predicted[i]), class_='num'),
        )
        for i, name in enumerate(report.classes)
    ]
    head = ('class', 'recall', 'precision', 'clips', 'named')
    table = element(
        'table',
        element(
            'thead',
            element('tr', [element('th', h, scope='col') for h in head]),
        ),
        element('tbody', rows),
        class_='classes',
    )
    note = (
        'Recall: of the clips of a class, the share that was found. '
        'Precision: of the clips that were named so, the share that is '
        'right. A dash: there is none.'
    )
    return join(
        element('p', note, class_='hint'),
        element('div', table, class_='scroll', tabindex='0'),
    )


def _bar_cell(share: float, kind: str) -> Html:
    """Write a share with a bar behind it."""
    known = share == share
    bar = f'--v:{100 * share if known else 0:.1f}%'
    return element(
        'td',
        element(
            'span', element('b', percent(share, 0)), class_=kind, style=bar
        ),
        class_='bar',
    )
