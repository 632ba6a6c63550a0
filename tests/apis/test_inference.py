"""Videos, folders, long videos and cameras are classified."""

import shutil

import cv2
import numpy as np
import pytest
import torch
from mmaction.apis import inference_recognizer, init_recognizer

from mmvidadapt.apis.use import windows
from mmvidadapt.apis.use.inference import Classifier, find_sources
from mmvidadapt.apis.use.prediction_files import annotate
from mmvidadapt.utils.video import VideoError, draw_text
from tests.trained import FPS, damage


@pytest.fixture
def classifier(trained):
    return Classifier(
        trained.config, trained.checkpoint, 'cpu', list('abcd'), topk=4
    )


def scores(prediction):
    return dict(prediction.top)


def test_a_video_gets_what_mmaction2_gives(trained, classifier):
    path = str(trained.folder / 'videos/long.mp4')
    (found,) = classifier.video(path)
    model = init_recognizer(trained.config, trained.checkpoint, 'cpu')
    expected = inference_recognizer(model, path).pred_score
    assert [scores(found)[c] for c in 'abcd'] == pytest.approx(
        expected.tolist(), abs=1e-6
    )
    values = [v for _, v in found.top]
    assert values == sorted(values, reverse=True) and values[0] > values[-1]
    assert (found.start, found.end) == (0, 3)


def test_a_window_sees_its_own_seconds_only(trained, classifier):
    videos = trained.folder / 'videos'
    whole = list(classifier.video(videos / 'long.mp4', window=1.0))
    assert [(p.start, p.end) for p in whole] == [(0, 1), (1, 2), (2, 3)]
    parts = [next(classifier.video(videos / f'part{i}.mp4')) for i in range(3)]
    for window, part in zip(whole, parts):
        for c in 'abcd':  # encoded in another context, hence not exactly
            assert scores(window)[c] == pytest.approx(
                scores(part)[c], abs=0.01
            )
    spread = [abs(scores(whole[0])[c] - scores(whole[1])[c]) for c in 'abcd']
    assert max(spread) > 0.04, 'the windows differ'


def test_spans_cover_the_video():
    info = windows.VideoInfo(num_frames=95, fps=10)
    assert windows.spans(info, None, None) == [(0, 95)]
    assert windows.spans(info, 20, None) == [(0, 95)]
    assert windows.spans(info, 4, None) == [(0, 40), (40, 80), (55, 95)]
    assert windows.spans(info, 4, 3) == [(0, 40), (30, 70), (55, 95)]
    assert windows.spans(windows.VideoInfo(80, 10), 4, None) == [
        (0, 40),
        (40, 80),
    ]
    with pytest.raises(ValueError, match='stride=0'):
        windows.spans(info, 4, 0)
    with pytest.raises(ValueError, match='stride=3 needs a window'):
        windows.spans(info, None, 3)


def test_a_camera_is_classified_window_by_window(
    trained, classifier, monkeypatch
):
    """A file stands in for the camera; three seconds, then it ends."""
    path = str(trained.folder / 'videos/long.mp4')
    real = cv2.VideoCapture
    monkeypatch.setattr(cv2, 'VideoCapture', lambda index: real(path))
    camera = windows.Camera(0)
    assert camera.fps == FPS
    seen = list(classifier.camera(camera, window=1.0))
    assert [(p.source, p.start, p.end) for p, _ in seen] == [
        ('camera 0', i, i + 1) for i in range(3)
    ]
    assert [len(frames) for _, frames in seen] == [10, 10, 10]
    from_file = list(classifier.video(path, window=1.0))
    for (camera, _), file in zip(seen, from_file):
        for c in 'abcd':
            assert scores(camera)[c] == pytest.approx(
                scores(file)[c], abs=0.02
            )


def test_a_video_that_fails_late_is_named(trained, classifier, tmp_path):
    """It opens: the container and the first frame are sound."""
    path = tmp_path / 'half.mp4'
    shutil.copy(trained.folder / 'videos/long.mp4', path)
    damage(path)
    assert windows.video_info(path) == (30, FPS)
    with pytest.raises(VideoError, match='read as a video: .*again') as error:
        next(classifier.video(path))
    assert str(error.value).startswith(str(path))
    assert str(error.value).count(str(path)) == 1
    with pytest.raises(VideoError, match='half.mp4'):
        list(classifier.video(path, window=1.0))


def test_what_cannot_work_is_said(trained, classifier, tmp_path):
    with pytest.raises(ValueError, match='There is no video in'):
        find_sources(str(tmp_path))
    assert find_sources('7') == [7]
    with pytest.raises(ValueError, match="Cannot open camera '97'"):
        windows.Camera(97)
    with pytest.raises(ValueError, match='3 labels, but .* 4 classes'):
        three = Classifier(
            trained.config, trained.checkpoint, 'cpu', list('abc')
        )
        next(three.video(trained.folder / 'videos/part0.mp4'))
    with pytest.raises(FileNotFoundError, match='none.pth.*does not exist'):
        Classifier(trained.config, str(tmp_path / 'none.pth'), 'cpu')
    state = torch.load(trained.checkpoint, weights_only=True)
    del state['state_dict']['backbone.conv1.weight']
    torch.save(state, tmp_path / 'bad.pth')
    with pytest.raises(ValueError, match='missing .*: backbone.conv1.weight'):
        Classifier(trained.config, str(tmp_path / 'bad.pth'), 'cpu')


def test_every_frame_shows_the_nearest_window(trained, classifier, tmp_path):
    path = trained.folder / 'videos/long.mp4'
    found = [
        p._replace(top=[(name, 1.0)])
        for p, name in zip(
            classifier.video(path, window=1.0), ('one', 'two', 'three')
        )
    ]
    annotate(path, found, tmp_path / 'out.mp4')
    written = list(windows.read_frames(tmp_path / 'out.mp4'))
    for i, frame in enumerate(windows.read_frames(path)):
        errors = [
            np.abs(
                written[i].astype(int) - draw_text(frame, [text]).astype(int)
            ).mean()
            for text in ('one 100%', 'two 100%', 'three 100%')
        ]
        assert int(np.argmin(errors)) == i // FPS, i
