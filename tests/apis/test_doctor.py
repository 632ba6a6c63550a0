"""The doctor reports what is there and what is wrong."""

import pytest
import torch
from mmaction.datasets.transforms import DecordDecode

import mmvidadapt
from mmvidadapt.__main__ import main
from mmvidadapt.apis import doctor
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
    assert 'mmaction2 1.' in out and 'decord reads 4 of 4 frames' in out
    for remedy, what in REPORT.items():
        assert f'{remedy}: {what}' in out
    for alias in SOURCES:
        assert f'{alias}: not here' in out
    assert str(home) in out and 'aim/' in out
    assert out.strip().endswith('No problem found.')


def test_a_decoder_that_fails_is_a_problem(monkeypatch, capsys):
    def broken(self, results):
        raise OSError('libavcodec is not there')

    monkeypatch.setattr(DecordDecode, 'transform', broken)
    assert main(['doctor']) == 1
    out = capsys.readouterr().out
    assert 'libavcodec is not there' in out and 'force-reinstall' in out
    assert 'aim/' in out, 'the report goes on'


def test_a_decoder_that_gives_wrong_frames_is_a_problem(monkeypatch):
    right = DecordDecode.transform

    def reversed_frames(self, results):
        results = right(self, results)
        results['imgs'] = results['imgs'][::-1]
        return results

    monkeypatch.setattr(DecordDecode, 'transform', reversed_frames)
    assert 'other frames' in doctor.decoder()[1][0]


def test_missing_and_doubled_packages_are_problems(monkeypatch):
    monkeypatch.setattr(
        doctor,
        'PACKAGES',
        {'no_such': ('no_such_package',), 'two': ('numpy', 'torch')},
    )
    lines, problems = doctor.versions()
    assert 'no_such is missing' in lines
    assert problems[0].startswith('no_such is not installed: pip install')
    assert problems[1].startswith('two is installed 2 times')


def test_a_truncated_download_is_a_problem(home):
    path = home / 'weights' / 'openai_ViT-B-16.pt'
    path.parent.mkdir()
    path.write_bytes(b'x' * 2**20)
    lines, problems = doctor.weights()
    assert f'openai/ViT-B-16: {path}' in lines
    assert problems == [
        f'{path} has 1 of about 335 MiB: delete it and start again.'
    ]
