"""Damaged copies of videos: each is named, none ends a run, none is lost."""

from collections import Counter

import numpy as np
import pytest

from mmvidadapt.datasets.prepare.decode_frames import decode_all
from mmvidadapt.datasets.readers.pyav import PyAVReader
from tests import runs
from tests.damaged import DAMAGES, zeroed
from tests.films import encode, film

SAMPLES = runs.ROOT.parent / 'shared/data/samples'


@pytest.fixture(scope='module')
def sources(tmp_path_factory):
    """Files whose frames fill most of them, as real ones' do."""
    folder = tmp_path_factory.mktemp('sources')
    how = dict(crf='0', preset='ultrafast')
    made = [
        encode(folder / 'a.mp4', film(24), bf='2', **how),
        encode(folder / 'b.mkv', film(24), bf='2', **how),
        encode(folder / 'c.avi', film(24), codec='mpeg4', qscale='1'),
    ]
    real = [SAMPLES / 'demo.mp4', SAMPLES / 'rawvideo_part_0.mp4']
    return made + [path for path in real if path.is_file()]


@pytest.mark.parametrize('kind', DAMAGES)
def test_damage_is_seen_unless_it_changes_no_pixel(kind, sources, tmp_path):
    found = Counter()
    for seed, source in enumerate(sources * 4):
        rng = np.random.default_rng(seed)
        path = tmp_path / f'{seed}{source.suffix}'
        path.write_bytes(DAMAGES[kind](source.read_bytes(), rng))
        found[outcome(path, source)] += 1
    # MPEG-4 (AVI) has no check sums: what a flipped bit says may be possible.
    assert found['passed'] <= (3 if kind == 'flipped' else 0), found
    assert found['seen'] >= 3 * len(sources)


def outcome(path, source):
    """Compare what is read of a damaged video with the whole one."""
    whole = PyAVReader(str(source))
    indices = np.linspace(0, len(whole) - 1, 6).astype(int)
    try:
        damaged = PyAVReader(str(path))
        if len(damaged) != len(whole):
            damaged.get_frames(range(len(damaged)))
            return 'passed'
        frames = damaged.get_frames(indices)
    except ValueError:
        with pytest.raises(ValueError):
            list(decode_all(path))
        return 'seen'
    same = np.array_equal(frames, whole.get_frames(indices))
    return 'harmless' if same else 'passed'


def test_lost_parts_of_matroska_files_are_seen(tmp_path):
    """FFmpeg goes on behind them, or ends there, without an error."""
    kinds = (
        dict(codec='libvpx-vp9', crf='4', b='0'),
        dict(crf='0', preset='ultrafast', bf='2'),
    )
    path, said = tmp_path / 'lost.mkv', Counter()
    for seed in range(20):
        encode(path, film(40), **kinds[seed % 2])
        damaged = zeroed(path.read_bytes(), np.random.default_rng(seed))
        path.write_bytes(damaged)
        with pytest.raises(ValueError) as error:
            reader = PyAVReader(str(path))
            reader.get_frames(range(len(reader)))
        reason = str(error.value)
        said['goes on'] += 'EBML number' in reason
        said['ends'] += 'nothing is found behind' in reason
    assert said['goes on'] and said['ends']
