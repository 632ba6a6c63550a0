"""What players show is read: streams, trims, mirrors; what is no video, not.

Every file is made here, by PyAV or byte by byte.
"""

import gc
import os
from contextlib import nullcontext
from fractions import Fraction
from io import BytesIO

import av
import numpy as np
import pytest
from mmcv.transforms import Compose

from mmvidadapt.datasets.prepare.check_videos import check_video
from mmvidadapt.datasets.prepare.decode_frames import decode_all
from mmvidadapt.datasets.prepare.transcode import transcode
from mmvidadapt.datasets.prepare.transcode_source import (
    Settings,
    TranscodeSource,
)
from mmvidadapt.datasets.prepare.video_folders import read_folder
from mmvidadapt.datasets.readers import open_video
from mmvidadapt.datasets.readers.orientation import Upright
from mmvidadapt.datasets.readers.packets import Packets
from mmvidadapt.datasets.readers.pyav import PyAVReader
from mmvidadapt.utils.process_pool import map_in_processes
from mmvidadapt.utils.video import EXTENSIONS, VideoError
from tests.films import encode, film
from tests.mp4_boxes import turn

from .test_transcode import SAME, alike

FRAMES = film(40, width=96, height=64)
SMALL = film(40, width=64, height=48)
BACKENDS = ('pyav', 'decord')
MIRRORS = {  # (a, b, c, d) of the matrix -> what a player shows
    (1, 0, 0, 1): lambda f: f,
    (-1, 0, 0, -1): lambda f: np.rot90(f, 2),
    (0, 1, -1, 0): lambda f: np.rot90(f, 3),
    (0, -1, 1, 0): np.rot90,
    (-1, 0, 0, 1): np.fliplr,
    (1, 0, 0, -1): np.flipud,
    (0, 1, 1, 0): lambda f: f.swapaxes(0, 1),
    (0, -1, -1, 0): lambda f: np.rot90(f, 2).swapaxes(0, 1),
}


def open_step(path, backend='auto'):
    """Open a video as a pipeline does."""
    step = Compose([dict(type='VideoInit', backend=backend)])
    return step(dict(filename=str(path)))['video_reader']


def add_stream(container, size, codec='libx264', pix_fmt='yuv420p'):
    stream = container.add_stream(codec, rate=10)
    stream.width, stream.height = size
    stream.pix_fmt = pix_fmt
    return stream


def put(container, stream, frames):
    for frame in frames:
        image = av.VideoFrame.from_ndarray(frame, format='rgb24')
        container.mux(stream.encode(image))
    container.mux(stream.encode(None))


def with_cover(path, frames=FRAMES):
    """Write an MP4 whose first stream is a picture that goes with it."""
    with av.open(str(path), 'w') as container:
        cover = add_stream(container, (32, 32), 'png', 'rgb24')
        cover.disposition = av.stream.Disposition.attached_pic.value
        if frames:
            other = add_stream(container, (96, 64))
        else:
            other = container.add_stream('aac', rate=44100)
        put(container, cover, [np.zeros((32, 32, 3), np.uint8)])
        if frames:
            put(container, other, frames)
        else:
            quiet = av.AudioFrame.from_ndarray(
                np.zeros((1, 1024), np.float32), 'fltp', 'mono'
            )
            quiet.sample_rate = 44100
            container.mux(other.encode(quiet))
            container.mux(other.encode(None))
    return path


def test_a_cover_is_no_video(tmp_path):
    path = with_cover(tmp_path / 'a.mp4')
    assert len(open_step(path)) == 40
    assert check_video(str(path))[:3] == (40, 96, 64)
    assert transcode(path, tmp_path / 'b.mp4', SAME).frames == 40
    assert alike(path, tmp_path / 'b.mp4')
    with pytest.raises(VideoError, match="choose backend='auto'"):
        open_step(path, 'decord')


def test_a_song_with_a_cover_is_no_video(tmp_path):
    path = with_cover(tmp_path / 'song.mp4', [])
    for look in (open_step, lambda p: check_video(str(p))):
        with pytest.raises(VideoError, match='no video in it but a cover'):
            look(path)
    with pytest.raises(ValueError, match='but a cover'):
        transcode(path, tmp_path / 'b.mp4', SAME)
    assert not (tmp_path / 'b.mp4').exists()


@pytest.mark.parametrize('best', [0, 1])
def test_of_several_videos_the_best_is_read(best, tmp_path):
    """FFmpeg prefers the one that is marked as the default."""
    path = tmp_path / 'two.mkv'
    with av.open(str(path), 'w') as container:
        streams = [add_stream(container, s) for s in ((64, 48), (96, 64))]
        for number, stream in enumerate(streams):
            stream.disposition = int(number == best)
        for stream, frames in zip(streams, (SMALL, FRAMES)):
            put(container, stream, frames)
    size = ((64, 48), (96, 64))[best]
    with av.open(str(path)) as container:
        assert container.streams.best('video').index == best
    frame = PyAVReader(str(path)).get_frames([7])[0]
    assert frame.shape[1::-1] == size
    assert check_video(str(path))[:3] == (40, *size)
    assert next(decode_all(path)).width == size[0]
    copy = transcode(path, tmp_path / 'b.mp4', SAME)
    assert (copy.frames, copy.width) == (40, size[0])


def trim(path, first, target, entry):
    """Cut without encoding, as phones do: an edit list from a frame on.

    Everything is there, and the list says what is shown.
    """
    data = bytearray(path.read_bytes())
    at = data.index(b'elst')
    assert int.from_bytes(data[at + 8 : at + 12], 'big') == 1
    start = int.from_bytes(data[at + 16 : at + 20], 'big')
    data[at + 16 : at + 20] = (start + first * entry).to_bytes(4, 'big')
    length = int.from_bytes(data[at + 12 : at + 16], 'big')
    with av.open(str(path)) as container:
        count = container.streams.video[0].frames
    left = length * (count - first) // count
    data[at + 12 : at + 16] = left.to_bytes(4, 'big')
    target.write_bytes(data)
    return target


@pytest.mark.parametrize('first', [1, 5, 16, 17, 39])
def test_trimmed_clips_are_what_players_show(first, tmp_path):
    path = encode(tmp_path / 'a.mp4', FRAMES, g='12', bf='3')
    with av.open(str(path)) as container:
        tick = int(Fraction(1, 10) / container.streams.video[0].time_base)
    cut = trim(path, first, tmp_path / 'cut.mp4', tick)
    with av.open(str(cut)) as container:
        truth = [f.to_ndarray(format='rgb24') for f in container.decode()]
    assert len(truth) == 40 - first
    reader = open_step(cut)
    assert len(reader) == len(truth)
    for i in {0, len(truth) // 2, len(truth) - 1}:
        np.testing.assert_array_equal(reader.get_frames([i])[0], truth[i])
    assert check_video(str(cut)).frames == len(truth)
    copy = transcode(cut, tmp_path / 'b.mp4', SAME)
    assert copy.frames == len(truth)


def test_a_trimmed_clip_that_is_cut_off_is_refused(tmp_path):
    path = encode(tmp_path / 'a.mp4', FRAMES, g='12', bf='3')
    cut = trim(path, 16, tmp_path / 'cut.mp4', 1024)
    data = bytearray(cut.read_bytes())
    at = data.index(b'stco') + 12  # the chunk lies behind the end
    data[at : at + 4] = (len(data) - 40).to_bytes(4, 'big')
    cut.write_bytes(data)
    with pytest.raises(VideoError, match='cut.mp4 cannot be read'):
        open_step(cut)


@pytest.mark.parametrize('matrix', MIRRORS, ids=str)
def test_all_eight_orientations(matrix, tmp_path):
    path = encode(tmp_path / 'a.mp4', FRAMES[:9])
    plain = PyAVReader(str(path)).get_frames([0, 8])
    turned = turn(path, matrix, tmp_path / 'turned.mp4')
    shown = [MIRRORS[matrix](frame) for frame in plain]
    for ours, truth in zip(open_step(turned).get_frames([0, 8]), shown):
        np.testing.assert_array_equal(ours, truth)
    height, width = shown[0].shape[:2]
    assert check_video(str(turned))[:3] == (9, width, height)
    copy = transcode(turned, tmp_path / 'b.mp4', SAME._replace(crf=1))
    assert (copy.width, copy.height) == (width, height)
    frame = next(decode_all(tmp_path / 'b.mp4'))
    assert frame.rotation == 0
    frame = Upright()(frame).astype(float)
    assert np.abs(frame - shown[0]).mean() < 4
    mirrored = np.linalg.det(np.reshape(matrix, (2, 2))) < 0
    refused = pytest.raises(VideoError, match="choose backend='auto'")
    with refused if mirrored else nullcontext():
        open_step(turned, 'decord')


PLAYLISTS = {
    'list.mp4': "ffconcat version 1.0\nfile 'a.mp4'\n",
    'live.ts': (
        '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.mp4\n#EXT-X-ENDLIST\n'
    ),
    'stream.mp4': 'v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n',
    'dash.mp4': '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:'
    '2011"><Period><BaseURL>a.mp4</BaseURL></Period></MPD>',
    'subtitle.mp4': 'WEBVTT\n\n00:00.000 --> 00:01.000\nno video\n',
}


@pytest.mark.parametrize('backend', BACKENDS)
@pytest.mark.parametrize('name', PLAYLISTS)
def test_lists_of_other_files_are_no_videos(name, backend, tmp_path):
    encode(tmp_path / 'a.mp4', FRAMES[:5])
    (tmp_path / name).write_text(PLAYLISTS[name])
    with pytest.raises(VideoError, match=f'{name} cannot be read.*no video'):
        open_step(tmp_path / name, backend)
    with pytest.raises(ValueError, match='no video'):
        open_video(BytesIO((tmp_path / name).read_bytes()), backend)
    for look in (check_video, lambda p: transcode(p, f'{p}.mp4', SAME)):
        with pytest.raises(ValueError, match='no video'):
            look(str(tmp_path / name))


@pytest.mark.parametrize('backend', BACKENDS)
def test_pipes_devices_and_folders_are_not_waited_for(backend, tmp_path):
    os.mkfifo(tmp_path / 'pipe.mp4')
    (tmp_path / 'folder.mp4').mkdir()
    for name, kind in (('pipe', 'a pipe'), ('folder', 'a folder')):
        with pytest.raises(ValueError, match=f'it is {kind}, not a file'):
            open_video(str(tmp_path / f'{name}.mp4'), backend)
    with pytest.raises(ValueError, match='it is a device'):
        open_video('/dev/zero', backend)


def test_a_name_with_a_colon_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    encode(tmp_path / '12:30:05.mp4', FRAMES[:5])
    for backend in BACKENDS:
        assert len(open_step('12:30:05.mp4', backend)) == 5
    assert check_video('12:30:05.mp4').frames == 5
    assert transcode('12:30:05.mp4', 'http:a.mp4', SAME).frames == 5


def test_mistakes_are_not_reported_as_damaged_files(tmp_path, monkeypatch):
    path = encode(tmp_path / 'a.mp4', FRAMES[:5])

    def changed(*args, **options):
        raise TypeError("open() got an unexpected keyword argument 'options'")

    monkeypatch.setattr(av, 'open', changed)
    for look in (open_step, lambda p: check_video(str(p))):
        with pytest.raises(TypeError, match='unexpected keyword'):
            look(path)
    with pytest.raises(TypeError, match='In a worker:(.|\n)*changed'):
        list(map_in_processes(check_video, [str(path)], 1))


def test_what_is_read_is_not_kept(tmp_path):
    """A file of 30 MB, read at its ends: its packets are not in memory."""
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (360, 640, 3), np.uint8) for _ in range(12)]
    path = encode(tmp_path / 'a.avi', noise * 4, codec='rawvideo')
    assert path.stat().st_size > 15e6
    reader = PyAVReader(str(path))
    assert len(reader) == len(reader.packets) == 48
    kept = vars(reader.packets).values()
    assert not any(isinstance(value, (av.Packet, list)) for value in kept)
    arrays = [value for value in kept if hasattr(value, 'itemsize')]
    assert sum(a.itemsize * len(a) for a in arrays) <= 48 * 40


def test_no_frame_waits_for_the_garbage_collector(tmp_path):
    """Nor do its threads, which a process that is forked does not have."""
    path = encode(tmp_path / 'a.mp4', FRAMES)
    gc.collect()
    gc.disable()
    try:
        assert len(PyAVReader(str(path)).get_frames(range(40))) == 40
        assert len(list(TranscodeSource(path, SAME).frames())) == 40
        frames = [o for o in gc.get_objects() if isinstance(o, av.VideoFrame)]
    finally:
        gc.enable()
    assert len(frames) < 10  # those that were asked how they are turned


def test_a_seek_that_misses_costs_time_only(tmp_path, monkeypatch):
    path = encode(tmp_path / 'a.mp4', FRAMES, g='10', bf='0')
    truth = PyAVReader(str(path)).get_frames([35])[0]
    opened, skip = [], Packets._skip
    note = lambda *args: opened.append(args) or skip(*args)  # noqa: E731
    monkeypatch.setattr(Packets, '_skip', note)
    reader = PyAVReader(str(path))
    np.testing.assert_array_equal(reader.get_frames([35])[0], truth)
    assert not opened  # by a seek alone
    monkeypatch.setattr(Packets, '_is', lambda *a: len(opened) > 0)
    np.testing.assert_array_equal(reader.get_frames([35])[0], truth)
    assert opened


def test_copies_are_the_same_bytes_every_time(tmp_path):
    """Whatever was in memory before: x264's code for AVX-512 reads it."""
    frames = film(24, width=176, height=132)
    path = encode(tmp_path / 'a.mp4', frames, bf='3')
    settings = Settings(short_side=132, encoder='pyav')
    rng, copies = np.random.default_rng(0), set()
    for number in range(10):
        sizes = rng.integers(1, 200000, 200)
        dirt = [bytes([20 * number + 5]) * int(size) for size in sizes]
        del dirt
        transcode(path, tmp_path / 'b.mp4', settings)
        copies.add((tmp_path / 'b.mp4').read_bytes())
    assert len(copies) == 1


def test_what_can_be_read_is_looked_for(tmp_path):
    kinds = dict(gif='gif', ogv='libtheora', y4m='wrapped_avframe')
    kinds.update(dict.fromkeys(('m2ts', 'MTS', 'h264'), 'libx264'))
    kinds.update(mxf='mpeg2video', vob='mpeg2video', mpg='mpeg1video')
    made = []
    for ending, codec in kinds.items():
        path = tmp_path / f'wave/a.{ending}'
        pix_fmt = 'rgb8' if ending == 'gif' else 'yuv420p'
        try:
            encode(path, film(12), pix_fmt, codec, rate=25)
        except (ValueError, av.error.FFmpegError):  # not built into FFmpeg
            path.unlink(missing_ok=True)
            continue
        made.append(path)
        assert len(PyAVReader(str(path))) == 12, ending
        assert path.suffix.lower() in EXTENSIONS
    assert len(made) > 5
    (tmp_path / 'wave/notes.txt').write_text('no video')
    (tmp_path / 'wave/b.jpg').write_bytes(b'no video')
    source = read_folder(tmp_path)
    assert {c.path for c in source.clips} == {f'wave/{p.name}' for p in made}
    assert '2 files are left out' in source.notes[-1]
    assert '.jpg: 1' in source.notes[-1]
