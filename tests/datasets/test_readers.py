"""Every frame is the one that a plain pass over the video gives."""

from fractions import Fraction

import av
import numpy as np
import pytest

from mmvidadapt.datasets.readers import find_reader, open_video
from mmvidadapt.datasets.readers.pyav import PyAVReader
from tests import runs
from tests.films import encode, film
from tests.mp4_boxes import turn

SAMPLES = runs.ROOT.parent / 'shared/data/samples'
# As paths, which no folder is put in front of.
REAL = [pytest.param(p, id=p.name) for p in sorted(SAMPLES.glob('*'))]
FRAMES = film(40, width=96, height=64)
X264 = 'x264-params'
# Name of the file -> how it is encoded.
KINDS = {
    'groups.mp4': dict(g='12', bf='3'),
    'pyramid.mp4': {'bf': '8', 'b-pyramid': 'normal', 'b-adapt': '0'},
    'open.mp4': {X264: 'open-gop=1:keyint=10:bframes=5:b-adapt=0'},
    'open.mkv': {X264: 'open-gop=1:keyint=10:bframes=5:b-adapt=0'},
    'refresh.mp4': {X264: 'intra-refresh=1:keyint=10'},
    'plain.mp4': dict(bf='0', g='10'),
    'groups.mkv': dict(g='12', bf='3'),
    'groups.ts': dict(g='12', bf='3'),
    'groups.flv': dict(g='12', bf='3'),
    'order.avi': dict(codec='mpeg4', bf='2', g='10'),
    'no_order.avi': dict(codec='mpeg4', g='10'),
    'h264.avi': dict(bf='3', g='12'),
    'intra.avi': dict(codec='mjpeg', pix_fmt='yuvj420p'),
    'mpeg4.mp4': dict(codec='mpeg4', bf='2', g='10'),
    'hevc.mp4': {'codec': 'libx265', 'x265-params': 'keyint=20:bframes=4'},
    'vp9.webm': {'codec': 'libvpx-vp9', 'deadline': 'realtime'},
    'av1.mp4': dict(codec='libsvtav1', preset='12'),
    'odd.mp4': dict(pix_fmt='yuv444p', bf='3'),
    'deep.mp4': dict(pix_fmt='yuv420p10le', bf='3'),
}
AS_DECORD = ('groups.mp4', 'pyramid.mp4', 'plain.mp4', 'groups.mkv')


def write_at_times(path, frames, times):
    """Encode frames that are shown for different times, with B-frames."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=25, options=dict(bf='3'))
        stream.height, stream.width = frames[0].shape[:2]
        stream.codec_context.time_base = Fraction(1, 1000)
        for frame, time in zip(frames, times):
            image = av.VideoFrame.from_ndarray(frame, format='rgb24')
            image.pts, image.time_base = int(time), Fraction(1, 1000)
            container.mux(stream.encode(image))
        container.mux(stream.encode(None))


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('kinds')
    for name, how in KINDS.items():
        frames = [f[:63, :95] for f in FRAMES] if 'odd' in name else FRAMES
        encode(folder / name, frames, **how)
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.integers(10, 90, len(FRAMES)))
    write_at_times(folder / 'varying.mp4', FRAMES, times)
    turn(folder / 'groups.mp4', (0, 1, -1, 0), folder / 'turned.mp4')
    return folder


def all_frames(path):
    """Decode from the first to the last frame, with nothing of ours."""
    with av.open(str(path)) as container:
        frames = [
            f.to_ndarray(format='rgb24') for f in container.decode(video=0)
        ]
    return [np.rot90(f, 3) if 'turned' in path.name else f for f in frames]


def check(path, draws, **how):
    truth, rng = all_frames(path), np.random.default_rng(0)
    for _ in range(draws):
        reader = PyAVReader(str(path), **how)
        assert len(reader) == len(truth)
        indices = rng.integers(0, len(truth), 4)
        for frame, i in zip(reader.get_frames(indices), indices):
            np.testing.assert_array_equal(frame, truth[i])


@pytest.mark.parametrize('name', [*KINDS, 'varying.mp4', 'turned.mp4', *REAL])
def test_any_frames_of_any_kind_of_video(folder, name):
    check(folder / name, draws=8 if isinstance(name, str) else 2)


@pytest.mark.parametrize('name', ['groups.mp4', 'pyramid.mp4', 'order.avi'])
def test_threads_do_not_change_frames(folder, name):
    check(folder / name, draws=4, num_threads=3)


@pytest.mark.parametrize('backend', ['decord', 'torchcodec'])
@pytest.mark.parametrize(
    'name', [*AS_DECORD, 'varying.mp4', 'turned.mp4', *REAL]
)
def test_other_decoders_give_the_same_pixels(folder, name, backend):
    path = str(folder / name)
    try:
        theirs = open_video(path, backend)
    except ImportError as error:
        assert backend != 'decord'
        pytest.skip(str(error))
    ours = open_video(path, 'pyav')
    assert len(ours) == len(theirs)
    assert ours.get_avg_fps() == pytest.approx(theirs.get_avg_fps(), rel=0.01)
    indices = [-1, *np.linspace(0, len(ours) - 1, 8).astype(int), 4, 17, 4]
    indices = [i % len(ours) for i in indices]
    np.testing.assert_array_equal(
        ours.get_frames(indices), theirs.get_frames(indices)
    )


class Spy:
    """A decoder that counts the packets it gets and the frames it gives."""

    def __init__(self, codec):
        self.__dict__.update(codec=codec, packets=[], frames=0)

    def decode(self, packet):
        if packet is not None:
            self.packets.append((packet.pts, self.codec.skip_frame))
        frames = self.codec.decode(packet)
        self.__dict__['frames'] += len(frames)
        return frames

    def __getattr__(self, name):
        return getattr(self.codec, name)

    def __setattr__(self, name, value):
        setattr(self.codec, name, value)


def spied(path, indices):
    reader = PyAVReader(str(path))
    reader.codec = Spy(reader.codec)
    reader.get_frames(indices)
    return reader, reader.codec


def test_several_clips_take_one_pass_that_ends_with_the_last_frame(folder):
    reader, spy = spied(folder / 'pyramid.mp4', [8, 16, 24, 0, 8, 16, 17, 25])
    fed = [pts for pts, _ in spy.packets]
    assert len(set(fed)) == len(fed)
    place = max(reader.shown[i] for i in (0, 8, 16, 17, 24, 25))
    assert len(fed) == place + 1 < len(reader)


def test_only_groups_of_wanted_frames_are_decoded(folder):
    reader, spy = spied(folder / 'plain.mp4', [2, 25])
    times = [reader.packets[i].pts for i in range(40)]
    fed = [times.index(pts) for pts, _ in spy.packets]
    assert fed == [0, 1, 2, 20, 21, 22, 23, 24, 25]


@pytest.mark.parametrize(
    'name', ['open.mp4', 'open.mkv', 'hevc.mp4', 'groups.ts']
)
def test_every_frame_has_a_key_frame_to_start_from(folder, name):
    """Frames that a key frame precedes are not all shown behind it."""
    reader, calls = PyAVReader(str(folder / name)), []
    assert sum(p.is_keyframe for p in reader.packets) > 1
    between = reader._between

    def counted(*args, **kwargs):
        calls.append(kwargs)
        return between(*args, **kwargs)

    reader._between = counted
    for i in range(len(reader)):
        reader.get_frames([i])
    assert calls == [dict(skip=True)] * len(reader)


def is_referenced(packet):
    """Read nal_ref_idc of the slices in a packet of H.264."""
    at, referenced = 0, False
    while at < len(packet):
        head = packet[at + 4]
        if head & 31 in (1, 5):
            referenced |= bool(head >> 5 & 3)
        at += 4 + int.from_bytes(packet[at : at + 4], 'big')
    return referenced


def test_frames_that_none_refers_to_are_not_decoded(folder):
    reader, spy = spied(folder / 'pyramid.mp4', [0, 7, 39])
    wanted = {reader.packets[reader.shown[i]].pts for i in (0, 7, 39)}
    for pts, skip in spy.packets:
        assert skip == ('DEFAULT' if pts in wanted else 'NONREF')
    fed = list(reader.packets.read(range(len(spy.packets))))
    spared = [
        p for p in fed if p.pts not in wanted and not is_referenced(bytes(p))
    ]
    assert len(spared) > 3
    assert spy.frames == len(fed) - len(spared)


def test_repeated_frames_have_memory_of_their_own(folder):
    """Transforms, a flip for one, change frames in place."""
    for backend in ('pyav', 'decord'):
        reader = open_video(str(folder / 'groups.mp4'), backend)
        one, other = reader.get_frames([3, 3])
        one[:] = 0
        assert other.any()


def test_frames_outside_of_a_video_raise(folder):
    with pytest.raises(IndexError, match='of a video of 40'):
        PyAVReader(str(folder / 'plain.mp4')).get_frames([40])


def test_videos_without_pictures_and_pictures_are_refused(tmp_path):
    with av.open(str(tmp_path / 'sound.wav'), 'w') as container:
        stream = container.add_stream('pcm_s16le', rate=8000)
        sound = av.AudioFrame.from_ndarray(
            np.zeros((1, 800), np.int16), layout='mono'
        )
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
    (tmp_path / 'text.txt').write_text('a text, which FFmpeg would film\n')
    encode(tmp_path / 'picture.png', FRAMES[:1], 'rgb24', 'png')
    for name in ('sound.wav', 'text.txt', 'picture.png'):
        with pytest.raises(ValueError, match='no video|Invalid data'):
            PyAVReader(str(tmp_path / name))


def test_backends_are_chosen_by_name(monkeypatch):
    assert find_reader() is PyAVReader
    assert find_reader('decord').__name__ == 'DecordReader'
    with pytest.raises(ValueError, match=r"'opencv'.*'pyav', 'decord'"):
        find_reader('opencv')
    for library, names in (('av', ('auto', 'pyav')), ('decord', ('decord',))):
        monkeypatch.setitem(__import__('sys').modules, library, None)
        for name in names:  # no other one takes its place
            with pytest.raises(ImportError, match=f'pip install {library}'):
                find_reader(name)
