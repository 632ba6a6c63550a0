"""tools/inference.py with strange names, pipes and numbers."""

import csv
import json
import os
import shutil
import threading

import pytest

from mmvidadapt.apis.use.inference import Prediction
from mmvidadapt.apis.use.prediction_files import PredictionFiles, annotate
from tests.trained import FPS

from .test_inference_tool import infer

__all__ = ['infer']


def test_a_name_that_is_no_utf_8_costs_no_result(
    infer, trained, tmp_path, capsys
):
    """OpenCV ends the process where it is given such a name to write to."""
    videos = tmp_path / 'videos'
    videos.mkdir()
    for name in (b'caf\xe9.mp4', b'last.mp4'):
        shutil.copy(
            trained.folder / 'videos/part0.mp4',
            os.path.join(os.fsencode(videos), name),
        )
    assert infer(videos, '--out', 'out', '--csv', 'p.csv') == 1
    rows = list(csv.DictReader((tmp_path / 'p.csv').open(encoding='utf-8')))
    names = {os.path.basename(row['source']) for row in rows}
    assert names == {'caf\\udce9.mp4', 'last.mp4'}
    assert os.listdir(tmp_path / 'out') == ['last.mp4']
    assert 'whose name is no UTF-8' in capsys.readouterr().err


def test_classes_that_are_no_utf_8_are_drawn_and_written(trained, tmp_path):
    """A JSON text may hold half of a sign."""
    source = trained.folder / 'videos/part0.mp4'
    seen = Prediction(str(source), 0.0, 10 / FPS, [('\ud83d', 1.0)])
    annotate(source, [seen], tmp_path / 'out.mp4')
    assert (tmp_path / 'out.mp4').stat().st_size > 0
    with PredictionFiles(csv_path=tmp_path / 'p.csv') as files:
        files.add(seen)
    assert ',\\ud83d,' in (tmp_path / 'p.csv').read_text(encoding='utf-8')


def test_a_pipe_among_the_videos_is_not_waited_for(
    infer, trained, tmp_path, capsys
):
    """The pipeline has mmaction2's own opener, which would."""
    shutil.copy(trained.folder / 'videos/part0.mp4', tmp_path / 'a.mp4')
    os.mkfifo(tmp_path / 'pipe.mp4')
    # Were it read, this would end the wait.
    waker = threading.Timer(20, lambda: (tmp_path / 'pipe.mp4').write_text(''))
    waker.daemon = True
    waker.start()
    assert infer(tmp_path) == 1
    waker.cancel()
    said = capsys.readouterr().err
    assert 'pipe.mp4 cannot be read as a video: it is a pipe' in said


@pytest.mark.parametrize('number', (0, 2))
def test_predictions_go_through_a_pipe(number):
    """As with --json /dev/stdout | jq."""
    end, start = os.pipe()
    with PredictionFiles(json_path=f'/dev/fd/{start}') as files:
        for i in range(number):
            files.add(Prediction('v.mp4', i, i + 1.0, [('run', 1.0)]))
    os.close(start)
    with open(end) as pipe:
        assert [p['start'] for p in json.load(pipe)] == list(range(number))


@pytest.mark.parametrize(
    'option, value, words',
    (
        ('--topk', 0, 'topk=0: at least 1'),
        ('--topk', -1, 'topk=-1: at least 1'),
        ('--window', 'nan', 'window=nan must be more than 0 seconds'),
        ('--window', 'inf', 'window=inf must be more than 0 seconds'),
    ),
)
def test_numbers_that_are_none(infer, trained, option, value, words):
    video = trained.folder / 'videos/part0.mp4'
    assert words in infer(video, option, value)
