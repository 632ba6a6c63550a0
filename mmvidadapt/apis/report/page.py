"""Write a report as one page that needs nothing else."""

import datetime
from pathlib import Path
from typing import List, NamedTuple, Optional, Union

import numpy as np

from mmvidadapt.utils.whole_file import whole_file
from mmvidadapt.version import __version__

from . import (
    page_accuracy,
    page_calibration,
    page_clips,
    page_confusion,
    page_data,
    page_order,
)
from .calibration import reliability
from .contents import Report
from .elements import Html, element, percent, points
from .measures import class_figures, confusion_matrix
from .page_clips import MOST_SHEETS, Reader

STYLE = Path(__file__).with_name('page.css')
# Nothing is fetched, and nothing is run.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


class Section(NamedTuple):
    """A part of the page."""

    key: str
    title: str
    body: Html


def write_report(
    report: Report,
    path: Union[str, Path],
    read_frames: Optional[Reader] = None,
    most_mistakes: int = MOST_SHEETS,
    date: Optional[str] = None,
) -> Path:
    """Write ``report.html``: one file, no scripts, nothing from a network.

    Args:
        report (Report): What is known of the test.
        path (str | Path): The file; its folder is made.
        read_frames (Callable, optional): Reads the RGB frames of a clip by
            its number. Defaults to None: from the file of the clip.
        most_mistakes (int): Wrong clips that are shown with their frames;
            the others are listed. Defaults to 48.
        date (str, optional): What the page is dated. Defaults to None:
            today.

    Returns:
        Path: The file.
    """
    path = Path(path)
    page = render(report, read_frames, most_mistakes, date)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as part:
        part.write_text(page, encoding='utf-8')
    return path


def render(
    report: Report,
    read_frames: Optional[Reader] = None,
    most_mistakes: int = MOST_SHEETS,
    date: Optional[str] = None,
) -> str:
    """Return the page of :func:`write_report` as text.

    Args:
        report (Report): What is known of the test.
        read_frames (Callable, optional): See :func:`write_report`.
            Defaults to None.
        most_mistakes (int): See :func:`write_report`. Defaults to 48.
        date (str, optional): See :func:`write_report`. Defaults to None.

    Returns:
        str: HTML.
    """
    found = sections(report, read_frames, most_mistakes)
    date = date or datetime.date.today().isoformat()
    first = element('li', element('a', 'Accuracy', href='#accuracy'))
    links = [
        element('li', element('a', s.title, href=f'#{s.key}')) for s in found
    ]
    body = element(
        'body',
        element('a', 'Skip to the report', href='#main', class_='skip'),
        _header(report),
        element(
            'div',
            element('nav', element('ol', first, links), aria_label='Sections'),
            element('main', [_write(s) for s in found], id='main'),
            class_='layout',
        ),
        element('footer', f'mmvidadapt {__version__} · {date}'),
    )
    page = element('html', _head(report.title), body, lang='en')
    return f'<!DOCTYPE html>\n{page}\n'


def _head(title: str) -> Html:
    """Write title, style and what the page may do."""
    return element(
        'head',
        element('meta', charset='utf-8'),
        element('meta', http_equiv='Content-Security-Policy', content=POLICY),
        element('meta', name='viewport', content='width=device-width'),
        element('meta', name='color-scheme', content='light dark'),
        element('title', title),
        element('style', Html(STYLE.read_text(encoding='utf-8'))),
    )


def _write(section: Section) -> Html:
    """Write a section."""
    return element(
        'section',
        element('h2', section.title),
        section.body,
        id=section.key,
        class_=section.key,
    )


def _header(report: Report) -> Html:
    """Write what one sees first: heading, accuracy, three figures."""
    return element(
        'header',
        element('p', 'mmvidadapt', class_='brand'),
        element('h1', report.title),
        element(
            'section',
            page_accuracy.accuracy(report),
            _tiles(report),
            id='accuracy',
            class_='accuracy',
        ),
        class_='top',
    )


def _tiles(report: Report) -> Html:
    """Write the figures that one looks for first."""
    wrong = int((~report.right).sum())
    tiles = [(str(wrong), 'wrong', 'clips, the surest first', 'mistakes')]
    if 'shuffled' in report.orders:
        other = report.predict(report.orders['shuffled']) == report.labels
        drop = points(other.mean() - report.right.mean())
        tiles.append((drop, 'points', 'when frames are shuffled', 'order'))
    recall = class_figures(
        confusion_matrix(report.labels, report.predicted, len(report.classes))
    ).recall
    worst = int(np.nanargmin(recall))
    name = f'of {report.classes[worst]} found, the least'
    tiles.append((percent(recall[worst], 0), '', name, 'classes'))
    ece = reliability(report.scores, report.labels).ece
    tiles.append((percent(ece), '', 'calibration error', 'calibration'))
    return element(
        'ul',
        [
            element(
                'li',
                element(
                    'a',
                    element('b', value, ' ', element('i', unit)),
                    element('span', said),
                    href=f'#{key}',
                ),
            )
            for value, unit, said, key in tiles
        ],
        class_='tiles',
    )


def sections(
    report: Report,
    read_frames: Optional[Reader] = None,
    most_mistakes: int = MOST_SHEETS,
) -> List[Section]:
    """Write the sections for which there is something to show.

    Args:
        report (Report): What is known of the test.
        read_frames (Callable, optional): See :func:`write_report`.
            Defaults to None.
        most_mistakes (int): See :func:`write_report`. Defaults to 48.

    Returns:
        List[Section]: In the order of the page.
    """
    every: List[tuple] = [
        ('advice', 'What would help', report.notes, page_data.notes),
        ('mistakes', 'Surest mistakes', report, None),
        ('confusion', 'Confusion', report, page_confusion.confusion),
        ('classes', 'Classes', report, page_accuracy.by_class),
        ('order', 'Order of frames', report.orders, page_order.order),
        ('looked', 'Where it looked', report.looked, page_clips.looks),
        ('calibration', 'Calibration', report, page_calibration.calibration),
        ('curves', 'Learning curves', report.curves, page_data.curves),
        ('data', 'Data', report, page_data.data),
        ('repeat', 'Make it again', report.commands, page_data.commands),
    ]
    found = []
    for key, title, content, write in every:
        if not content:
            continue
        if key == 'mistakes':
            body = page_clips.mistakes(report, read_frames, most_mistakes)
        elif key in ('advice', 'repeat'):
            body = write(content)
        else:
            body = write(report)
        found.append(Section(key, title, body))
    return found
