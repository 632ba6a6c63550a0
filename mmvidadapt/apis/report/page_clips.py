"""Show clips: the wrong ones, and where the recognizer looked."""

from typing import Callable, List, Optional, Sequence

import numpy as np

from mmvidadapt.utils.video import unreadable

from .contents import Looked, Report
from .elements import Html, element, join, percent, plural
from .measures import surest_mistakes
from .pictures import chosen, data_uri, heat, shrink, spread, video_frames

MOST_SHEETS = 48
TOP = 3  # classes of a clip whose scores are shown
Reader = Callable[[int], Sequence[np.ndarray]]


def mistakes(
    report: Report, read: Optional[Reader] = None, most: int = MOST_SHEETS
) -> Html:
    """Show the wrong clips as sheets of their frames, the surest first.

    Args:
        report (Report): What was tested.
        read (Callable, optional): Reads the RGB frames of a clip by its
            number. Defaults to None: those of the file, evenly spread.
        most (int): How many have a sheet; the others are listed.
            Defaults to 48.

    Returns:
        Html: The sheets.
    """
    wrong = surest_mistakes(report.scores, report.labels, report.predicted)
    if not wrong:
        return element('p', 'No clip is wrong.', class_='lead')
    maps = {looked.clip: looked for looked in report.looked}
    cards = [
        _sheet(report, clip, rank, read, maps.get(clip))
        for rank, clip in enumerate(wrong[:most], start=1)
    ]
    note = (
        'The surest first: where a model that is mostly right is sure of '
        'something else, look at the label.'
    )
    return join(
        element('p', note, class_='hint'),
        element('div', cards, class_='sheets'),
        _others(report, wrong[most:]),
    )


def _others(report: Report, clips: Sequence[int]) -> Optional[Html]:
    """List further mistakes without pictures."""
    if not clips:
        return None
    rows = [
        element(
            'tr',
            element('td', str(report.clips[i].path), class_='path'),
            element('td', report.classes[report.labels[i]]),
            element('td', report.classes[report.predicted[i]]),
            element(
                'td',
                percent(report.scores[i, report.predicted[i]], 0),
                class_='num',
            ),
        )
        for i in clips
    ]
    head = ('clip', 'label', 'prediction', 'score')
    table = element(
        'table',
        element('thead', element('tr', [element('th', h) for h in head])),
        element('tbody', rows),
    )
    return element(
        'details',
        element('summary', f'{len(clips)} more'),
        element('div', table, class_='scroll', tabindex='0'),
    )


def _sheet(
    report: Report,
    clip: int,
    rank: int,
    read: Optional[Reader],
    looked: Optional[Looked],
) -> Html:
    """Write a wrong clip: label, prediction, frames, scores."""
    label = report.classes[report.labels[clip]]
    guess = report.classes[report.predicted[clip]]
    group = getattr(report.clips[clip], 'group', None)
    return element(
        'article',
        element(
            'header',
            element('span', rank, class_='rank'),
            element('span', label, class_='label'),
            element('span', '→', class_='to', aria_label='taken for'),
            element('span', guess, class_='guess'),
        ),
        _frames(report, clip, read),
        None if looked is None else _evidence(looked),
        _scores(report, clip),
        element(
            'footer',
            element('code', str(report.clips[clip].path)),
            None if group in (None, '') else f' group {group}',
        ),
        class_='sheet',
    )


def _frames(report: Report, clip: int, read: Optional[Reader]) -> Html:
    """Write the frames of a clip, or why there are none."""
    try:
        found = video_frames(report.path(clip)) if read is None else read(clip)
    except (*unreadable(), ValueError) as error:
        reason = (str(error).strip() or repr(error)).splitlines()[0]
        return element('p', reason, class_='unread')
    return strip([shrink(np.asarray(frame)) for frame in chosen(found)])


def strip(
    frames: Sequence[np.ndarray], shares: Optional[np.ndarray] = None
) -> Html:
    """Write frames side by side, with what each of them contributes.

    Args:
        frames (Sequence[np.ndarray]): RGB, uint8, each ``(H, W, 3)``.
        shares (np.ndarray, optional): One number from 0 to 1 for each frame.
            Defaults to None.

    Returns:
        Html: The strip.
    """
    cells = []
    for i, frame in enumerate(frames):
        height, width = frame.shape[:2]
        bar = None
        if shares is not None:
            said = f'frame {i + 1}: {percent(shares[i], 0)}'
            level = 100 * shares[i] / max(shares.max(), 1e-12)
            bar = element('i', style=f'--v:{level:.0f}%', title=said)
        picture = element(
            'img',
            src=data_uri(frame),
            width=width,
            height=height,
            alt=f'frame {i + 1}',
            decoding='async',
        )
        cells.append(element('span', picture, bar))
    return element('div', cells, class_='strip')


def _evidence(looked: Looked) -> Html:
    """Write the frames of a clip, coloured by where the model looked."""
    shares = looked.maps.sum((1, 2))  # (T,)
    shares = shares / max(shares.sum(), 1e-12)
    places = spread(len(looked.frames))
    drawn = heat(looked.frames[places], looked.maps[places])
    return strip(drawn, shares[places])


def _scores(report: Report, clip: int) -> Html:
    """Write the scores of the best classes, and that of the label."""
    scores, label = report.scores[clip], int(report.labels[clip])
    best = np.argsort(-scores, kind='stable')[:TOP].tolist()
    if label not in best:
        best[-1:] = [label]
    rows: List[Html] = [
        element(
            'div',
            element('dt', report.classes[i]),
            element(
                'dd',
                element(
                    'span',
                    element('b', percent(scores[i])),
                    style=f'--v:{100 * scores[i]:.1f}%',
                ),
            ),
            class_='truth' if i == label else None,
        )
        for i in best
    ]
    return element('dl', rows, class_='scores')


def looks(report: Report) -> Html:
    """Show where the recognizer looked in clips that were right."""
    found = [one for one in report.looked if report.right[one.clip]]
    others = plural(len(report.looked) - len(found), 'wrong clip')
    shown = (
        'Shown is a right clip of each class'
        if found
        else 'No clip that was right was looked into'
    )
    note = (
        'Gradient × activation: bright is what speaks for the prediction, '
        f'the bar below a frame is its share. {shown}; {others} above '
        'have theirs.'
    )
    return join(
        element('p', note, class_='hint'),
        element('div', [_look(report, one) for one in found], class_='sheets'),
    )


def _look(report: Report, looked: Looked) -> Html:
    """Write the frames of a clip that was right, plain and coloured."""
    name = report.classes[report.predicted[looked.clip]]
    score = percent(
        report.scores[looked.clip, report.predicted[looked.clip]], 0
    )
    return element(
        'article',
        element(
            'header',
            element('span', name, class_='guess right'),
            element('span', score, class_='count'),
        ),
        strip([shrink(frame) for frame in chosen(looked.frames)]),
        _evidence(looked),
        element(
            'footer', element('code', str(report.clips[looked.clip].path))
        ),
        class_='sheet',
    )
