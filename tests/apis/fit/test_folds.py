"""Folds keep groups together, know every class, and are in proportion."""

from collections import Counter
from itertools import product

import numpy as np
import pytest

from mmvidadapt.apis.fit.folds import Fold, folds, hold_out
from mmvidadapt.apis.fit.sentences import describe_folds, describe_hold_out
from mmvidadapt.datasets.prepare.video_folders import Clip


def draw(seed, number=14, classes='abcd'):
    """Draw clips of groups of uneven size, in which classes are uneven."""
    rng = np.random.default_rng(seed)
    return [
        Clip(f'{g}/{i}', str(rng.choice(list(classes), p=chances)), f'g{g}')
        for g, chances in enumerate(rng.dirichlet([1.0] * 4, number))
        for i in range(rng.integers(2, 20))
    ]


def grid(*rows):
    """Make clips of groups 0, 1, ... from words whose letters are classes."""
    return [
        Clip(f'{g}/{i}', label, str(g))
        for g, row in enumerate(rows)
        for i, label in enumerate(row)
    ]


def sides(clips, fold, key):
    return [{getattr(clips[i], key) for i in side} for side in fold]


@pytest.mark.parametrize('seed', range(8))
def test_groups_stay_together_and_every_class_is_trained_on(seed):
    clips = draw(seed)
    labels, tested = {clip.label for clip in clips}, Counter()
    for fold in (*folds(clips, 4, seed), hold_out(clips, seed=seed)):
        train, test = sides(clips, fold, 'group')
        assert train and test and not train & test
        assert sides(clips, fold, 'label')[0] == labels
        assert sorted([*fold.train, *fold.test]) == list(range(len(clips)))
    for fold in folds(clips, 4, seed):
        tested.update(fold.test.tolist())
    assert set(tested.values()) == {1}
    always = {clips[i].group for i in set(range(len(clips))) - set(tested)}
    for group in always:  # holds all clips of a class
        assert labels - {c.label for c in clips if c.group != group}


def test_classes_are_in_proportion():
    clips = [Clip(str(i), 'aaabbc'[i % 6]) for i in range(60)]
    for fold in folds(clips, 5):
        number = Counter(clips[i].label for i in fold.test)
        assert number == dict(a=6, b=4, c=2)
    held = hold_out(clips, 0.3).test
    assert Counter(clips[i].label for i in held) == dict(a=10, b=7, c=3)
    # By groups, too, where they allow it.
    clips = grid(*['aab', 'abb'] * 5)
    for fold in folds(clips, 5):
        assert Counter(clips[i].label for i in fold.test) == dict(a=3, b=3)


@pytest.mark.parametrize('seed', range(4))
def test_no_division_is_much_better(seed):
    clips = draw(seed, number=9)
    labels, groups = (
        sorted({c.label for c in clips}),
        [f'g{i}' for i in range(9)],
    )
    counts = np.array([[sum((c.group, c.label) == (g, k) for c in clips)
                        for k in labels] for g in groups])  # fmt: skip
    shares = np.c_[counts, counts.sum(1)] / np.r_[counts.sum(0), len(clips)]

    def off(side):
        return np.abs(np.array(side) @ shares - 0.5).max()

    best = min(off(side) for side in product((0, 1), repeat=9))
    ours = {clips[i].group for i in folds(clips, 2, seed)[0].test}
    assert off([g in ours for g in groups]) < best + 0.1
    held = {clips[i].group for i in hold_out(clips, 0.5, seed).test}
    assert off([g in held for g in groups]) < best + 0.1


def test_the_seed_decides():
    clips = draw(0)

    def of(seed):
        parts = [f.test for f in folds(clips, 3, seed)]
        return [p.tolist() for p in (*parts, hold_out(clips, seed=seed).test)]

    assert of(1) == of(1)
    assert len({str(of(seed)) for seed in range(5)}) > 1


@pytest.mark.parametrize('number, wanted', [(2, 2), (3, 3), (5, 5), (6, 6)])
def test_few_groups_are_left_out_one_by_one(number, wanted):
    clips = grid(*['ab'] * number)
    found = folds(clips, max(number - 1, 2))
    assert len(found) == wanted
    for fold in found:
        assert len(sides(clips, fold, 'group')[1]) == 1
    said = describe_folds(clips, found)
    assert said == [
        f'Cross-validation in {number} folds tests {number} groups, one at '
        'a time; no group is on two sides.'
    ]


def test_the_only_group_of_a_class_is_never_tested():
    clips = grid('abz', 'ab', 'ab', 'aabb')
    found = folds(clips, 2)
    assert all(0 in fold.train for fold in found) and len(found) == 3
    said = ' '.join(describe_folds(clips, found))
    assert "Never tested: 'z'. All clips of each lie in one group" in said
    assert '3 clips are always trained on' in said
    # Each side knows a class by the group that would fit to the other.
    torn = grid('bbbcc', 'ab', 'aac', 'c')
    for fold in folds(torn, 2):
        assert sides(torn, fold, 'label')[0] == set('abc')
        assert {5, 6} <= set(fold.train.tolist())
    single = [Clip('0', 'a'), Clip('1', 'a'), Clip('2', 'b')]
    found = folds(single, 2)
    assert [fold.test.tolist() for fold in found] == [[0], [1]]
    assert (
        '2 clips, one at a time; there are no'
        in describe_folds(single, found)[0]
    )
    with pytest.raises(ValueError, match='Each of the 2 groups .*two groups'):
        folds(grid('aaa', 'bbb'))
    with pytest.raises(ValueError, match='1 folds: give 2'):
        folds(clips, 1)


def test_whole_groups_are_held_out_if_enough_remain():
    for number, held in ((3, 0), (4, 0), (5, 2), (6, 2), (20, 4)):
        clips = grid(*['aabb'] * number)
        fold = hold_out(clips, 0.2)
        assert len(sides(clips, fold, 'group')[1]) == held, number
        said = describe_hold_out(clips, fold)
        assert said == [
            f'{held * 4} of {number * 4} clips of {held} groups are held out '
            'for one test at the end, at random.'
            if held
            else f'Nothing is held out for a last test: of {number} groups '
            'too few would remain. The accuracy is that of cross-validation.'
        ]
    assert len(hold_out(clips, 0).test) == 0
    assert len(hold_out(clips, 0.5).test) == 40
    with pytest.raises(ValueError, match='share of 0.6 .*0 to 0.5'):
        hold_out(clips, 0.6)
    split = [c._replace(split='val' if i < 5 else 'train')
             for i, c in enumerate(clips)]  # fmt: skip
    assert hold_out(split).test.tolist() == list(range(5))
    split[9] = split[9]._replace(split='test')
    assert hold_out(split).test.tolist() == [9]
    said = ' '.join(describe_hold_out(split, hold_out(split)))
    for words in (
        'as their split says.',
        "1 groups are on both sides of that split, such as '2': the test",
        "No clip is held out of 'b'.",
    ):
        assert words in said
    unknown = describe_hold_out([Clip('0', 'a', split='test'), Clip('1', 'b')],
                                Fold(*map(np.array, ([1], [0]))))  # fmt: skip
    assert unknown[-1] == "Only held out, so never learned: 'a'."
