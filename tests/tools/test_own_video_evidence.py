"""The measurements behind groups and intervals count what they say."""

import runpy

import numpy as np
import pytest

from mmvidadapt.apis.fit.scenes import similarity
from mmvidadapt.datasets.prepare.video_folders import Clip
from tests.apis.fit.test_scenes import features
from tests.films import encode, film
from tests.golden import ROOT

SCENES = runpy.run_path(str(ROOT / 'tools/evidence/scene_groups.py'))
COVER = runpy.run_path(str(ROOT / 'tools/evidence/interval_coverage.py'))


def test_likeness_is_compared_with_known_groups():
    rooms = [i // 4 for i in range(24)]
    clips = [Clip(str(i), 'ab'[i % 2], f'g{r}') for i, r in enumerate(rooms)]
    row = SCENES['measure'](clips, similarity(features(rooms)))
    assert row[:2] == ['24', '6'] and float(row[2]) > 0.8 > float(row[3])
    assert row[4:] == ['6', '1.00', '1.00', '0 of 15', '100 %']
    # One group that is two rooms, two groups that are one room.
    moved = [c._replace(group='g0') if r == 1 else c
             for c, r in zip(clips, rooms)]  # fmt: skip
    moved[23] = moved[23]._replace(group='g9')
    row = SCENES['measure'](moved, similarity(features(rooms)))
    assert row[4:8] == ['6', '0.92', '0.67', '1 of 15']


def test_a_split_by_clips_praises_what_knows_the_room():
    rng = np.random.default_rng(0)
    rooms = np.repeat(np.arange(12), 4)
    clips = [Clip(str(i), 'ab'[r % 2], str(r)) for i, r in enumerate(rooms)]
    looks = rng.normal(size=(12, 32))[rooms] + rng.normal(size=(48, 32)) / 9
    cells = SCENES['compare_splits'](clips, similarity(looks), looks)
    alone, found, known = (int(cell[:-2]) for cell in cells)
    assert alone > 95 and found == known < 80


def test_frames_are_spread_over_the_video(tmp_path):
    path = encode(tmp_path / 'a.mp4', film(8))
    found = SCENES['read_frames'](path)
    assert found.shape == (3, 4, 112, 112)
    assert (found[:, 0] - found[:, 3]).abs().max() > 0.5


def test_coverage_is_counted():
    ours, plain, width = COVER['measure'](6, 0.8, 0.2, runs=200)
    assert ours >= 0.93 and plain < 0.7 and 0.3 < width < 0.5
    right, groups = COVER['draw'](np.random.default_rng(0), 4, 0.5, 0.0)
    assert right.shape == groups.shape == (120,)
    assert set(groups) == {0, 1, 2, 3} and right.mean() == pytest.approx(
        0.5, abs=0.15
    )
