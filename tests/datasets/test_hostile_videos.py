"""Files that ask for more than they hold, or for other files."""

import gc
import os
import struct
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from av.stream import Disposition
from mmcv.transforms import Compose

from mmvidadapt.datasets.prepare.check_videos import check_videos
from mmvidadapt.datasets.readers import mp4_header, open_container, open_video
from mmvidadapt.datasets.readers.pyav import PyAVReader
from mmvidadapt.utils.video import CONTAINERS, UnreadableError, VideoError
from tests.films import encode, film
from tests.mp4_boxes import box, edit_list, full_box, replace_box

FRAMES = film(40, width=96, height=64)
CRA = {'x265-params': 'keyint=20:bframes=4:log-level=none'}
CODECS = {
    'libx264': dict(bf='3', g='12'),
    'libx265': dict(codec='libx265', **CRA),
}


@pytest.fixture(scope='module', params=CODECS)
def film_of(request, tmp_path_factory):
    """A film, its time scales, and when its first frame is shown."""
    folder = tmp_path_factory.mktemp(request.param)
    path = encode(folder / 'a.mp4', FRAMES, **CODECS[request.param])
    data = path.read_bytes()
    at = data.index(b'elst') + 16
    start = int.from_bytes(data[at : at + 4], 'big')
    with av.open(str(path)) as container:
        tick = Fraction(1, 10) / container.streams.video[0].time_base
    at = data.index(b'mvhd') + 16
    scale = int.from_bytes(data[at : at + 4], 'big')
    return path, int(tick), scale // 10, start


EDITS = {
    'one': [(3, 20)],
    'its start again': [(10, 0), (10, 0)],
    'backwards': [(5, 30), (5, 18), (5, 3)],
    'behind a joint that decoders stumble over': [(4, 14), (3, 27)],
    'of every frame one': [(1, i) for i in range(7, 20)],
}


@pytest.mark.parametrize('name', EDITS)
def test_joined_parts_are_what_players_show(name, film_of, tmp_path):
    source, tick, scale, start = film_of
    parts = [(n * scale, start + i * tick) for n, i in EDITS[name]]
    path = tmp_path / 'edited.mp4'
    path.write_bytes(edit_list(source.read_bytes(), *parts))
    with av.open(str(path)) as container:
        truth = [f.to_ndarray(format='rgb24') for f in container.decode()]
    assert truth
    reader = PyAVReader(str(path))
    assert len(reader) == len(truth)
    np.testing.assert_array_equal(reader.get_frames(range(len(truth))), truth)
    for i in (0, len(truth) - 1):
        np.testing.assert_array_equal(reader.get_frames([i])[0], truth[i])


def test_an_edit_list_cannot_show_more_than_the_file_holds(film_of, tmp_path):
    source, tick, scale, start = film_of
    path = tmp_path / 'bomb.mp4'
    bomb = edit_list(source.read_bytes(), *[(40 * scale, start)] * 50000)
    path.write_bytes(bomb)
    with pytest.raises(UnreadableError, match='shows 40 frames 50000 times'):
        open_video(str(path))
    at = bomb.index(b'moov') - 4  # FFmpeg finds it in a free box as well
    whole = int.from_bytes(bomb[at : at + 4], 'big')
    hidden = box(b'free', bomb[at : at + whole])
    path.write_bytes(bomb[:at] + hidden + bomb[at + whole :])
    with pytest.raises(UnreadableError, match='shows 40 frames 50000 times'):
        open_video(str(path))


def test_headers_are_not_inflated_without_end(film_of, tmp_path, monkeypatch):
    path, data = tmp_path / 'a.mp4', film_of[0].read_bytes()
    head = data[: data.index(b'moov') - 4]
    deflated = box(b'cmvd', struct.pack('>I', 10**9), bytes(2000))
    method = box(b'dcom', b'zlib')
    path.write_bytes(head + box(b'moov', box(b'cmov', method, deflated)))
    with pytest.raises(UnreadableError, match='2004 bytes becomes 1000000000'):
        open_video(str(path))
    monkeypatch.setattr(mp4_header, 'MOST_BOXES', 100)
    path.write_bytes(box(b'free') * 101 + data)
    with pytest.raises(UnreadableError, match='more than 100 boxes'):
        open_video(str(path))


@pytest.mark.parametrize('backend', ['pyav', 'decord'])
def test_samples_that_are_not_there(film_of, backend, tmp_path):
    """A billion of one byte, in one chunk, as long as one another."""
    data = film_of[0].read_bytes()
    data = replace_box(data, 'stsz', full_box(b'stsz', 1, 10**9))
    data = replace_box(data, 'stsc', full_box(b'stsc', 1, 1, 10**9, 1))
    data = replace_box(data, 'stts', full_box(b'stts', 1, 10**9, 1))
    (tmp_path / 'a.mp4').write_bytes(data)
    with pytest.raises(UnreadableError, match='it ends after 0 of 1000000000'):
        open_video(str(tmp_path / 'a.mp4'), backend)


def test_frames_too_large_for_any_memory(tmp_path):
    path = encode(tmp_path / 'a.gif', FRAMES[:2], 'rgb8', 'gif')
    data = bytearray(path.read_bytes())
    data[6:10] = struct.pack('<HH', 16000, 16000)
    path.write_bytes(data)
    with pytest.raises(UnreadableError):
        open_video(str(path)).get_frames([0])


def test_what_a_file_refers_to_is_not_opened(tmp_path, monkeypatch):
    """Not even by a demuxer that is let in by mistake."""
    encode(tmp_path / 'a.mp4', FRAMES[:5])
    listing = tmp_path / 'list.mp4'
    listing.write_text("ffconcat version 1.0\nfile 'a.mp4'\n")
    monkeypatch.setattr(
        open_container, 'CONTAINERS', dict(CONTAINERS, concat='')
    )
    for file in (str(listing), BytesIO(listing.read_bytes())):
        with pytest.raises(UnreadableError, match='no video in it'):
            open_video(file)
    with pytest.raises(UnreadableError, match="a.mp4', which is not opened"):
        open_container._refuse('a.mp4', 0, {})


def test_pictures_in_the_boxes_of_a_video(film_of, tmp_path):
    data = bytearray(film_of[0].read_bytes())
    for brand in (b'avif', b'heic'):
        data[8:12] = brand
        (tmp_path / 'a.mp4').write_bytes(data)
        with pytest.raises(UnreadableError, match='but a picture'):
            open_video(str(tmp_path / 'a.mp4'))


def test_a_cover_that_is_marked_as_the_default():
    """FFmpeg thinks that it is the best."""
    kinds = (
        open_container.COVER | open_container.DEFAULT,
        Disposition(0),
        open_container.DEFAULT,
    )
    videos = [
        SimpleNamespace(index=i, disposition=k, discard=0)
        for i, k in enumerate(kinds)
    ]
    for shown, chosen in ((videos, 2), (videos[:2], 1)):

        class Streams(list):
            video = shown

            def best(self, kind):
                return self.video[0]

        container = SimpleNamespace(streams=Streams(shown))
        assert open_container.find_stream(container).index == chosen


@pytest.mark.parametrize('storage', ['disk', 'local'])
def test_pipelines_do_not_wait_for_pipes(storage, tmp_path):
    os.mkfifo(tmp_path / 'pipe.mp4')
    init = Compose([dict(type='VideoInit', io_backend=storage)])
    with pytest.raises(VideoError, match='pipe.mp4 cannot be read.*a pipe'):
        init(dict(filename=str(tmp_path / 'pipe.mp4')))
    _, bad = check_videos(tmp_path, ['pipe.mp4', 'none.mp4'], num_workers=1)
    assert bad == {
        'pipe.mp4': 'it is a pipe, not a file.',
        'none.mp4': 'there is no such file.',
    }


def test_decord_is_not_trusted_with_trimmed_clips(film_of, tmp_path):
    source, tick, scale, start = film_of
    part = (9 * scale, start + 5 * tick)
    (tmp_path / 'a.mp4').write_bytes(edit_list(source.read_bytes(), part))
    assert len(open_video(str(tmp_path / 'a.mp4'))) == 9
    with pytest.raises(UnreadableError, match="trims it.*backend='auto'"):
        open_video(str(tmp_path / 'a.mp4'), 'decord')


def test_readers_leave_no_file_open(film_of):
    folder = Path('/proc/self/fd')
    if not folder.is_dir():
        pytest.skip('open files are counted in /proc')
    gc.collect()
    before = len(list(folder.iterdir()))
    for _ in range(5):
        reader = PyAVReader(str(film_of[0]))
        reader.get_frames([30])
        del reader
    gc.collect()
    assert len(list(folder.iterdir())) == before
