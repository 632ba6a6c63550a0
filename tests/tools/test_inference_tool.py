"""tools/inference.py as a user calls it."""

import copy
import csv
import itertools
import json
import runpy
import shutil
import sys

import cv2
import pytest

from mmvidadapt.apis import inference, windows
from tests import runs
from tests.trained import FPS, damage, trained

__all__ = ['trained']


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


def test_a_folder_goes_on_after_a_video_that_fails_late(
    trained, tmp_path, monkeypatch, capsys
):
    """The second video opens, but cannot be decoded to its end."""
    folder = tmp_path / 'in'
    folder.mkdir()
    for name in 'abc':
        shutil.copy(trained.folder / 'videos/long.mp4', folder / f'{name}.mp4')
    damage(folder / 'b.mp4')
    files = ('--json', tmp_path / 'p.json', '--csv', tmp_path / 'p.csv')
    assert call(trained, monkeypatch, folder, '--window', 1, *files) == 1
    assert f'failed: {folder / "b.mp4"} cannot be' in capsys.readouterr().err
    rows = json.loads((tmp_path / 'p.json').read_text())
    done = [(r['source'][-5], r['start']) for r in rows]
    assert [d for d in done if d[0] != 'b'] == [
        (name, second) for name in 'ac' for second in range(3)
    ]
    assert len(done) < 9


def test_what_was_classified_is_written_when_the_run_ends_early(
    trained, tmp_path, monkeypatch
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
    files = ('--json', tmp_path / 'p.json', '--csv', tmp_path / 'p.csv')
    with pytest.raises(RuntimeError, match='out of memory'):
        call(trained, monkeypatch, video, '--window', 1, *files)
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


def test_a_camera_is_written_frame_by_frame(trained, tmp_path, monkeypatch):
    order, writer = [], cv2.VideoWriter
    stand_in(trained, monkeypatch, lambda: order.append('r'))
    monkeypatch.setattr(
        cv2,
        'VideoWriter',
        lambda *a: Watched(writer(*a), 'write', lambda: order.append('w')),
    )
    out = tmp_path / 'out.mp4'
    assert call(trained, monkeypatch, 0, '--window', 1, '--out', out) == 0
    assert ''.join(order) == 3 * (10 * 'r' + 10 * 'w') + 'r'
    assert windows.video_info(out) == (30, FPS)


def test_ctrl_c_at_a_camera_leaves_a_whole_video(
    trained, tmp_path, monkeypatch, capsys
):
    reads = itertools.count()

    def interrupt():
        if next(reads) == 15:  # in the second window
            raise KeyboardInterrupt

    stand_in(trained, monkeypatch, interrupt)
    out = tmp_path / 'out.mp4'
    files = ('--out', out, '--json', tmp_path / 'p.json')
    assert call(trained, monkeypatch, 0, '--window', 1, *files) == 0
    assert 'stopped' in capsys.readouterr().err
    assert windows.video_info(out) == (10, FPS)
    assert len(json.loads((tmp_path / 'p.json').read_text())) == 1


def test_a_missing_file_is_one_line(trained, tmp_path, monkeypatch):
    video = trained.folder / 'videos/part0.mp4'
    assert call(trained, monkeypatch, 'nowhere.mp4') == (
        "error: 'nowhere.mp4' is no file, no folder and no camera number."
    )
    nowhere = str(tmp_path / 'nowhere')
    assert call(trained, monkeypatch, video, '--label-file', nowhere) == (
        f"error: [Errno 2] No such file or directory: '{nowhere}'"
    )
    trained = copy.copy(trained)
    trained.checkpoint = nowhere
    assert call(trained, monkeypatch, video) == (
        f'error: Weights {nowhere}: it does not exist. Give the path of a '
        'file.'
    )
