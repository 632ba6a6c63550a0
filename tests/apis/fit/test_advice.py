"""Advice follows from what was measured, and is silent where nothing was."""

import numpy as np
import pytest

from mmvidadapt.apis.fit.advice import Orders, advise

CLASSES = ('left', 'right', 'wave')


def table(*rows):
    return np.array(rows)


START = table([8, 12, 0], [12, 8, 0], [10, 0, 30])  # 46 of 80
HALF = table([11, 9, 0], [9, 11, 0], [6, 0, 34])  # 56 of 80
ALL = table([17, 3, 0], [8, 12, 0], [2, 0, 38])  # 67 of 80


def test_a_rising_curve_asks_for_clips():
    said = advise(CLASSES, {1: ALL, 0.5: HALF, 0.25: START})
    assert said[0].startswith(
        'More clips would help: 57 % from 25 % of the clips, 70 % from 50 % '
        'of the clips, 84 % from all. With twice as many, about 9'
    )
    assert said[1] == (
        "Most would help more clips of 'right' (12 of 20 right, 11 from 50 % "
        "of the clips), 'left' (17 of 20 right, 11 from 50 % of the clips), "
        "'wave' (38 of 40 right, 34 from 50 % of the clips)."
    )
    assert "for the other: 'left' and 'right' (11). Look" in said[2]
    assert len(said) == 3


def test_a_flat_curve_asks_for_other_clips():
    said = advise(CLASSES, {0.5: ALL, 1: ALL})
    assert said[0].startswith('More clips of the same kind would help little')
    near = ALL - np.diag([2, 2, 0]) + table([0, 2, 0], [2, 0, 0], [0, 0, 0])
    said = advise(CLASSES, {0.5: near, 1: ALL})
    assert said[0].startswith('Whether more clips would help is not clear: 79')
    assert 'of 80 clips that may be chance' in said[0]
    # What is not clear from the last step may be so from all.
    said = advise(CLASSES, {0.25: START, 0.5: near, 1: ALL})
    assert said[0].startswith('More clips would help')
    only = advise(CLASSES, {1: ALL})
    assert only[0].startswith("Most would help more clips of 'right' (12 of")
    assert 'from' not in only[0]


def test_what_clips_have_helped_goes_first():
    # 'left' has most mistakes, as it had; 'right' lost most of its own.
    before = table([30, 10, 0], [24, 16, 0], [0, 0, 40])
    after = table([30, 10, 0], [8, 32, 0], [0, 0, 40])
    said = advise(CLASSES, {0.5: before, 1: after})
    assert said[1].startswith("Most would help more clips of 'right' (32 of")
    # Three mistakes of each of ten pairs: none stands out.
    names = [str(i) for i in range(20)]
    even = np.kron(np.eye(10), [[20, 3], [0, 20]])
    assert len(advise(names, {1: even})) == 1


def test_little_is_not_made_much_of():
    few = table([9, 1, 0], [0, 9, 1], [1, 0, 9])
    assert advise(CLASSES, {1: few}) == []
    (said,) = advise(CLASSES, {1: 20 * np.eye(3)})
    assert said.startswith('All 60 tested clips are right') and '94 %' in said


@pytest.mark.parametrize(
    'orders, words',
    [
        (Orders(0.84, 0.4, 0.3, 0.2), 'order of frames decides. What limits'),
        (Orders(0.84, 0.82, 0.5), 'several frames decide, their order does n'),
        (Orders(0.84, 0.84, 0.8), 'a single frame decides, motion is not'),
        (Orders(0.84, None, 0.5), 'one frame is not enough.'),
        (Orders(0.55, 0.5, 0.5), 'hardly more than the largest class alone'),
        (Orders(0.97, 0.4), '97 % of the clips are right (shuffled 40 %): t'),
    ],
)
def test_motion_or_appearance(orders, words):
    said = advise(CLASSES, {1: ALL}, orders)[-1]
    assert words in said
    assert ('limits' in said) == (0.8 < orders.plain < 0.9 and (
        words[:5] in ('order', 'a sin')))  # fmt: skip
    assert len(advise(CLASSES, {1: ALL}, Orders(0.8))) == 2


@pytest.mark.parametrize('curve', [{}, {0.5: ALL}, {1: ALL[:2]}, {1: 0 * ALL}])
def test_what_cannot_be_read_is_an_error(curve):
    with pytest.raises(ValueError, match=r'give one of all \(1\)'):
        advise(CLASSES, curve)
