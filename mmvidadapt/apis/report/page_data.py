"""Show training, data and commands."""

from collections import Counter
from typing import Dict, List, Optional, Sequence

import numpy as np

from .charts import curve_chart, histogram
from .contents import Curve, Report
from .elements import Html, element, join, plural

MOST_LISTED, MOST_SIZES = 200, 8


def curves(report: Report) -> Html:
    """Show the learning curves, a chart for every quantity."""
    charts: Dict[str, List[Curve]] = {}
    for curve in report.curves:
        charts.setdefault(curve.name.rpartition(' ')[2], []).append(curve)
    drawn = []
    for title, found in charts.items():
        legend = [
            element('span', curve.name, class_=f'key {kind}')
            for kind, curve in zip(
                ('before', 'after', 'third', 'fourth'), found
            )
        ]
        title = title if len(found) > 1 else found[0].name
        drawn.append(
            element(
                'figure',
                curve_chart(found, title),
                element('p', legend, class_='legend')
                if len(found) > 1
                else None,
            )
        )
    return element('div', drawn, class_='charts')


def data(report: Report) -> Html:
    """Show numbers, lengths and sizes of videos, and what was left out."""
    return join(
        element('div', _counts(report), _facts(report), class_='charts'),
        _left_out(report),
    )


def _counts(report: Report) -> Html:
    """Count the clips of every class in every split."""
    tested = Counter(str(clip.label) for clip in report.clips)
    counts = report.counts or {'tested': tested}
    rows = [
        element(
            'tr',
            element('th', name, scope='row'),
            [
                element('td', split.get(str(name), 0), class_='num')
                for split in counts.values()
            ],
        )
        for name in report.classes
    ]
    sums = [
        element('td', sum(split.values()), class_='num')
        for split in counts.values()
    ]
    rows.append(
        element('tr', element('th', 'all', scope='row'), sums, class_='sum')
    )
    head = [element('th', name, scope='col') for name in ('class', *counts)]
    table = element(
        'table',
        element('thead', element('tr', head)),
        element('tbody', rows),
    )
    return element(
        'details',
        element('summary', 'Clips of every class'),
        element('div', table, class_='scroll', tabindex='0'),
        open='' if len(report.classes) <= 12 else None,
    )


def _facts(report: Report) -> Optional[Html]:
    """Show how long and how large videos are."""
    facts = list((report.facts or {}).values())
    frames = [f.frames for f in facts if f.frames]
    sizes = Counter(
        f'{f.width} × {f.height}' for f in facts if f.width and f.height
    )
    if not frames and not sizes:
        return None
    return element('div', _lengths(frames), _sizes(sizes))


def _lengths(frames: Sequence[int]) -> Optional[Html]:
    """Show how many frames videos have."""
    if not frames:
        return None
    if len(set(frames)) == 1:
        drawn, said = None, f'{frames[0]} frames each'
    else:
        median = f'median {int(np.median(frames))}'
        said = f'{min(frames)} to {max(frames)} frames, {median}'
        drawn = histogram(frames, f'Lengths: {said}', 'frames')
    caption = element('figcaption', said)
    return join(element('h3', 'Lengths'), element('figure', drawn, caption))


def _sizes(sizes: Counter) -> Optional[Html]:
    """List how large frames are."""
    if not sizes:
        return None
    rows = [
        element(
            'li',
            element('b', size),
            element('span', plural(number, 'video'), class_='count'),
        )
        for size, number in sizes.most_common(MOST_SIZES)
    ]
    more = len(sizes) - len(rows)
    return join(
        element('h3', 'Sizes'),
        element('ul', rows, class_='pairs'),
        element('p', f'and {more} more') if more > 0 else None,
    )


def _left_out(report: Report) -> Optional[Html]:
    """List the files that were not used, with the reasons."""
    if not report.left_out:
        return element('p', 'No file was left out.')
    rows = [
        element(
            'tr',
            element('td', str(path), class_='path'),
            element('td', reason),
        )
        for path, reason in report.left_out[:MOST_LISTED]
    ]
    more = len(report.left_out) - len(rows)
    head = element('tr', [element('th', h) for h in ('file', 'reason')])
    return join(
        element('h3', f'Left out: {plural(len(report.left_out), "file")}'),
        element(
            'div',
            element(
                'table',
                element('thead', head),
                element('tbody', rows),
                class_='left-out',
            ),
            class_='scroll',
            tabindex='0',
        ),
        element('p', f'and {more} more') if more > 0 else None,
    )


def commands(lines: Sequence[str]) -> Html:
    """Show the commands that make everything again."""
    return element(
        'ol',
        [
            element('li', element('pre', element('code', line)))
            for line in lines
        ],
        class_='commands',
    )


def notes(lines: Sequence[str]) -> Html:
    """Show what would help most, and warnings."""
    return element('ul', [element('li', line) for line in lines])
