"""Folders and lists are transcoded once, whatever comes between."""

import json
import os

import pytest

from mmvidadapt.apis.data import transcode
from mmvidadapt.datasets.prepare.transcode_source import Settings
from tests import films

SMALL = Settings(short_side=32, gop=8, encoder='pyav')


@pytest.fixture
def folder(tmp_path):
    """Write three videos and a list."""
    src = tmp_path / 'src'
    for i, name in enumerate(('a 1.mp4', 'x/b.MP4', 'c.avi')):
        codec = 'mpeg4' if name.endswith('avi') else 'libx264'
        films.encode(src / name, films.film(10 + i), codec=codec)
    (src / 'list.txt').write_text('x/b.MP4 1\na 1.mp4 0\nc.avi 2\n')
    return src


def run(folder, out, settings=SMALL):
    root, paths = transcode.plan([folder])
    return transcode.transcode_all(root, paths, out, settings)


def test_a_folder_becomes_a_folder(folder, tmp_path):
    work = run(folder, tmp_path / 'out')
    assert sorted(work.done) == ['a 1.mp4', 'c.avi', 'x/b.MP4']
    assert [c.frames for _, c in sorted(work.done.items())] == [10, 12, 11]
    found = [p for p in (tmp_path / 'out').rglob('*') if p.is_file()]
    assert {p.relative_to(tmp_path / 'out').as_posix() for p in found} == {
        'a 1.mp4',
        'x/b.MP4',
        'c.avi.mp4',
        'failed.txt',
        'transcode.json',
    }


def test_an_interrupted_call_goes_on(folder, tmp_path, monkeypatch):
    out = tmp_path / 'out'
    right = transcode.transcode

    def dies(source, target, settings):
        if source.name == 'b.MP4':
            target.parent.mkdir(parents=True, exist_ok=True)
            target.with_name('.part-b.MP4').write_bytes(b'half')
            os._exit(9)
        return right(source, target, settings)

    monkeypatch.setattr(transcode, 'transcode', dies)
    work = run(folder, out)
    assert (
        'x/b.MP4' not in work.done
        and 'ended with status 9' in work.failed['x/b.MP4']
    )
    monkeypatch.setattr(transcode, 'transcode', right)
    before = {p: p.stat().st_mtime_ns for p in out.glob('*.mp4')}
    work = run(folder, out)
    assert list(work.done) == ['x/b.MP4']
    assert sorted(work.there) == ['a 1.mp4', 'c.avi'] and not work.failed
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert not (out / 'x/.part-b.MP4').exists()
    films.encode(folder / 'c.avi', films.film(5), codec='mpeg4')
    assert list(run(folder, out).done) == ['c.avi']  # it is newer


def test_other_settings_need_another_folder(folder, tmp_path):
    run(folder, tmp_path / 'out')
    other = SMALL._replace(gop=4)
    with pytest.raises(ValueError, match="'gop': 8.*not .*'gop': 4"):
        run(folder, tmp_path / 'out', other)
    run(folder, tmp_path / 'out', SMALL._replace(encoder='auto'))
    for bad in (dict(gop=0), dict(short_side=2), dict(crf=52), dict(crf=-1)):
        name, value = next(iter(bad.items()))
        with pytest.raises(ValueError, match=f'{name}={value}'):
            run(folder, tmp_path / 'new', SMALL._replace(**bad))


def test_lists_are_written_again(folder, tmp_path):
    (folder / 'b.mp4').write_text('no video')
    (folder / 'test.txt').write_text('b.mp4 1\nnone.mp4 0\na 1.mp4 2\n')
    sources = [folder / 'list.txt', folder / 'test.txt']
    root, paths = transcode.plan(sources)
    out = tmp_path / 'out'
    work = transcode.transcode_all(root, paths, out, SMALL)
    assert sorted(work.failed) == ['b.mp4', 'none.mp4']
    assert 'No such file' in work.failed['none.mp4']
    failed = (out / 'failed.txt').read_text().splitlines()
    assert [line.split('\t')[0] for line in failed] == ['b.mp4', 'none.mp4']
    assert [p.read_text() for p in transcode.write_lists(sources, out)] == [
        'x/b.MP4 1\na 1.mp4 0\nc.avi.mp4 2\n',
        'b.mp4 1\nnone.mp4 0\na 1.mp4 2\n',  # nothing is lost
    ]
    with pytest.raises(ValueError, match='Two lists have the same name'):
        transcode.write_lists([sources[0], tmp_path / 'list.txt'], out)


def test_what_cannot_be_placed_is_refused(folder, tmp_path):
    with pytest.raises(ValueError, match='one folder, or lists only'):
        transcode.plan([folder, folder])
    (folder / 'list.txt').write_text('../src/c.avi 0\n')
    with pytest.raises(ValueError, match=r"'\.\./src/c.avi' is not below"):
        transcode.plan([folder / 'list.txt'])
    films.encode(folder / 'c.avi.mp4', films.film(5))
    with pytest.raises(ValueError, match=r'would become .*/c\.avi\.mp4'):
        run(folder, tmp_path / 'out')


def test_the_copies_are_loaded_faster(tmp_path):
    """At a tenth of the pixels, whatever the noise of the clock."""
    frames = films.film(10, 640, 360) * 14
    films.encode(tmp_path / 'a.mp4', frames, preset='ultrafast')
    out = tmp_path / 'out'
    settings = SMALL._replace(short_side=64)
    transcode.transcode_all(tmp_path, ['a.mp4'], out, settings, 1)
    before, after = transcode.loading_speeds(tmp_path, ['a.mp4'], out, 1)
    assert after > 1.5 * before > 0
    assert json.loads((out / 'transcode.json').read_text())['gop'] == 8


def test_nothing_is_written_over(folder):
    (folder / 'list.txt').rename(folder / 'train.txt')
    before = {p: p.read_bytes() for p in folder.rglob('*') if p.is_file()}
    for out in (folder, folder / 'x/..'):
        with pytest.raises(ValueError, match='would be written over'):
            run(folder, out)
    with pytest.raises(ValueError, match='would be written over'):
        transcode.write_lists([folder / 'train.txt'], folder)
    assert before == {
        p: p.read_bytes() for p in folder.rglob('*') if p.is_file()
    }


def test_copies_below_the_folder_are_not_copied_again(folder):
    first = run(folder, folder / 'small')
    again = run(folder, folder / 'small')
    assert sorted(again.there) == sorted(first.done) and not again.done
