"""The ffmpeg of the system is used where it does what it is told."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from mmvidadapt.datasets.prepare import ffmpeg
from mmvidadapt.datasets.prepare.transcode import transcode
from tests import films

from .test_transcode import SAME, SMALL, alike


def script(folder: Path, text: str) -> None:
    """Put a program called ffmpeg into a folder."""
    program = folder / 'ffmpeg'
    program.write_text(f'#!/bin/sh\n{text}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(
    'text',
    [
        'echo "Unknown encoder" >&2; exit 1',
        '[ "$1" = -version ] || { for f; do true; done; : > "$f"; }',
    ],
)
def test_an_ffmpeg_that_fails_is_replaced(text, tmp_path, monkeypatch):
    script(tmp_path, text)
    monkeypatch.setenv('PATH', str(tmp_path), prepend=os.pathsep)
    source = films.encode(tmp_path / 'a.mp4', films.film(12))
    auto = SMALL._replace(encoder='auto')
    assert transcode(source, tmp_path / 'b.mp4', auto).frames == 12
    with pytest.raises(ValueError, match='ffmpeg ended with 1: Unk|empty'):
        transcode(source, tmp_path / 'c.mp4', auto._replace(encoder='ffmpeg'))
    assert not (tmp_path / 'c.mp4').exists()


def test_ffmpeg_is_told_to_keep_every_frame(tmp_path, monkeypatch):
    said = tmp_path / 'said'
    source = films.encode(tmp_path / 'a.mp4', films.film(2))
    for version, option in (
        ('4.4.2-0ubuntu0.22.04.1', '-vsync'),
        ('5.1.9-0+deb12u1', '-fps_mode'),
        ('n7.1', '-fps_mode'),
        ('N-118 git', '-fps_mode'),
    ):
        ffmpeg.every_frame.cache_clear()
        script(
            tmp_path, f'echo "ffmpeg version {version}"; echo "$@" > {said}'
        )
        monkeypatch.setenv('PATH', f'{tmp_path}{os.pathsep}{os.defpath}')
        ffmpeg.encode(source, tmp_path / 'b', (64, 48), dict(crf='7'))
        words = said.read_text().split()
        assert words[words.index(option) + 1] == 'passthrough'
        assert words[words.index('-crf') + 1] == '7'
        assert words[-1] == str(tmp_path / 'b')
    ffmpeg.every_frame.cache_clear()


@pytest.mark.skipif(not shutil.which('ffmpeg'), reason='no ffmpeg here')
def test_the_ffmpeg_of_the_system_does_the_same(tmp_path):
    source = films.encode(tmp_path / 'a.mp4', films.film(30), bf='3')
    copy = transcode(
        source, tmp_path / 'b.mp4', SAME._replace(encoder='ffmpeg')
    )
    assert copy.frames == 30 and copy.psnr > 30
    assert alike(source, tmp_path / 'b.mp4')
