"""Own videos: read from folders, tables and lists, checked, split."""

import json
import re
import shutil

import pytest

from mmvidadapt.datasets.prepare.check_videos import (
    check_video,
    drop_duplicates,
)
from mmvidadapt.datasets.prepare.own_videos import (
    find_warnings,
    prepare_own,
    write_own,
)
from mmvidadapt.datasets.prepare.split_clips import split_into
from mmvidadapt.datasets.prepare.video_folders import (
    Clip,
    Source,
    group_by,
    read_folder,
)
from mmvidadapt.utils.printable import in_code
from tests.films import encode, film

FRAMES = 12
NAMES = ('train', 'val', 'classes')


@pytest.fixture(scope='session')
def videos(tmp_path_factory):
    """Write six different videos."""
    folder = tmp_path_factory.mktemp('films')
    for i in range(6):
        encode(folder / f'{i}.mp4', film(FRAMES + i))
    return folder


@pytest.fixture
def folder(videos, tmp_path):
    """Sort them into class folders, some of them deeper."""
    for i, place in enumerate(
        ('run/a 1.mp4', 'run/x/b.MP4', 'jump/c.mp4', 'jump/d.mp4')
    ):
        target = tmp_path / 'src' / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(videos / f'{i}.mp4', target)
    return tmp_path / 'src'


def halves(clips):
    """Put every clip into training and evaluation."""
    return dict(train=list(clips), val=list(clips), test=[])


def test_class_folders(folder):
    (folder / 'jump/notes.txt').write_text('no video')
    (folder / '.hidden').mkdir()
    (folder / '.hidden/e.mp4').write_bytes(b'')
    (folder / 'loop').symlink_to(folder)
    paths = ('jump/c.mp4', 'jump/d.mp4', 'run/a 1.mp4', 'run/x/b.MP4')
    wanted = [Clip(path, path.partition('/')[0]) for path in paths]
    assert read_folder(folder).clips == wanted
    (folder / 'stray.mp4').write_bytes(b'')
    with pytest.raises(ValueError, match="1 videos .* 'stray.mp4'"):
        read_folder(folder)
    with pytest.raises(ValueError, match=r'no video in .*\.mp4'):
        read_folder(folder / '.hidden/none')


def test_folders_of_splits(folder):
    (folder / 'train').mkdir()
    (folder / 'Validation').mkdir()
    (folder / 'run').rename(folder / 'train/run')
    (folder / 'jump').rename(folder / 'Validation/jump')
    clips = read_folder(folder).clips
    assert {(c.label, c.split) for c in clips} == {
        ('run', 'train'),
        ('jump', 'val'),
    }
    parts = split_into(clips, (0.5, 0.5, 0.0))  # what is given stays
    assert [len(parts[s]) for s in ('train', 'val', 'test')] == [2, 2, 0]


def test_groups_come_from_the_paths(folder):
    source = group_by(read_folder(folder), r'/(?:x/)?(\w)')
    assert [c.group for c in source.clips] == ['c', 'd', 'a', 'b']
    with pytest.raises(ValueError, match="nothing in 3 of 4.*'jump/c.mp4'"):
        group_by(source, 'x/')
    with pytest.raises(ValueError, match='nothing in 2 of 4.*jump/c.mp4'):
        group_by(source, r'/(a|b|x)|/\w')  # matches, but has no group
    with pytest.raises(ValueError, match=r"'\(': missing \)"):
        group_by(source, '(')


def test_what_is_known_of_a_video(videos):
    path = str(videos / '1.mp4')
    whole, opened, there = (
        check_video(path, level) for level in ('decode', 'open', 'exists')
    )
    assert whole[:3] == opened[:3] == (FRAMES + 1, 64, 48)
    assert len(whole.sha256) == 64 and not opened.sha256
    assert whole.bytes == there.bytes > 0 == there.frames


def damaged(data):
    """Damage in the second half of the frames, where opening sees nothing."""
    data = bytearray(data)
    begin = data.index(b'mdat') + 4
    size = int.from_bytes(data[begin - 8 : begin - 4], 'big') - 8
    data[begin + size // 2 : begin + size] = bytes(size - size // 2)
    return bytes(data)


def test_bad_files_are_left_out_and_named(folder, videos, tmp_path):
    data = (videos / '4.mp4').read_bytes()
    first = (videos / '0.mp4').read_bytes()
    bad = {
        'run/empty.mp4': (b'', 'the file is empty.'),
        'run/text.mp4': (b'no video at all' * 50, 'cannot be read as a video'),
        'run/short.mp4': (data[: len(data) // 2], 'cannot be read as a video'),
        'run/late.mp4': (damaged(data), 'decoded'),
        'run/tab\t.mp4': (data, 'rename it'),
        'run/twin.mp4': (first, 'the same content as run/a 1.mp4.'),
        'jump/two.mp4': (data, 'labels jump and run: jump/two.mp4 and run/tw'),
        'run/two.mp4': (data, 'labels jump and run: jump/two.mp4 and run/tw'),
    }
    for name, (content, _) in bad.items():
        (folder / name).write_bytes(content)
    own = prepare_own(read_folder(folder), halves, num_workers=2)
    reasons = dict(own.rejected)
    assert sorted(reasons) == sorted(bad)
    for name, (_, words) in bad.items():
        assert words in reasons[name], name
    write_own(own, tmp_path / 'out')
    lists = {n: (tmp_path / f'out/{n}.txt').read_text() for n in NAMES}
    listed = 'jump/c.mp4 0\njump/d.mp4 0\nrun/a 1.mp4 1\nrun/x/b.MP4 1\n'
    assert lists == dict(train=listed, val=listed, classes='jump\nrun\n')
    page = (tmp_path / 'out/report.md').read_text()
    assert all(f'- {in_code(name)}: ' in page for name in bad)
    assert '| jump | 0 | 2 | 2 | 0 |' in page
    content = json.loads((tmp_path / 'out/report.json').read_text())
    assert content['counts']['train'] == dict(jump=2, run=2)
    assert content['videos']['run/a 1.mp4']['frames'] == FRAMES
    assert {r['path'] for r in content['rejected']} == set(bad)


def test_what_is_lost_as_a_whole_is_said(folder, tmp_path):
    (folder / 'none').mkdir()
    (folder / 'none/a.txt').write_bytes(b'')
    (folder / 'loop').symlink_to(folder)
    (folder / 'bad').mkdir()
    (folder / 'bad/a.mp4').write_bytes(b'')
    own = prepare_own(read_folder(folder), halves)
    warnings = write_own(own, tmp_path / 'out')
    assert any(
        re.fullmatch(r'No video \(.*\) in: loop, none\.', w) for w in warnings
    )
    assert 'No video that can be used of: bad.' in warnings
    assert own.classes == ['jump', 'run']


def test_groups_that_a_given_split_tears_apart_are_said(folder, tmp_path):
    source = group_by(read_folder(folder), '(run|jump)')
    warned = find_warnings(prepare_own(source, halves))
    assert '2 groups are in more than one split: jump ...' in warned
    source = read_folder(folder)
    assert find_warnings(prepare_own(source, halves)) == []


def test_a_path_given_twice_stays_once(videos):
    facts = {'a': check_video(str(videos / '0.mp4'))}
    kept, dropped = drop_duplicates([Clip('a', 'x'), Clip('a', 'x')], facts)
    assert kept == [Clip('a', 'x')] and len(dropped) == 1
    kept, dropped = drop_duplicates([Clip('a', 'x'), Clip('a', 'y')], facts)
    assert kept == [] and 'labels x and y: a.' in dropped[0][1]


def test_what_may_go_wrong_is_said(folder, tmp_path, videos):
    shutil.copy(videos / '4.mp4', folder / 'jump/10.mp4')
    source = read_folder(folder)

    def uneven(clips):
        train = [c for c in clips if c.label == 'jump']
        return dict(train=train, val=list(clips), test=[])

    warnings = write_own(prepare_own(source, uneven), tmp_path / 'out')
    assert warnings == ['No train video of: run.']
    page = (tmp_path / 'out/report.md').read_text()
    assert f'- {warnings[0]}' in page
    one = source._replace(clips=[c for c in source.clips if c.label == 'run'])
    with pytest.raises(ValueError, match="one class, 'run'"):
        prepare_own(one, halves)
    none = source._replace(clips=[Clip('none.mp4', 'run')])
    with pytest.raises(ValueError, match='None of 1 .*none.mp4: there is no'):
        prepare_own(none, halves)


def test_labels_that_are_numbers_keep_their_order(videos):
    clips = [Clip(f'{i}.mp4', label) for i, label in enumerate(('10', '9'))]
    source = Source(videos, clips)
    assert prepare_own(source, halves).classes == ['9', '10']


MANY = [('b', 'a'), ('a',), (), ('10', 'a')]
TASKS = [('v: cut', 'n: 10'), ('n: 9',), ('v: wash', 'n: 9')]


@pytest.mark.parametrize(
    ('labels', 'kind', 'classes', 'lines'),
    [
        (
            MANY,
            dict(several=True),
            ['10', 'a', 'b'],
            ['1 2', '1', '-1', '0 1'],
        ),
        (
            TASKS,
            dict(tasks=('v', 'n')),
            ['n: 9', 'n: 10', 'v: cut', 'v: wash'],
            ['0 1', '-1 0', '1 0'],
        ),
    ],
)
def test_clips_with_several_labels(
    labels, kind, classes, lines, videos, tmp_path
):
    paths = [f'{i}.mp4' for i in range(len(labels))]
    clips = [Clip(path, label) for path, label in zip(paths, labels)]
    data = prepare_own(Source(videos, clips, **kind), halves)
    write_own(data, tmp_path)
    text = (tmp_path / 'train.txt').read_text()
    assert text == ''.join(f'{p} {n}\n' for p, n in zip(paths, lines))
    assert (tmp_path / 'classes.txt').read_text().split('\n')[:-1] == classes
    page = (tmp_path / 'report.md').read_text()
    assert f'| all | | {len(labels)} | {len(labels)} | 0 |' in page
    bare = [Clip('0.mp4', ('v: cut', 'n: a')), Clip('1.mp4', ('n: b',))]
    with pytest.raises(ValueError, match="one class, 'v: cut'"):
        prepare_own(Source(videos, bare, tasks=('v', 'n')), halves)


def test_one_content_with_two_sets_of_labels(videos):
    facts = {f'{i}.mp4': check_video(str(videos / '0.mp4')) for i in range(3)}
    clips = [Clip(path, ('a', 'b')) for path in facts]
    clips[1] = Clip('1.mp4', ('b', 'a'))
    kept, _ = drop_duplicates(clips, facts)
    assert kept == clips[:1]
    clips[2] = Clip('2.mp4', ('a',))
    kept, dropped = drop_duplicates(clips, facts)
    assert kept == [] and 'one content, labels a and a, b' in dropped[0][1]
