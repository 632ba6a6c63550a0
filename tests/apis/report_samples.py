"""A small report with everything in it, on names that attack a page."""

from typing import Any

import numpy as np

from mmvidadapt.apis.report import Curve, Looked, Report
from mmvidadapt.apis.report.tested_clips import Facts
from mmvidadapt.datasets.prepare.video_folders import Clip

EVIL = '<img src=x onerror=alert(1)>"\'&\u202eevil'
CLASSES = ['left', 'right', EVIL]
FRAMES = np.random.default_rng(0).integers(
    0, 256, (8, 24, 32, 3), dtype=np.uint8
)


def scores(predicted, sure=0.8):
    """Probabilities whose highest is the prediction, (N, K)."""
    found = np.full((len(predicted), len(CLASSES)), (1 - sure) / 2)
    found[np.arange(len(predicted)), predicted] = sure
    return found


def clips(number: int = 12):
    """Clips of three classes by turns, in four groups."""
    return [
        Clip(f'{EVIL}/clip {i}.mp4', CLASSES[i % 3], f'person {i % 4}')
        for i in range(number)
    ]


def report(**changes: Any) -> Report:
    """Return a report: clip 1 is surely wrong, clip 3 is so less surely."""
    listed = clips()
    predicted = np.arange(len(listed)) % 3
    predicted[1], predicted[3] = 2, 1
    found = scores(predicted)
    found[1] = (0.01, 0.01, 0.98)
    maps = np.zeros((8, 3, 4))
    maps[5, 1, 2] = 1
    parts = dict(
        title=f'Report of {EVIL}',
        split=[f'Groups of {EVIL} were held out.'],
        orders={
            'shuffled': scores(np.zeros(12, int)),
            'reversed': scores(1 - np.arange(12) % 3 % 2),
        },
        looked=[Looked(1, FRAMES, maps), Looked(0, FRAMES, maps)],
        curves=[
            Curve('training loss', [(1, 2.3), (2, 1.1), (3, 0.4)]),
            Curve('training accuracy', [(1, 0.2), (3, 0.9)]),
            Curve('validation accuracy', [(3, 0.8)]),
        ],
        counts={'train': dict.fromkeys(CLASSES, 9), EVIL: {'left': 4}},
        facts={'a': Facts(30, 64, 48), 'b': Facts(90, 64, 48)},
        left_out=[(f'{EVIL}.mp4', f'moov atom not found: {EVIL}')],
        notes=[f'More clips of {EVIL}.'],
        commands=[f'python tools/report.py {EVIL}'],
    )
    parts.update(changes)
    return Report(listed, CLASSES, found, **parts)


def read(clip: int):
    """Return frames in place of a file's."""
    return list(FRAMES)
