"""What an earlier run looked at is not looked at again."""

import os

import pytest

from mmvidadapt.datasets.prepare import check_videos
from mmvidadapt.datasets.prepare.check_cache import CHECKED, CheckCache
from mmvidadapt.datasets.prepare.published_datasets import (
    PAPERS,
    prepare_paper,
)
from mmvidadapt.datasets.prepare.video_facts import VideoFacts
from tests.films import encode, film

PATHS = [f'{i}.mp4' for i in range(4)]


@pytest.fixture
def videos(tmp_path, monkeypatch):
    """Four videos, and which of them were looked at."""
    for i, path in enumerate(PATHS):
        encode(tmp_path / path, film(8 + i))
    seen, real = tmp_path / 'seen.txt', check_videos.check_video

    def look(path, level):
        with open(seen, 'a') as file:
            file.write(f'{os.path.basename(path)}\n')
        return real(path, level)

    monkeypatch.setattr(check_videos, 'check_video', look)

    def run(level='decode'):
        seen.write_text('')
        args = (tmp_path, PATHS, level, 1, tmp_path / 'out' / CHECKED)
        result = check_videos.check_videos(*args)
        return (*result, seen.read_text().split())

    return run


def test_a_second_run_looks_at_nothing(videos, capsys):
    facts, bad, seen = videos()
    assert (list(facts), bad, seen) == (PATHS, {}, PATHS)
    assert [f.frames for f in facts.values()] == [8, 9, 10, 11]
    assert 'before' not in capsys.readouterr().out
    assert videos() == (facts, {}, [])
    assert '4 of 4 videos were looked at before' in capsys.readouterr().out


def test_a_run_that_was_cut_off_goes_on(videos, tmp_path, monkeypatch):
    def cut(outcomes, total):
        for number, outcome in enumerate(outcomes):
            if number == 2:
                raise KeyboardInterrupt
            yield outcome

    with monkeypatch.context() as patch:
        patch.setattr(check_videos, 'show_progress', cut)
        with pytest.raises(KeyboardInterrupt):
            videos()
    ledger = tmp_path / 'out' / CHECKED
    ledger.write_text(ledger.read_text()[:-9])  # and the last line torn
    facts, _, seen = videos()
    assert (list(facts), seen) == (PATHS, PATHS[1:])
    lines = ledger.read_bytes()
    assert b'\n\n' not in lines
    assert videos()[2] == []
    assert ledger.read_bytes() == lines


def test_what_changed_or_was_bad_is_looked_at_again(videos, tmp_path):
    (tmp_path / PATHS[1]).write_bytes(b'no video')
    assert list(videos()[1]) == [PATHS[1]]
    encode(tmp_path / PATHS[3], film(20))
    facts, bad, seen = videos()
    assert seen == [PATHS[1], PATHS[3]] and list(bad) == [PATHS[1]]
    assert facts[PATHS[3]].frames == 20
    (tmp_path / PATHS[0]).unlink()
    assert videos()[1][PATHS[0]] == 'there is no such file.'


def test_size_and_time_are_both_looked_at(videos, tmp_path):
    videos()
    before = os.stat(tmp_path / PATHS[0])
    with open(tmp_path / PATHS[0], 'ab') as file:
        file.write(b'\0')
    os.utime(tmp_path / PATHS[0], ns=(0, before.st_mtime_ns))
    os.utime(tmp_path / PATHS[1], ns=(0, before.st_mtime_ns + 10**10))
    assert videos()[2] == PATHS[:2]


def test_a_video_that_was_not_there_is_not_noted(tmp_path):
    known = CheckCache(tmp_path / CHECKED, 'decode')
    assert known.get(str(tmp_path / 'a.mp4')) is None
    known.add(str(tmp_path / 'a.mp4'), VideoFacts(3))
    assert not known.path.exists()


def test_a_closer_look_is_another(videos):
    assert videos('open')[0]['0.mp4'].sha256 == ''
    facts, _, seen = videos('decode')
    assert seen == PATHS and facts['0.mp4'].sha256
    assert videos('open')[2] == videos('decode')[2] == []


def test_lines_of_something_else_are_passed_over(videos, tmp_path):
    ledger = tmp_path / 'out' / CHECKED
    ledger.parent.mkdir()
    ledger.write_bytes(
        b'3\n{"level": "decode", "facts": {"b": 1}}\n[]\n\n\xff\0\n{'
    )
    assert videos()[2] == PATHS
    assert videos()[2] == []


def test_papers_use_it(tmp_path, videos, capsys):
    rows = 'label,youtube_id,time_start,time_end,split\n'
    rows += ''.join(f'a,{i},0,10,train\n' for i in range(4))
    (tmp_path / 'train.csv').write_text(rows)
    (tmp_path / 'val.csv').write_text(rows.replace('train', 'val'))
    for _ in range(2):
        prepare_paper(PAPERS['k400'], tmp_path, tmp_path / 'lists')
    assert (tmp_path / 'lists' / CHECKED).is_file()
    assert '4 of 4 videos were looked at' in capsys.readouterr().out
