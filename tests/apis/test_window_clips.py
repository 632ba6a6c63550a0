"""Windows of any video that the pipeline reads, in one pass over the file."""

import itertools
from types import SimpleNamespace

import av
import numpy as np
import pytest
import torch
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform
from mmengine.dataset import Compose

from mmvidadapt.apis.use import window_clips
from mmvidadapt.apis.use.inference import Classifier
from mmvidadapt.apis.use.read_clip import read_clip
from mmvidadapt.apis.use.window_clips import (
    SharedFrames,
    WindowClips,
    merge_equal_clips,
)
from mmvidadapt.apis.use.windows import Span, read_frames, spans, video_info
from mmvidadapt.datasets.readers import (
    iter_frames,
    open_video,
    orientation,
    pyav,
)
from mmvidadapt.utils.video import VideoError
from tests import runs
from tests.datasets.test_foreign_videos import add_stream, put, trim
from tests.films import encode, film
from tests.trained import damage

FILM = film(60)
OPEN = dict(type='VideoInit', backend='auto')
SAMPLE = dict(type='MidpointSampleFrames', clip_len=4, frame_interval=3)
SAMPLE.update(num_clips=2, test_mode=True)


def steps(opens=OPEN, samples=SAMPLE, decodes='VideoDecode'):
    """Return a test pipeline."""
    found = runs.pipeline(random=False)
    found[:3] = [opens, samples, dict(type=decodes)]
    return found


def one_by_one(pipeline, path, windows):
    """Open the video anew for every window, as a plain pipeline would."""

    def restrict(span):
        def step(results):
            results['start_index'] += span.first
            results['total_frames'] = span.last - span.first
            return results

        return step

    for span in windows:
        whole = [pipeline[0], restrict(span), *pipeline[1:]]
        said = dict(filename=str(path), label=-1, start_index=0)
        yield Compose(whole)(dict(said, modality='RGB'))['inputs']


VIDEOS = {
    'groups.mp4': dict(g='12', bf='3'),
    'one_group.mp4': dict(g='1000', bf='2'),
    'open_groups.mp4': {'g': '10', 'bf': '3', 'x264-params': 'open-gop=1'},
    'old.avi': dict(codec='mpeg4', g='15', bf='2'),
    'raw.h264': dict(g='12', bf='0'),
}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Write the film in several ways."""
    folder = tmp_path_factory.mktemp('windows')
    for name, options in VIDEOS.items():
        encode(folder / name, FILM, **options)
    return folder


@pytest.mark.parametrize('name', VIDEOS)
@pytest.mark.parametrize('window, stride', [(1.5, None), (2, 0.7), (0.5, 0.2)])
def test_windows_are_those_of_a_plain_pipeline(folder, name, window, stride):
    clips = WindowClips(steps(), folder / name)
    assert len(FILM) == clips.info.num_frames
    windows = spans(clips.info._replace(fps=10), window, stride)
    assert len(windows) > 2
    found = [data['inputs'] for data in clips.clips(windows)]
    wanted = list(one_by_one(steps(), folder / name, windows))
    assert all(map(torch.equal, found, wanted))
    assert len(found) == len(wanted) == len(windows)


@pytest.mark.parametrize(
    'opens, decodes',
    [
        (dict(type='DecordInit'), 'DecordDecode'),
        (dict(type='VideoInit', backend='decord'), 'VideoDecode'),
        (dict(type='PyAVInit'), 'PyAVDecode'),
        (dict(type='OpenCVInit'), 'OpenCVDecode'),
    ],
)
def test_other_decoders_give_what_they_give(folder, opens, decodes):
    pipeline = steps(opens, decodes=decodes)
    clips = WindowClips(pipeline, folder / 'groups.mp4')
    windows = spans(clips.info, 2, 1)
    found = [data['inputs'] for data in clips.clips(windows)]
    wanted = one_by_one(pipeline, folder / 'groups.mp4', windows)
    assert all(map(torch.equal, found, wanted))


def counting(function, calls):
    """Wrap a function, so that its calls are counted."""
    return lambda *a, **k: calls.append(1) or function(*a, **k)


@pytest.mark.parametrize('name', VIDEOS)
def test_the_file_is_opened_once_and_a_frame_decoded_once(
    folder, name, monkeypatch
):
    opened, converted, decoded = [], [], []
    for owner, attribute, calls in (
        (pyav.PyAVReader, '__init__', opened),
        (orientation.Upright, '__call__', converted),
        (pyav, '_check', decoded),
    ):
        noted = counting(getattr(owner, attribute), calls)
        monkeypatch.setattr(owner, attribute, noted)
    clips = WindowClips(steps(), folder / name)
    windows = spans(clips.info._replace(fps=10), 2, 0.5)
    kept = [len(data['inputs']) for data in clips.clips(windows)]
    assert len(kept) == 9 and len(opened) == 1
    assert len(converted) <= len(FILM)  # of 72 that the windows ask for
    # Not every key frame of open groups is a place to start from.
    assert len(decoded) <= len(FILM) * (2 if 'open' in name else 1)


class Numbers:
    """A reader of frames that are their numbers."""

    def __init__(self):
        self.asked = []

    def get_frames(self, indices):
        self.asked += list(indices)
        return [np.full((2, 2, 3), i) for i in indices]


def test_no_more_is_kept_than_later_windows_need():
    """A hundred windows of 20 frames, every 5; their frames in disorder."""
    rng = np.random.default_rng(0)
    wanted = [rng.integers(5 * i, 5 * i + 20, 8) for i in range(100)]
    reader = Numbers()
    frames, most = SharedFrames(reader, wanted), 0
    for number, inds in enumerate(wanted):
        images = frames.take(number, inds)
        assert [image[0, 0, 0] for image in images] == inds.tolist()
        images[0][:] = -1  # somebody paints into it
        most = max(most, len(frames.kept))
    assert reader.asked == np.unique(np.concatenate(wanted)).tolist()
    assert most <= 20 and not frames.kept


def test_frames_come_in_order_and_once(folder):
    for name in VIDEOS:
        reader = open_video(str(folder / name))
        inds = [40, 3, 3, 59, 17]
        numbers, images = zip(*iter_frames(reader, inds))
        assert numbers == (3, 17, 40, 59)
        for image, same in zip(images, reader.get_frames(numbers)):
            np.testing.assert_array_equal(image, same)
        order = [i for i, _ in iter_frames(reader, range(60))]
        assert order == list(range(60))
        few = list(itertools.islice(iter_frames(reader, range(60)), 5))
        assert [i for i, _ in few] == list(range(5))
        np.testing.assert_array_equal(
            reader.get_frames([3])[0], few[3][1]
        )  # a pass that was given up is in nobody's way


def live(path, frames):
    """Write a WebM without an index or a length, as for a live stream."""
    parts = []
    pipe = SimpleNamespace(
        write=lambda data: parts.append(bytes(data)) or len(data)
    )
    with av.open(pipe, 'w', format='webm', options=dict(live='1')) as out:
        stream = out.add_stream('libvpx', rate=10)
        stream.height, stream.width = frames[0].shape[:2]
        for frame in frames:
            image = av.VideoFrame.from_ndarray(frame, format='rgb24')
            out.mux(stream.encode(image))
        out.mux(stream.encode(None))
    path.write_bytes(b''.join(parts))


def two(path, frames):
    """Write the film behind a smaller picture, marked as the better one."""
    with av.open(str(path), 'w') as out:
        streams = [add_stream(out, size) for size in ((32, 24), (64, 48))]
        for number, stream in enumerate(streams):
            stream.disposition = number
        put(out, streams[0], [f[::2, ::2].copy() for f in frames[:9]])
        put(out, streams[1], frames)


KINDS = {
    'av1.mp4': dict(codec='libsvtav1', preset='12'),
    'vp9.webm': dict(codec='libvpx-vp9', cpu_used='8'),
    'a.gif': dict(codec='gif', pix_fmt='rgb8'),
    'a.ogv': dict(codec='libtheora'),
    'vp8.ogv': dict(codec='libvpx'),
    'raw.h264': {},
    'raw.mpg': dict(codec='mpeg2video', rate=25),
    'live.webm': None,
    'a.ts': {},
    'two.mkv': 'two',
    'trimmed.mp4': 'trimmed',
}


@pytest.mark.parametrize('name', KINDS)
def test_whatever_the_pipeline_reads_is_classified(trained, tmp_path, name):
    path, frames = tmp_path / name, film(30)
    try:
        if KINDS[name] is None:
            live(path, frames)
        elif KINDS[name] == 'two':
            two(path, frames)
        elif KINDS[name] == 'trimmed':
            encode(tmp_path / 'whole.mp4', film(40)[:10] + frames, bf='0')
            trim(tmp_path / 'whole.mp4', 10, path, 1024)
        else:
            encode(path, frames, **KINDS[name])
    except (ValueError, av.error.FFmpegError) as error:
        pytest.skip(f'FFmpeg cannot write it here: {error}')
    info = video_info(path)
    assert info.num_frames == 30 and info.fps > 5
    config = trained.config.copy()
    config.test_pipeline = steps(samples=dict(SAMPLE, frame_interval=2))
    classifier = Classifier(config, trained.checkpoint, 'cpu')
    (whole,) = classifier.video(path)
    parts = list(classifier.video(path, window=10 / info.fps))
    assert len(parts) == 3 and whole.top[0][1] > 0.25
    windows = spans(info, 10 / info.fps, None)
    found = [d['inputs'] for d in WindowClips(steps(), path).clips(windows)]
    wanted = one_by_one(steps(), path, windows)
    assert all(map(torch.equal, found, wanted))
    shown = list(read_frames(path))
    assert len(shown) == 30
    assert np.abs(shown[7].astype(float) - frames[7]).mean() < 40


def test_what_decodes_late_fails_late(trained, tmp_path):
    """Windows before the damage have their results."""
    encode(tmp_path / 'a.mp4', FILM, codec='mpeg4', g='5')
    damage(tmp_path / 'a.mp4')
    config = trained.config.copy()
    config.test_pipeline = steps()
    classifier = Classifier(config, trained.checkpoint, 'cpu')
    done = []
    with pytest.raises(VideoError, match='a.mp4 cannot be read as a video'):
        for prediction in classifier.video(tmp_path / 'a.mp4', window=1):
            done.append(prediction.start)
    assert done == list(range(len(done))) and 1 <= len(done) < 6


def test_mistakes_of_a_pipeline_are_not_damage(folder):
    """A step that does not fit is no fault of the video."""
    wrong = steps()
    wrong.insert(3, dict(type='BuildFramesets'))
    clips = WindowClips(wrong, folder / 'groups.mp4')
    with pytest.raises(ValueError, match='BuildFramesets expects') as error:
        list(clips.clips([Span(0, 20)]))
    assert not isinstance(error.value, VideoError)
    with pytest.raises(ValueError, match='no step such as .*VideoInit'):
        WindowClips(wrong[1:], folder / 'groups.mp4')
    with pytest.raises(ValueError, match='no step such as .*VideoDecode'):
        WindowClips(wrong[:2], folder / 'groups.mp4')


def test_equal_views_are_computed_once(trained, folder):
    """A window that a clip fits into in one place only."""
    path = folder / 'groups.mp4'
    sample = dict(
        type='SampleFrames', clip_len=4, frame_interval=5, num_clips=3
    )
    config = trained.config.copy()
    config.test_pipeline = steps(samples=dict(sample, test_mode=True))
    classifier = Classifier(config, trained.checkpoint, 'cpu')
    batches = []
    classifier.model.backbone.register_forward_hook(
        lambda *args: batches.append(len(args[1][0]))
    )
    parts = list(classifier.video(path, window=1.6))  # 16 of 16 frames
    assert batches == [1] * len(parts)
    classifier.frames(FILM[:16])
    (whole,) = classifier.video(path)
    assert batches[len(parts) :] == [1, 3]
    three = list(one_by_one(config.test_pipeline, path, [Span(0, 16)]))[0]
    assert len(three) == 3
    scores = classifier.model(
        *classifier.model.data_preprocessor(
            dict(inputs=[three], data_samples=[None])
        ).values(),
    )
    assert len(scores) == 3
    clip = read_clip_of(config, classifier, path)
    assert len(clip) == 3


@TRANSFORMS.register_module()
class ReadAtOnce(BaseTransform):
    """Open, sample and decode in one step, as somebody may."""

    def transform(self, results):
        reader = open_video(results['filename'])
        results['imgs'] = reader.get_frames(range(0, 60, 15))
        results.update(clip_len=4, num_clips=1)
        return results


def test_a_pipeline_that_reads_in_one_step(trained, folder):
    config = trained.config.copy()
    config.test_pipeline = [dict(type='ReadAtOnce'), *steps()[3:]]
    classifier = Classifier(config, trained.checkpoint, 'cpu')
    clip = read_clip_of(config, classifier, folder / 'groups.mp4')
    assert clip.shape == (1, 3, 4, runs.SIDE, runs.SIDE)


def read_clip_of(config, classifier, path):
    """Read a clip as several adapters do."""
    classifier.model.cfg = config
    return read_clip(classifier.model, path)['inputs'][0]


def test_segments_of_image_recognizers_stay():
    """There a clip is a frame, and equal ones are needed, too."""
    results = dict(frame_inds=np.zeros(8, int), clip_len=1, num_clips=8)
    assert merge_equal_clips(dict(results)) == results


def test_a_sampler_that_loops_is_named_once(trained, folder, monkeypatch):
    said = []
    monkeypatch.setattr(window_clips, '_WARNED', [])
    monkeypatch.setattr(
        window_clips, 'print_log', lambda text, **how: said.append(text)
    )
    sample = dict(type='SampleFrames', clip_len=4, frame_interval=6)
    looped = steps(samples=dict(sample, test_mode=True))
    for window in (2, 1, 1):
        clips = WindowClips(looped, folder / 'groups.mp4')
        list(clips.clips(spans(clips.info, window, None)))
        if window == 2:
            assert not said  # a clip fits
    assert len(said) == 1 and 'out of order' in said[0]
    assert "type='SpreadSampleFrames'" in said[0]
    spread = dict(sample, type='SpreadSampleFrames', test_mode=True)
    monkeypatch.setattr(window_clips, '_WARNED', [])
    clips = WindowClips(steps(samples=spread), folder / 'groups.mp4')
    list(clips.clips(spans(clips.info, 1, None)))
    assert len(said) == 1
