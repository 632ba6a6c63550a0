"""Videos, folders, long videos and cameras are classified."""

import csv
import json
import runpy
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmaction.apis import inference_recognizer, init_recognizer

from mmvidadapt.apis import windows
from mmvidadapt.apis.inference import Classifier, find_sources
from mmvidadapt.apis.prediction_files import annotate
from mmvidadapt.utils.video import draw_text, write_video
from tests import runs

FPS = 10


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """Write a long video, a config and a checkpoint with some effect."""
    folder = tmp_path_factory.mktemp('inference')
    rng = np.random.default_rng(1)
    # Three seconds, each of another noise, darker and darker.
    frames = [
        f
        for top in (256, 128, 32)
        for f in [rng.integers(0, top, (48, 64, 3), dtype=np.uint8)] * FPS
    ]
    write_video(folder / 'videos/long.mp4', frames, FPS)
    for i in range(3):
        write_video(
            folder / f'videos/part{i}.mp4',
            frames[FPS * i : FPS * (i + 1)],
            FPS,
        )
    config = runs.recipe(folder / 'list.txt', folder / 'work')
    config.dump(folder / 'config.py')
    model = init_recognizer(config, device='cpu')
    torch.manual_seed(0)
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    torch.save(
        dict(state_dict=model.state_dict(), meta={}), folder / 'model.pth'
    )
    return SimpleNamespace(
        folder=folder, config=config, checkpoint=str(folder / 'model.pth')
    )


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
    seen = list(classifier.camera(0, window=1.0))
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


def call(trained, monkeypatch, source, *args):
    """Run tools/inference.py in this process; return its exit status."""
    monkeypatch.setattr(
        sys,
        'argv',
        [
            'inference.py',
            str(source),
            str(trained.folder / 'config.py'),
            trained.checkpoint,
            '--device',
            'cpu',
            *map(str, args),
        ],
    )
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(
            str(runs.ROOT / 'tools/inference.py'), run_name='__main__'
        )
    return stop.value.code


def test_the_tool_writes_table_files_and_video(
    trained, tmp_path, monkeypatch, capsys
):
    (tmp_path / 'labels.txt').write_text('run\njump\nswim\nfly\n')
    status = call(
        trained,
        monkeypatch,
        trained.folder / 'videos/long.mp4',
        '--window',
        1,
        '--label-file',
        tmp_path / 'labels.txt',
        '--topk',
        2,
        '--json',
        tmp_path / 'p.json',
        '--csv',
        tmp_path / 'p.csv',
        '--out',
        tmp_path / 'out.mp4',
    )
    assert status == 0
    rows = json.loads((tmp_path / 'p.json').read_text())
    assert [(r['start'], r['end'], len(r['top'])) for r in rows] == [
        (0, 1, 2),
        (1, 2, 2),
        (2, 3, 2),
    ]
    out = capsys.readouterr().out
    for row in rows:
        best = row['top'][0]
        assert best['label'] in ('run', 'jump', 'swim', 'fly')
        assert f'{best["score"]:.2%}' in out
    with open(tmp_path / 'p.csv') as file:
        table = list(csv.DictReader(file))
    assert [(r['start'], r['rank'], r['label']) for r in table] == [
        (f'{r["start"]:.3f}', str(i + 1), t['label'])
        for r in rows
        for i, t in enumerate(r['top'])
    ]
    assert windows.video_info(tmp_path / 'out.mp4') == (30, FPS)


def test_a_folder_goes_on_after_a_broken_file(
    trained, tmp_path, monkeypatch, capsys
):
    folder = tmp_path / 'in'
    (folder / 'sub').mkdir(parents=True)
    data = (trained.folder / 'videos/part0.mp4').read_bytes()
    (folder / 'a.mp4').write_bytes(data)
    (folder / 'b.mp4').write_bytes(data[:200])
    (folder / 'sub/c.mp4').write_bytes(data)
    (folder / 'notes.txt').write_text('no video')
    status = call(
        trained,
        monkeypatch,
        folder,
        '--out',
        tmp_path / 'out',
        '--json',
        tmp_path / 'p.json',
    )
    assert status == 1
    out, err = capsys.readouterr()
    assert f'failed: {folder / "b.mp4"} cannot be read as a video' in err
    done = [r['source'] for r in json.loads((tmp_path / 'p.json').read_text())]
    assert done == [str(folder / 'a.mp4'), str(folder / 'sub/c.mp4')]
    written = sorted(
        p.relative_to(tmp_path / 'out').as_posix()
        for p in (tmp_path / 'out').rglob('*.mp4')
    )
    assert written == ['a.mp4', 'sub/c.mp4']


def test_what_cannot_work_is_said(trained, classifier, tmp_path, monkeypatch):
    assert call(trained, monkeypatch, 'nowhere.mp4') == (
        "error: 'nowhere.mp4' is no file, no folder and no camera number."
    )
    with pytest.raises(ValueError, match='There is no video in'):
        find_sources(str(tmp_path))
    assert find_sources('7') == [7]
    with pytest.raises(ValueError, match="Cannot open camera '97'"):
        next(classifier.camera(97))
    with pytest.raises(ValueError, match='3 labels, but .* 4 classes'):
        three = Classifier(
            trained.config, trained.checkpoint, 'cpu', list('abc')
        )
        next(three.video(trained.folder / 'videos/part0.mp4'))
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
