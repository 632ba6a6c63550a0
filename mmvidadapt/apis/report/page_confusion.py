"""Show which classes are taken for which."""

from typing import List, Sequence, Tuple

import numpy as np

from .contents import Report
from .elements import Html, element, join, plural
from .measures import confused_pairs, confusion_matrix

MOST_CLASSES = 40  # that a matrix has room for
MOST_PAIRS = 12


def confusion(report: Report) -> Html:
    """Show which classes are taken for which."""
    matrix = confusion_matrix(
        report.labels, report.predicted, len(report.classes)
    )
    pairs = confused_pairs(matrix)
    listed = element(
        'ol',
        [
            element(
                'li',
                element('b', report.classes[a]),
                ' taken for ',
                element('b', report.classes[b]),
                element('span', plural(n, 'clip'), class_='count'),
            )
            for a, b, n in pairs[:MOST_PAIRS]
        ],
        class_='pairs',
    )
    kept, note = _shown_classes(report, pairs)
    return join(
        element('p', note, class_='hint'),
        element(
            'div',
            element(
                'div',
                _matrix(report, matrix, kept),
                class_='scroll',
                tabindex='0',
            ),
            element('div', element('h3', 'Most often'), listed)
            if pairs
            else element('p', 'No class is taken for another.'),
            class_='beside',
        ),
    )


def _shown_classes(
    report: Report, pairs: Sequence[Tuple[int, int, int]]
) -> Tuple[List[int], str]:
    """Choose the classes of the matrix, and describe it."""
    number = len(report.classes)
    note = 'A row is a class, a column what its clips were taken for.'
    if number <= MOST_CLASSES:
        return list(range(number)), note
    wanted = dict.fromkeys(i for a, b, _ in pairs for i in (a, b))
    kept = sorted(list(wanted)[:MOST_CLASSES])
    return kept, f'{note} Of {number} classes, those confused most.'


def _matrix(report: Report, matrix: np.ndarray, kept: List[int]) -> Html:
    """Write the matrix as a table whose cells are as dark as they count."""
    head = [element('td')] + [
        element('th', element('span', report.classes[i]), scope='col')
        for i in kept
    ]
    rows = []
    for i in kept:
        total = max(int(matrix[i].sum()), 1)
        cells = []
        for j in kept:
            count = int(matrix[i, j])
            share = count / total
            kind = ('hit' if i == j else 'miss') if count else 'none'
            if share > 0.55:
                kind += ' strong'
            title = (
                f'{report.classes[i]} taken for {report.classes[j]}: '
                f'{count} of {total}'
            )
            cells.append(
                element(
                    'td',
                    count or '',
                    class_=kind,
                    style=f'--v:{100 * share:.0f}%' if count else None,
                    title=title if count else None,
                )
            )
        rows.append(
            element('tr', element('th', report.classes[i], scope='row'), cells)
        )
    return element(
        'table',
        element('thead', element('tr', head)),
        element('tbody', rows),
        class_='matrix',
    )
