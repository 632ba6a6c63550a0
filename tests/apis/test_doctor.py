"""The doctor reports what is there and what is wrong."""

import sys

import pytest
import torch

import mmvidadapt
from mmvidadapt.__main__ import main
from mmvidadapt.apis.train import doctor
from mmvidadapt.datasets.readers.pyav import PyAVReader
from mmvidadapt.utils.compat import REPORT
from mmvidadapt.weights import SOURCES


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Look for weights in an empty folder."""
    monkeypatch.setenv('MMVIDADAPT_HOME', str(tmp_path))
    return tmp_path


def test_a_sound_installation_has_no_problem(home, capsys):
    assert main(['doctor']) == 0
    out = capsys.readouterr().out
    assert f'torch {torch.__version__.split("+")[0]}' in out
    assert f'mmvidadapt {mmvidadapt.__version__}' in out
    assert 'mmaction2 1.' in out and 'av reads 4 of 4 frames' in out
    assert 'mmaction2 and mmvidadapt import' in out
    for remedy, what in REPORT.items():
        assert f'{remedy}: {what}' in out
    for alias, source in SOURCES.items():
        assert (f'{alias}: not here' in out) == (source.hub is None)
    assert str(home) in out and 'aim/' in out
    assert out.strip().endswith('No problem found.')


def test_a_decoder_that_fails_is_a_problem(monkeypatch, capsys):
    def broken(self, numbers):
        raise OSError('libavcodec is not there')

    monkeypatch.setattr(PyAVReader, 'get_frames', broken)
    assert main(['doctor']) == 1
    out = capsys.readouterr().out
    assert 'libavcodec is not there' in out and 'force-reinstall' in out
    assert 'aim/' in out, 'the report goes on'


def test_a_decoder_that_gives_wrong_frames_is_a_problem(monkeypatch):
    right = PyAVReader.get_frames
    monkeypatch.setattr(
        PyAVReader, 'get_frames', lambda *args: right(*args)[::-1]
    )
    assert 'other frames' in doctor.decoder()[1][0]


def test_decord_may_be_absent(monkeypatch):
    """It has no wheels for Linux on ARM, nor for macOS."""
    monkeypatch.setattr(
        doctor, 'find_spec', lambda name: None if name == 'decord' else name
    )
    monkeypatch.setitem(doctor.PACKAGES, 'decord', ('no_such_package',))
    lines, problems = doctor.versions()
    assert 'decord is not installed: PyAV reads videos' in lines
    assert not problems
    assert doctor.decoder() == (['av reads 4 of 4 frames'], [])


def test_missing_and_doubled_packages_are_problems(monkeypatch):
    monkeypatch.setattr(
        doctor,
        'PACKAGES',
        {'no_such': ('no_such_package',), 'cv2': ('one', 'two')},
    )
    versions = dict(one='5.1.0.95', two='5.0.0.93')
    monkeypatch.setattr(
        doctor,
        'installed',
        lambda names: {n: versions[n] for n in names if n in versions},
    )
    lines, problems = doctor.versions()
    assert 'no_such is missing' in lines
    assert problems[0].startswith('no_such is not installed: pip install')
    assert problems[1].startswith('cv2 is installed 2 times (5.1.0.95 (one)')
    assert problems[1].endswith('one==5.0.0.93 two==5.0.0.93')
    versions['one'] = '5.0.0.93'
    assert len(doctor.versions()[1]) == 1


def test_a_version_out_of_bounds_is_a_problem(monkeypatch):
    asked = ['numpy>=1.26', 'torch<2.0', 'av<1; sys_platform == "amiga"']
    monkeypatch.setattr(doctor, 'requires', lambda name: asked)
    lines, (problem,) = doctor.bounds()
    assert problem.startswith(f'torch {doctor.version("torch")} is installed')
    assert problem.endswith("pip install 'torch<2.0'")
    assert len(lines) == 1


def test_a_host_that_does_not_import_is_a_problem(monkeypatch):
    monkeypatch.delitem(sys.modules, doctor.EVERYTHING, raising=False)
    monkeypatch.setitem(sys.modules, 'mmaction.utils', None)
    problem = doctor.imports()[1][0]
    assert 'mmaction.utils' in problem and 'tested.txt' in problem


def test_a_truncated_download_is_a_problem(home):
    path = home / 'weights' / 'openai_ViT-B-16.pt'
    path.parent.mkdir()
    path.write_bytes(b'x' * 2**20)
    lines, problems = doctor.weights()
    assert f'openai/ViT-B-16: {path}' in lines
    assert problems == [
        f'{path} has 1 of about 335 MiB: delete it and start again.'
    ]
