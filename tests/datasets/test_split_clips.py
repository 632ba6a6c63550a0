"""Splits keep groups together and classes in proportion."""

from collections import Counter

import pytest

from mmvidadapt.datasets.prepare.split_clips import (
    split_clips,
    split_fold,
    split_into,
)
from mmvidadapt.datasets.prepare.video_folders import Clip


def many(num_groups):
    """Make clips of three classes; a group has several of each."""
    return [
        Clip(f'{g}/{i}.mp4', 'abc'[i % 3], f'g{g}')
        for g in range(num_groups)
        for i in range(3 * (1 + g % 4))
    ]


def test_no_group_is_on_two_sides():
    clips, shares = many(20), (0.6, 0.2, 0.2)
    parts = split_clips(clips, shares, seed=1)
    groups = [{c.group for c in part} for part in parts]
    assert sum(map(len, groups)) == len(set().union(*groups)) == 20
    assert sorted(sum(parts, [])) == sorted(clips)
    for part, share in zip(parts, shares):
        for label in 'abc':
            number = sum(c.label == label for c in part)
            assert number == pytest.approx(share * len(clips) / 3, abs=2)


def test_the_seed_decides_the_split():
    clips = many(20)
    again, same, other = (
        split_clips(clips, (0.5, 0.5), seed) for seed in (0, 0, 1)
    )
    assert again == same != other


def test_rare_classes_are_shared_out():
    clips = [Clip(f'{k}{i}', k) for k in 'abcdef' for i in range(3)]
    parts = split_clips(clips, (0.6, 0.2, 0.2))
    assert [len(part) for part in parts] == [12, 3, 3]
    assert {c.label for c in parts[0]} == set('abcdef')
    assert split_clips(clips, (0.6, 0.4, 0.0))[2] == []
    parts = split_into(clips, (60, 20, 20))
    assert [len(part) for part in parts.values()] == [12, 3, 3]
    for shares in ((1.5, -0.5, 0), (0, 0, 0)):
        with pytest.raises(ValueError, match=r'--split \(.*one is not 0'):
            split_into(clips, shares)


def test_the_largest_groups_are_dealt_out_first():
    """A group of 6, whatever the order, gets a part without small ones."""
    sizes = {'large': 6, **{f'small{i}': 1 for i in range(6)}}
    clips = [
        Clip(f'{g}{i}', 'a', g) for g, n in sizes.items() for i in range(n)
    ]
    for seed in range(8):
        for order in (clips, clips[::-1]):
            parts = split_clips(order, (0.5, 0.5), seed)
            groups = [{clip.group for clip in part} for part in parts]
            assert {'large'} in groups, seed


def test_the_fold_behind_the_tested_one_validates():
    clips = many(12)
    folds = [split_fold(clips, 4, fold, seed=3) for fold in range(4)]
    for this, following in zip(folds, folds[1:] + folds[:1]):
        assert this['val'] == following['test']
    assert folds != [split_fold(clips, 4, fold, seed=4) for fold in range(4)]


def test_folds_test_every_clip_once():
    clips = many(10)
    tested = Counter()
    for fold in range(5):
        parts = split_fold(clips, 5, fold)
        tested.update(c.path for c in parts['test'])
        groups = [{c.group for c in part} for part in parts.values()]
        assert sum(map(len, groups)) == 10
        assert all(parts.values())
    assert tested == Counter(c.path for c in clips)
    for folds, fold in ((2, 0), (5, 5)):
        with pytest.raises(ValueError, match=f'--folds {folds} --fold {fold}'):
            split_fold(clips, folds, fold)


def test_every_one_of_several_labels_is_in_proportion():
    labels = [('a', 'b'), ('a', 'c'), ('b',), ()]
    clips = [Clip(str(i), labels[i % 4]) for i in range(80)]
    parts = split_clips(clips, (0.5, 0.5))
    for name in 'abc':
        few, many = (sum(name in c.labels for c in part) for part in parts)
        assert few == pytest.approx(many, abs=2)
