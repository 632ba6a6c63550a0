"""tools/transcode.py as a user calls it."""

import os
import re
import signal
import sys

import decord
import pytest

from tests import films

from .processes import call


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def transcode(monkeypatch, *args):
    with pytest.raises(SystemExit) as stop:
        call(monkeypatch, 'transcode.py', *args)
    return stop.value.code


def test_lists_are_transcoded(tmp_path, monkeypatch, capsys):
    for name in ('a.mp4', 'b.mp4'):
        films.encode(tmp_path / 'src' / name, films.film(20))
    (tmp_path / 'src/b.mp4').write_text('no video')
    for name in ('train', 'val'):
        (tmp_path / f'{name}.txt').write_text('a.mp4 0\nb.mp4 1\n')
    out = tmp_path / 'out'
    args = (tmp_path / 'train.txt', tmp_path / 'val.txt', out)
    args += ('--root', tmp_path / 'src', '--short-side', 32, '--gop', 8)
    assert transcode(monkeypatch, *args) == 1
    printed = capsys.readouterr().out
    assert '1 of 2 videos transcoded, 0 were there, 1 failed.' in printed
    assert re.search(r'failed: b\.mp4: \w+', printed)
    assert re.search(r'MB \([\d.]+\); luma differs by \d\d\.\d dB', printed)
    speeds = re.search(
        r"CPU-second: ([\d.]+) from the originals with mmaction2's pipeline, "
        r'([\d.]+) from the copies with ours, ([\d.]+) times',
        printed,
    )
    before, after, times = map(float, speeds.groups())
    assert times == pytest.approx(after / before, rel=0.1)
    for name in ('train', 'val'):
        assert f'Wrote {out / name}.txt.' in printed
        assert (out / f'{name}.txt').read_text() == 'a.mp4 0\nb.mp4 1\n'
    films.encode(tmp_path / 'src/b.mp4', films.film(15))
    assert transcode(monkeypatch, *args) == 0
    assert '1 of 2 videos transcoded, 1 were' in capsys.readouterr().out


def refuse(*args, **options):
    raise decord.DECORDError('no decoder\nand a trace')


@pytest.mark.parametrize(
    'reader, words',
    [
        (refuse, 'mmaction2 cannot load the originals to compare: no d'),
        (lambda *a, **o: die(), 'compare: the process that read it died of '),
        (None, 'compare: Please run "pip install'),
    ],
    ids=['refuses', 'dies', 'missing'],
)
def test_decoders_that_cannot_read_the_originals_end_no_run(
    reader, words, tmp_path, monkeypatch, capsys
):
    films.encode(tmp_path / 'src/a.mp4', films.film(20))
    if reader:
        monkeypatch.setattr(decord, 'VideoReader', reader)
    else:
        monkeypatch.setitem(sys.modules, 'decord', None)
    args = (tmp_path / 'src', tmp_path / 'out', '--short-side', 32)
    assert transcode(monkeypatch, *args) == 0
    printed = capsys.readouterr().out
    assert '1 of 1 videos transcoded' in printed and words in printed


def test_lists_are_not_written_over(tmp_path, monkeypatch):
    listing = tmp_path / 'train.txt'
    listing.write_text('a.avi 0\n')
    films.encode(tmp_path / 'src/a.avi', films.film(9), codec='mpeg4')
    args = (listing, tmp_path, '--root', tmp_path / 'src')
    said = transcode(monkeypatch, *args)
    assert said.startswith(f'error: {listing} is read and would be written')
    assert not (tmp_path / 'a.avi.mp4').exists()
    assert listing.read_text() == 'a.avi 0\n'


def test_mistakes_are_one_line(tmp_path, monkeypatch):
    (tmp_path / 'list.txt').write_text('a.mp4 0\n')
    args = (tmp_path / 'list.txt', tmp_path / 'out', '--crf', 60)
    assert transcode(monkeypatch, *args).startswith('error: crf=60 must be')
    said = transcode(monkeypatch, tmp_path / 'none.txt', tmp_path / 'out')
    assert said.startswith('error: ') and 'none.txt' in said
