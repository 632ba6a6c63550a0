"""The rendered clips: real videos, two labels, and no leak of the order."""

import sys
from collections import Counter

import cv2
import decord
import numpy as np
import pytest

from mmvidadapt.datasets import motion_clips
from mmvidadapt.datasets.motion_clips import render_motion_clips
from mmvidadapt.datasets.motion_scenes import (
    APPEARANCES,
    MOTIONS,
    PAIRS,
    film_scene,
    partner,
)
from mmvidadapt.datasets.transforms import MidpointUniformSample

SMALL = dict(num_train=20, num_val=10, seed=3, side=64)
LEFT, UP, CLOCKWISE, APPROACH, OPEN = range(len(PAIRS))
SEEDS = range(8)


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return render_motion_clips(tmp_path_factory.mktemp('clips'), **SMALL)


def read(path):
    reader = decord.VideoReader(str(path))
    return reader.get_batch(range(len(reader))).asnumpy().astype(float)


def listed(root, name):
    lines = (root / f'{name}.txt').read_text().splitlines()
    return [(path, int(label)) for path, label in map(str.split, lines)]


def contents(root):
    return {p.name: p.read_bytes() for p in (root / 'videos').iterdir()}


def film(pair, seed, appearance=0):
    rng = np.random.default_rng(seed)
    return film_scene(appearance, pair, rng, num_frames=9, side=96)


def parts(frame):
    """Coordinates (y, x) of the warm and of the cool pixels."""
    hue, saturation, value = cv2.split(cv2.cvtColor(frame, cv2.COLOR_RGB2HSV))
    bright = (saturation > 120) & (value > 150)
    cool = (hue > 80) & (hue < 140)
    return np.argwhere(bright & ~cool), np.argwhere(bright & cool)


def shape_of(frame):
    """Centre (y, x), area and spread of the token."""
    points = np.concatenate(parts(frame))
    return points.mean(0), len(points), points.std(0).sum()


def test_every_clip_is_a_whole_video(root):
    for split, count in (('train', 20), ('val', 10)):
        clips = listed(root, f'motion_{split}')
        assert len({path for path, _ in clips}) == count
        for path, _ in clips:
            assert read(root / path).shape == (16, 64, 64, 3)


def test_labels_are_balanced_and_agree_with_the_names(root):
    for split, each in (('train', 2), ('val', 1)):
        motion = listed(root, f'motion_{split}')
        appearance = listed(root, f'appearance_{split}')
        counts = Counter(label for _, label in motion)
        assert counts == dict.fromkeys(range(10), each)
        assert [p for p, _ in motion] == [p for p, _ in appearance]
        for path, label in motion:
            assert path.endswith(f'_{MOTIONS[label]}.mp4')
    classes = (root / 'motion_classes.txt').read_text().splitlines()
    assert classes == list(MOTIONS)
    classes = (root / 'appearance_classes.txt').read_text().splitlines()
    assert classes == list(APPEARANCES)


def test_a_full_set_is_balanced_in_both_labels(root):
    clips = list(motion_clips._plan('train', 120))
    pairs = Counter((c.appearance, c.motion) for c in clips)
    assert set(pairs.values()) == {2} and len(pairs) == 60


def test_partners_are_time_reversals(root, monkeypatch):
    films, states = {}, []

    def keep(path, frames, fps):
        films[path.name] = frames
        path.touch()

    def noted(appearance, motion, rng, *sizes):
        states.append(rng.bit_generator.state['state']['state'])
        return film_scene(appearance, motion, rng, *sizes)

    monkeypatch.setattr(motion_clips, 'write_video', keep)
    monkeypatch.setattr(motion_clips, 'film_scene', noted)
    render_motion_clips(root.parent / 'films', **SMALL)
    assert len(set(states)) == len(states) == 15  # no two scenes alike
    clips = listed(root, 'motion_train')
    names = ['.part-' + path.split('/')[1] for path, _ in clips]
    for a, b in zip(names[::2], names[1::2]):
        assert np.array_equal(films[a][::-1], films[b])
        assert not np.array_equal(films[a], films[b])
    for (path, label), (_, other) in zip(clips[::2], clips[1::2]):
        assert partner(label) == other and partner(other) == label, path


def test_encoding_keeps_partners_reversals(root):
    clips = [path for path, _ in listed(root, 'motion_val')]
    for a, b in zip(clips[::2], clips[1::2]):
        forwards, backwards = read(root / a), read(root / b)
        same = np.abs(forwards - backwards[::-1]).mean((1, 2, 3))
        assert same.max() < 5  # of 255: what the codec loses
        assert np.abs(forwards - backwards).mean() > 1.2 * same.mean()


def test_test_frames_are_the_same_forwards_and_backwards():
    sample = MidpointUniformSample(clip_len=8, test_mode=True)
    inds = sample._get_sample_clips(16)
    assert sorted(15 - inds) == list(inds)


@pytest.mark.parametrize('seed', SEEDS)
def test_motions_are_what_they_are_called(seed):
    (left, up), (turn,), (near,), (opened,) = (
        [[shape_of(f) for f in film(pair, seed)] for pair in pairs]
        for pairs in ((LEFT, UP), (CLOCKWISE,), (APPROACH,), (OPEN,))
    )
    assert all(a[0][1] > b[0][1] for a, b in zip(left, left[1:]))
    assert all(a[0][0] > b[0][0] for a, b in zip(up, up[1:]))
    assert all(a[1] < b[1] for a, b in zip(near, near[1:]))
    assert all(a[2] < b[2] for a, b in zip(opened, opened[1:]))
    centres = np.array([centre for centre, _, _ in turn])[:, ::-1]  # (x, y)
    dx, dy = np.diff(centres, axis=0).T
    # y points down, so a turn to the right is positive.
    assert (dx[:-1] * dy[1:] - dy[:-1] * dx[1:] > 0).all()


@pytest.mark.parametrize('pair', [LEFT, UP, CLOCKWISE])
def test_the_token_stays_inside_the_frame(pair):
    for seed in SEEDS:
        areas = [shape_of(frame)[1] for frame in film(pair, seed)]
        assert min(areas) > 0.9 * max(areas)


@pytest.mark.parametrize('appearance', range(len(APPEARANCES)))
def test_one_frame_decides_appearance_but_not_by_colours(appearance):
    # Where the warm half lies, (y, x); the diagonals have no such side.
    side = ((-1, 0), (1, 0), (0, -1), (0, 1), (0, 0), (0, 0))[appearance]
    for seed in SEEDS:
        warm, cool = parts(film(APPROACH, seed, appearance)[-1])
        assert 0.8 < len(warm) / len(cool) < 1.25
        shift = (warm.mean(0) - cool.mean(0)) / len(warm) ** 0.5
        assert np.allclose(shift, 0.68 * np.array(side), atol=0.2)
        if side == (0, 0):
            centre = np.concatenate([warm, cool]).mean(0)
            falling = np.sign(np.prod(warm - centre, 1)).mean()
            assert abs(falling - (1 if appearance == 4 else -1)) < 0.5


def test_the_seed_decides_everything(root, tmp_path):
    again = render_motion_clips(tmp_path / 'a', **SMALL)
    assert contents(again) == contents(root)
    other = render_motion_clips(tmp_path / 'b', **dict(SMALL, seed=4))
    assert not set(contents(other).values()) & set(contents(root).values())


def test_an_interrupted_render_goes_on(root, tmp_path, monkeypatch):
    written = []

    def write(path, frames, fps):
        if len(written) == 7:
            path.write_bytes(b'half a file')
            raise KeyboardInterrupt
        written.append(path)
        write_video(path, frames, fps)

    write_video = motion_clips.write_video
    monkeypatch.setattr(motion_clips, 'write_video', write)
    with pytest.raises(KeyboardInterrupt):
        render_motion_clips(tmp_path, **SMALL)
    monkeypatch.setattr(motion_clips, 'write_video', write_video)
    whole = sorted((tmp_path / 'videos').glob('train*'))[:6]
    before = [path.stat().st_mtime_ns for path in whole]
    render_motion_clips(tmp_path, **SMALL)
    assert contents(tmp_path) == contents(root)
    assert [path.stat().st_mtime_ns for path in whole] == before


def test_a_complete_set_returns_at_once(root, monkeypatch):
    monkeypatch.setattr(motion_clips, 'film_scene', None)
    assert render_motion_clips(root, **SMALL) == root


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(seed=5), 'holds clips of other settings.*another folder'),
        (dict(num_train=15), 'num_train=15: give a positive multiple of 10'),
        (dict(num_val=0), 'num_val=0'),
        (dict(num_frames=1), 'num_frames=1: motion takes two'),
        (dict(side=63), 'side=63: MPEG-4 takes even sides'),
    ],
)
def test_impossible_settings_are_named(root, change, message):
    with pytest.raises(ValueError, match=message):
        render_motion_clips(root, **dict(SMALL, **change))


def test_command_line(root, monkeypatch, capsys):
    options = [f'--{k.replace("_", "-")}={v}' for k, v in SMALL.items()]
    monkeypatch.setattr(sys, 'argv', ['motion_clips', str(root), *options])
    motion_clips.main()
    assert '30 clips' in capsys.readouterr().out
    monkeypatch.setattr(sys, 'argv', ['motion_clips', str(root)])
    with pytest.raises(SystemExit):
        motion_clips.main()
    assert 'Choose another folder' in capsys.readouterr().err
