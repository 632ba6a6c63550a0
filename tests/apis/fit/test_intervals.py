"""Intervals hold the truth as often as they say."""

import numpy as np
import pytest

from mmvidadapt.apis.fit.intervals import (
    grouped_interval,
    number_groups,
    spread,
    wilson,
)


def test_wilson_is_that_of_the_books():
    # Newcombe (1998), Table I: 81 of 263 and 0 of 20.
    for right, number, low, high in (
        (81, 263, 0.2553, 0.3662),
        (0, 20, 0.0, 0.1611),
    ):
        found = wilson(right, number)
        assert found[1:3] == pytest.approx((low, high), abs=1e-4)
    assert str(wilson(45, 50)) == '90.0 % (78.6 to 95.7 %)'
    for bad in ((1, 0), (3, 2), (-1, 2)):
        with pytest.raises(ValueError, match='give at least one trial'):
            wilson(*bad)


def draw(rng, share, likeness, number=6, clips=90):
    """Draw clips of groups of uneven size that are right together."""
    sizes = 1 + rng.multinomial(clips, rng.dirichlet(np.full(number, 2.0)))
    rest = 1 / likeness - 1
    means = rng.beta(share * rest, (1 - share) * rest, number)
    groups = np.repeat(np.arange(number), sizes)
    return rng.random(len(groups)) < means[groups], groups


@pytest.mark.parametrize('number', (4, 6, 10))
@pytest.mark.parametrize('likeness', (0.02, 0.2))
def test_the_truth_of_other_groups_is_within(number, likeness):
    rng, held, naive, runs = np.random.default_rng(0), 0, 0, 500
    for _ in range(runs):
        right, groups = draw(rng, 0.85, likeness, number)
        found = grouped_interval(right, groups.tolist())
        held += found.low <= 0.85 <= found.high
        plain = wilson(right.sum(), len(right))
        naive += plain.low <= 0.85 <= plain.high
    assert held / runs >= 0.93
    assert likeness < 0.1 or naive / runs < 0.8


def test_groups_widen_the_interval():
    right = np.array([1] * 30 + [0] * 10, dtype=float)
    alone = grouped_interval(right, [None] * 40)
    mixed = grouped_interval(right, [i % 8 for i in range(40)])
    apart = grouped_interval(right, [i // 5 for i in range(40)])
    widths = [i.high - i.low for i in (alone, mixed, apart)]
    assert widths == sorted(widths) and widths[2] > 1.5 * widths[0]
    assert [i.groups for i in (alone, mixed, apart)] == [40, 8, 8]
    assert {i.value for i in (alone, mixed, apart)} == {0.75}
    # Without groups it is, but for t, that of Wilson.
    assert alone[1:3] == pytest.approx(wilson(30, 40)[1:3], abs=0.01)
    sure = grouped_interval(np.ones(40), [i // 10 for i in range(40)])
    assert sure.high == 1 and 0.5 < sure.low < 0.9
    assert grouped_interval([1, 0], ['a', 'a'])[1:3] == (0, 1)
    # Means over seeds are weighed like single results.
    halves = grouped_interval([0.5, 1, 0.5, 1], [0, 0, 1, 1])
    assert halves.value == 0.75 and halves.low < 0.75 < halves.high
    for bad in ([], [1, 2]):
        with pytest.raises(ValueError, match='give one group for every clip'):
            grouped_interval([1] * len(bad[1:]), bad)


def test_groups_are_numbered_and_values_spread():
    assert number_groups(['b', None, 'a', 'b', '', '']).tolist() == [
        0,
        1,
        2,
        0,
        3,
        4,
    ]
    found = spread([0.8, 0.9, 1.0])
    assert found == pytest.approx((0.9, 0.1, 0.8, 1.0, 3))
    assert spread([0.5]).std == 0
    with pytest.raises(ValueError, match='run at least one fold'):
        spread([])
