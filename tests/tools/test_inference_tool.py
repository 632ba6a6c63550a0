"""tools/inference.py as a user calls it."""

import copy
import csv
import faulthandler
import itertools
import json
import os
import shutil
import signal
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform
from mmengine.config import Config

from mmvidadapt.apis.use import inference, windows
from mmvidadapt.apis.use.inference import Prediction
from mmvidadapt.apis.use.prediction_files import PredictionFiles, annotate
from tests import runs
from tests.films import encode, film
from tests.mp4_boxes import turn
from tests.trained import FPS, damage

from .processes import call as run_tool

FILES = ('--json', 'p.json', '--csv', 'p.csv')


def call(trained, monkeypatch, source, *args):
    """Run tools/inference.py in this process; return its exit status."""
    files = (source, trained.folder / 'config.py', trained.checkpoint)
    with pytest.raises(SystemExit) as stop:
        run_tool(monkeypatch, 'inference.py', *files, '--device=cpu', *args)
    return stop.value.code


@pytest.fixture
def infer(trained, tmp_path, monkeypatch):
    """Return the call, whose ``by=`` replaces config and checkpoint."""
    monkeypatch.chdir(tmp_path)

    def run(*args, by=trained):
        return call(by, monkeypatch, *args)

    return run


def test_the_tool_writes_table_files_and_video(
    infer, trained, tmp_path, capsys
):
    (tmp_path / 'labels.txt').write_text('run\njump\nswim\nfly\n')
    args = '--window 1 --label-file labels.txt --topk 2 --json p.json'
    args = f'{args} --csv p.csv --out out.mp4'.split()
    assert infer(trained.folder / 'videos/long.mp4', *args) == 0
    rows = json.loads((tmp_path / 'p.json').read_text())
    assert [(r['start'], r['end'], len(r['top'])) for r in rows] == [
        (i, i + 1, 2) for i in range(3)
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


def test_a_folder_goes_on_after_broken_files(infer, trained, tmp_path, capsys):
    """One is cut off, and one opens, but cannot be decoded to its end."""
    folder = tmp_path / 'in'
    (folder / 'sub').mkdir(parents=True)
    data = (trained.folder / 'videos/long.mp4').read_bytes()
    for name in ('a', 'late', 'sub/c'):
        (folder / f'{name}.mp4').write_bytes(data)
    (folder / 'cut.mp4').write_bytes(data[:200])
    damage(folder / 'late.mp4')
    (folder / 'notes.txt').write_text('no video')
    assert infer(folder, '--window', 1, '--out', 'out', *FILES) == 1
    err = capsys.readouterr().err
    for name in ('cut', 'late'):
        assert f'failed: {folder}/{name}.mp4 cannot be read as a video' in err
    rows = json.loads((tmp_path / 'p.json').read_text())
    done = [(Path(row['source']).stem, row['start']) for row in rows]
    assert [d for d in done if d[0] != 'late'] == [
        (name, second) for name in 'ac' for second in range(3)
    ]
    assert len(done) < 9
    written = sorted(Path('out').rglob('*.mp4'))
    assert written == [Path('out/a.mp4'), Path('out/sub/c.mp4')]


def test_what_was_classified_is_written_when_the_run_ends_early(
    infer, trained, tmp_path, monkeypatch
):
    """The third window is too much for the memory, say."""
    real, calls = inference.inference_recognizer, []

    def failing(*args):
        calls.append(args)
        if len(calls) == 3:
            raise RuntimeError('out of memory')
        return real(*args)

    monkeypatch.setattr(inference, 'inference_recognizer', failing)
    video = trained.folder / 'videos/long.mp4'
    with pytest.raises(RuntimeError, match='out of memory'):
        infer(video, '--window', 1, *FILES)
    rows = json.loads((tmp_path / 'p.json').read_text())
    assert [r['start'] for r in rows] == [0, 1]
    with open(tmp_path / 'p.csv') as file:
        assert len(list(csv.DictReader(file))) == 2 * runs.NUM_CLASSES


class Watched:
    """Another object, one of whose methods first calls ``before``."""

    def __init__(self, inner, method, before):
        self.inner, self.method, self.before = inner, method, before

    def __getattr__(self, name):
        """Pass on."""
        if name == self.method:
            self.before()
        return getattr(self.inner, name)


def stand_in(trained, monkeypatch, before):
    """Let a video of three seconds be the camera."""
    real, path = cv2.VideoCapture, str(trained.folder / 'videos/long.mp4')
    monkeypatch.setattr(
        cv2, 'VideoCapture', lambda _: Watched(real(path), 'read', before)
    )


def test_a_camera_is_written_frame_by_frame(infer, trained, monkeypatch):
    order, writer = [], cv2.VideoWriter
    stand_in(trained, monkeypatch, lambda: order.append('r'))
    monkeypatch.setattr(
        cv2,
        'VideoWriter',
        lambda *a: Watched(writer(*a), 'write', lambda: order.append('w')),
    )
    assert infer(0, '--window', 1, '--out', 'out.mp4') == 0
    assert ''.join(order) == 3 * (10 * 'r' + 10 * 'w') + 'r'
    assert windows.video_info('out.mp4') == (30, FPS)


def test_ctrl_c_at_a_camera_leaves_a_whole_video(
    infer, trained, tmp_path, monkeypatch, capsys
):
    reads = itertools.count()

    def interrupt():
        if next(reads) == 15:  # in the second window
            raise KeyboardInterrupt

    stand_in(trained, monkeypatch, interrupt)
    assert infer(0, '--window', 1, '--out', 'out.mp4', *FILES) == 0
    assert 'stopped' in capsys.readouterr().err
    assert windows.video_info('out.mp4') == (10, FPS)
    assert len(json.loads((tmp_path / 'p.json').read_text())) == 1


def test_a_missing_file_is_one_line(infer, trained):
    video, other = trained.folder / 'videos/part0.mp4', copy.copy(trained)
    assert infer('nowhere.mp4') == (
        "error: 'nowhere.mp4' is no file, no folder and no camera number."
    )
    assert infer(video, '--label-file', 'nowhere') == (
        "error: [Errno 2] No such file or directory: 'nowhere'"
    )
    other.checkpoint = 'nowhere'
    assert infer(video, by=other) == (
        'error: Weights nowhere: it does not exist. Give the path of a file.'
    )


@TRANSFORMS.register_module()
class DieOf(BaseTransform):
    """End the process that reads some file, as decoders do."""

    def __init__(self, name, signal):
        self.name, self.signal = name, signal

    def transform(self, results):
        if results['filename'].endswith(self.name):
            faulthandler.disable()  # says nothing new
            os.kill(os.getpid(), self.signal)
        return results


@pytest.mark.parametrize('how', [signal.SIGSEGV, signal.SIGABRT])
def test_a_decoder_that_dies_costs_its_own_file(
    infer, trained, tmp_path, capsys, how
):
    folder, config = tmp_path / 'in', trained.config.copy()
    folder.mkdir()
    for name in ('a.mp4', 'b.mp4', 'c.mp4'):
        shutil.copy(trained.folder / 'videos/part0.mp4', folder / name)
    die = dict(type='DieOf', name='b.mp4', signal=int(how))
    config.test_pipeline.insert(2, die)
    dying = copy.copy(trained)
    dying.folder = tmp_path
    config.dump(tmp_path / 'config.py')
    assert infer(folder, *FILES, by=dying) == 1
    err = capsys.readouterr().err
    assert f'failed: {folder}/b.mp4 cannot be read as a video: the' in err
    assert f'died of {how.name}' in err and '1 of 3 videos failed' in err
    rows = json.loads((tmp_path / 'p.json').read_text())
    assert [r['source'][-5] for r in rows] == ['a', 'c']
    with open(tmp_path / 'p.csv') as file:
        assert {r['source'][-5] for r in csv.DictReader(file)} == {'a', 'c'}
    message = infer(folder / 'b.mp4', *FILES, by=dying)
    assert f'error: {folder}/b.mp4 cannot be read' in message


def test_files_are_whole_after_every_window(tmp_path):
    """Whatever ends the process then."""
    path = tmp_path / 'a.json'
    with PredictionFiles(path, tmp_path / 'a.csv') as files:
        assert json.loads(path.read_text()) == []
        for i in range(3):
            top = [('l\u00e4uft "so"', 0.75), ('x,y', 0.25)]
            files.add(Prediction('a\n.mp4', i, i + 1.0, top))
            rows = json.loads(path.read_text(encoding='utf-8'))
            assert [row['start'] for row in rows] == list(range(i + 1))
            assert rows[i]['top'] == [
                dict(label=name, score=score) for name, score in top
            ]
            with open(tmp_path / 'a.csv', encoding='utf-8') as file:
                table = list(csv.DictReader(file))
            assert [row['label'] for row in table[-2:]] == [n for n, _ in top]
            assert len(table) == 2 * i + 2
    assert path.read_text() == json.dumps(rows, indent=2)


def test_names_of_classes_come_from_the_config(
    infer, trained, tmp_path, capsys
):
    names = ['run', 'jump', 'swim', 'fly']
    named = copy.copy(trained)
    named.folder, config = tmp_path, Config(trained.config.to_dict())
    config.test_dataloader.dataset.metainfo = dict(classes=names)
    config.dump(tmp_path / 'config.py')
    video = trained.folder / 'videos/part0.mp4'
    assert infer(video, *FILES, by=named) == 0
    (row,) = json.loads((tmp_path / 'p.json').read_text())
    assert {t['label'] for t in row['top']} == set(names)
    assert all(name in capsys.readouterr().out for name in names[:1])


def no_model(*args, **kwargs):
    """Stand in for loading a model."""
    raise AssertionError('no work should have begun')


@pytest.mark.parametrize('option', ['--out', '--json', '--csv'])
@pytest.mark.parametrize('link', [None, 'symlink_to', 'hardlink_to'])
def test_inputs_are_never_written_over(
    infer, trained, tmp_path, monkeypatch, option, link
):
    monkeypatch.setattr(inference.Classifier, '__init__', no_model)
    video, other = tmp_path / 'in/a.mp4', tmp_path / 'in/other.mp4'
    video.parent.mkdir()
    shutil.copy(trained.folder / 'videos/part0.mp4', video)
    before = video.read_bytes()
    if link:
        getattr(other, link)(video)
    out = other if link else tmp_path / 'in/../in/a.mp4'
    message = infer(video, option, out)
    assert message.startswith(f'error: {out} would be written over')
    assert 'choose another name' in message
    folder = video.parent if option == '--out' else video
    message = infer(video.parent, option, folder)
    assert f'{video} would be written over' in message
    assert video.read_bytes() == before


def test_results_are_not_written_over_either(
    infer, trained, tmp_path, monkeypatch
):
    monkeypatch.setattr(inference.Classifier, '__init__', no_model)
    (tmp_path / 'labels.txt').write_text('run\njump\nswim\nfly\n')
    for args, over in (
        ('--json p.csv --csv p.csv', 'p.csv'),
        ('--out p.mp4 --json p.mp4', 'p.mp4'),
        ('--csv labels.txt', 'labels.txt'),
        (f'--json {trained.checkpoint}', 'model.pth'),
    ):
        args = ('--label-file', 'labels.txt', *args.split())
        message = infer(trained.folder / 'videos/part0.mp4', *args)
        assert f'{over} would be written over' in message


def test_copies_of_one_name_do_not_meet(infer, trained, tmp_path):
    folder = tmp_path / 'in'
    folder.mkdir()
    for name in ('a.mp4', 'a.mov', 'b.mov'):
        shutil.copy(trained.folder / 'videos/part0.mp4', folder / name)
    (folder / 'notes.txt').write_text('no video')
    assert infer(folder, '--out', 'out') == 0
    names = sorted(p.name for p in (tmp_path / 'out').iterdir())
    assert names == ['a.mov.mp4', 'a.mp4.mp4', 'b.mp4']


def test_a_portrait_clip_is_written_upright(tmp_path):
    """Phones store it lying, and the header says how to turn it."""
    frames = film(6, width=256, height=240)
    plain = encode(tmp_path / 'plain.mp4', frames)
    turned = turn(plain, (0, 1, -1, 0), tmp_path / 'turned.mp4')
    annotate(turned, [Prediction('x', 0, 1, [])], tmp_path / 'out.mp4')
    written = list(windows.read_frames(tmp_path / 'out.mp4'))
    assert len(written) == 6
    for frame, source in zip(written, windows.read_frames(plain)):
        shown = np.rot90(source, 3)
        assert frame.shape == shown.shape == (256, 240, 3)
        assert np.abs(frame.astype(int) - shown).mean() < 6


def test_names_with_a_colon_are_files(infer, trained, tmp_path):
    shutil.copy(trained.folder / 'videos/long.mp4', '12:30:05.mp4')
    out = ('--out', 'http:out.mp4', '--json', '12:30.json')
    assert infer('12:30:05.mp4', *out) == 0
    assert windows.video_info('http:out.mp4') == (30, FPS)
    assert len(json.loads((tmp_path / '12:30.json').read_text())) == 1
    names = sorted(p.name for p in tmp_path.iterdir())
    assert names == ['12:30.json', '12:30:05.mp4', 'http:out.mp4']
