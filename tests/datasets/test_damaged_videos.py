"""Damaged copies of videos: each is named, none ends a run, none is lost."""

from collections import Counter

import numpy as np
import pytest
from mmengine.runner import Runner

from mmvidadapt.datasets.readers.pyav import PyAVReader
from tests import runs
from tests.damaged import DAMAGES, write_damaged, zeroed
from tests.films import encode, film

SAMPLES = runs.ROOT.parent / 'shared/data/samples'
WORKERS = 2


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


@pytest.fixture
def listed(sources, tmp_path):
    """A list with as many whole as damaged videos."""
    count = 3 * len(DAMAGES)
    damaged = write_damaged(sources[:1], tmp_path / 'videos', count)
    lines = [f'{path.name} 1' for path, _ in damaged]
    for i in range(count):
        whole = tmp_path / 'videos' / f'whole_{i}.mp4'
        whole.write_bytes(sources[0].read_bytes())
        lines.append(f'{whole.name} {i % 4}')
    listing = tmp_path / 'videos/list.txt'
    listing.write_text('\n'.join(lines))
    return listing, [str(path) for path, _ in damaged]


def loader(listing, random, **dataset):
    described = runs.loader(listing, random, WORKERS, 4)
    described['dataset'].update(type='CheckedVideoDataset', **dataset)
    steps = described['dataset']['pipeline']
    steps[0] = dict(type='VideoInit', backend='auto')
    steps[2] = dict(type='VideoDecode')
    return Runner.build_dataloader(described, seed=0)


def test_training_with_workers_goes_on_without_them(listed):
    listing, damaged = listed
    batches = loader(listing, random=True, max_bad_ratio=0.5)
    for _ in range(2):
        seen = [s.filename for b in batches for s in b['data_samples']]
        assert len(seen) == len(batches.dataset) == 2 * len(damaged)
        assert not set(seen) & set(damaged)
    assert batches.dataset.ledger.count() == len(damaged)


def test_evaluation_with_workers_keeps_and_marks_them(listed):
    listing, damaged = listed
    samples = [
        s for b in loader(listing, random=False) for s in b['data_samples']
    ]
    assert len(samples) == 2 * len(damaged)
    marked = {s.filename: s for s in samples if 'reason' in s.metainfo}
    assert set(marked) == set(damaged)
    for path, sample in marked.items():
        assert sample.reason.startswith(f'{path} cannot be read as a video')
        assert sample.gt_label.tolist() == [1]
