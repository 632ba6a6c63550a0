"""Opening and decoding with a choice of decoders."""

import gc
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from mmcv.transforms import Compose

from mmvidadapt.utils.video import VideoError
from tests.films import encode, film
from tests.trained import damage

BACKENDS = ('pyav', 'decord', 'auto')
DECODE = [dict(type='VideoDecode')]


@pytest.fixture(scope='module')
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp('video') / 'clip.mp4'
    return str(encode(path, film(40), bf='3'))


def steps(*decoding, **sampling):
    init, decode = decoding
    how = dict(clip_len=4, frame_interval=4, num_clips=3, test_mode=True)
    return Compose(
        [
            init,
            dict(type='MidpointSampleFrames', **dict(how, **sampling)),
            decode,
            dict(type='Resize', scale=(-1, 32)),
            dict(type='Flip', flip_ratio=1),
            dict(type='FormatShape', input_format='NCTHW'),
            dict(type='PackActionInputs'),
        ]
    )


def run(pipeline, path):
    sample = dict(filename=path, label=1, start_index=0, modality='RGB')
    return pipeline(sample)['inputs'].numpy()


@pytest.mark.parametrize('backend', BACKENDS)
@pytest.mark.parametrize('span', [4, 20])  # 20: the video is looped
def test_clips_are_those_of_the_stock_steps(video, backend, span):
    sampling = dict(frame_interval=span)
    stock = [dict(type='DecordInit'), dict(type='DecordDecode')]
    stock = steps(*stock, **sampling)
    own = steps(dict(type='VideoInit', backend=backend), *DECODE, **sampling)
    np.testing.assert_array_equal(run(own, video), run(stock, video))


@pytest.mark.parametrize('backend', BACKENDS)
def test_videos_come_from_any_storage_and_without_extension(
    video, backend, tmp_path
):
    init = dict(type='VideoInit', backend=backend)
    expected = run(steps(init, *DECODE), video)
    stored = steps(dict(init, io_backend='local'), *DECODE)
    np.testing.assert_array_equal(run(stored, video), expected)
    bare = video[: -len('.mp4')]
    np.testing.assert_array_equal(run(steps(init, *DECODE), bare), expected)


@pytest.mark.parametrize('backend', BACKENDS)
def test_what_is_missing_or_damaged_is_named(video, backend, tmp_path):
    pipeline = steps(dict(type='VideoInit', backend=backend), *DECODE)
    missing = str(tmp_path / 'none.mp4')
    with pytest.raises(FileNotFoundError, match=missing):
        run(pipeline, missing)
    cut = tmp_path / 'cut.mp4'
    cut.write_bytes(Path(video).read_bytes()[:500])
    with pytest.raises(VideoError, match=f'^{cut} cannot be read'):
        run(pipeline, str(cut))
    late = shutil.copy(video, tmp_path / 'late.mp4')
    damage(late)
    with pytest.raises(VideoError, match=f'^{late} cannot be read'):
        run(pipeline, str(late))
    unsampled = Compose([dict(type='VideoInit', backend=backend), *DECODE])
    with pytest.raises(KeyError, match='frame_inds'):  # no fault of a file
        unsampled(dict(filename=video))


def test_the_default_is_auto_and_wrong_names_raise():
    assert "backend='auto'" in repr(steps(dict(type='VideoInit'), *DECODE))
    with pytest.raises(ValueError, match="backend='opencv'"):
        steps(dict(type='VideoInit', backend='opencv'), *DECODE)
    with pytest.raises(TypeError, match='mode'):
        steps(dict(type='VideoInit'), dict(type='VideoDecode', mode='fast'))


@pytest.mark.parametrize(
    'decoding',
    [('VideoInit', 'VideoDecode'), ('NamedDecordInit', 'NamedDecordDecode')],
)
def test_nothing_needs_decord_but_its_name(video, decoding, monkeypatch):
    expected = run(steps(dict(type='VideoInit'), *DECODE), video)
    monkeypatch.setitem(sys.modules, 'decord', None)
    pipeline = steps(*(dict(type=name) for name in decoding))
    np.testing.assert_array_equal(run(pipeline, video), expected)
    with pytest.raises(ImportError, match='decord'):
        steps(dict(type='VideoInit', backend='decord'), *DECODE)


def resident():
    """Return the resident memory of this process in MiB."""
    return int(Path('/proc/self/statm').read_text().split()[1]) * 4096 / 2**20


def test_no_memory_is_lost(tmp_path):
    """A frame of every clip would be 20 MiB, all frames 240 MiB."""
    if not Path('/proc/self/statm').is_file():
        pytest.skip('resident memory is read from /proc')
    path = encode(tmp_path / 'clip.mp4', film(12, 160, 120), bf='3')
    damaged = tmp_path / 'damaged.mp4'
    shutil.copy(path, damaged)
    damage(damaged)
    pipeline = Compose([dict(type='VideoInit', backend='pyav'), *DECODE])
    marks = []
    for number in range(600):
        assert len(pipeline(clip(path))['imgs']) == 12
        if number % 10 == 0:
            with pytest.raises(VideoError):
                pipeline(clip(damaged))
        if number in (200, 599):
            gc.collect()
            marks.append(resident())
    assert marks[1] - marks[0] < 15


def clip(path):
    return dict(filename=str(path), frame_inds=np.arange(12))
