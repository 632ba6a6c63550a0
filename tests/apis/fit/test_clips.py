"""Own videos: read from wherever they are listed; what was found is said."""

import shutil
from collections import Counter

import pytest

from mmvidadapt.apis.fit.clips import check_source, read_source
from mmvidadapt.apis.fit.sentences import describe_counts, describe_sizes
from mmvidadapt.datasets.prepare.video_facts import VideoFacts
from mmvidadapt.datasets.prepare.video_folders import Clip
from tests.films import encode, film


@pytest.fixture(scope='session')
def films(tmp_path_factory):
    """Write eight different videos."""
    folder = tmp_path_factory.mktemp('films')
    return [encode(folder / f'{i}.mp4', film(3 + i)) for i in range(8)]


@pytest.fixture
def place(films, tmp_path):
    """Return a function that puts films, or bytes, under names."""

    def put(**classes):
        for label, contents in classes.items():
            (tmp_path / label).mkdir()
            for i, content in enumerate(contents):
                path = tmp_path / label / f'{i}.mp4'
                if isinstance(content, bytes):
                    path.write_bytes(content)
                else:
                    shutil.copy(films[content], path)
        return tmp_path

    return put


def found(root):
    """Check everything in a folder."""
    return check_source(read_source(root), num_workers=1)


def test_every_kind_of_source_is_recognised(tmp_path):
    (tmp_path / 'b').mkdir()
    (tmp_path / 'b/y.mp4').write_bytes(b'')
    assert read_source(tmp_path).clips == [Clip('b/y.mp4', 'b')]
    paths = ['my x.mp4', 'y.mp4']
    wanted = [Clip(path, label) for path, label in zip(paths, 'ab')]
    for name, text in {
        't.csv': 'file,label,scene\nmy x.mp4,a,1\ny.mp4,b,1',
        't.txt': 'label;video\na;my x.mp4\nb;y.mp4\n',
        'words.txt': 'my x.mp4 a\r\n\r\ny.mp4 b\r\n',
        'tabs.txt': 'my x.mp4\ta\ny.mp4\tb',
    }.items():
        path = tmp_path / name
        path.write_text(text)
        source = read_source(path)
        assert (source.clips, source.root) == (wanted, tmp_path), name
    path.write_text('my x.mp4 1\ny.mp4 0\n')
    assert [clip.label for clip in read_source(path).clips] == ['1', '0']
    (tmp_path / 'classes.txt').write_text('jump\nrun\n')
    source = read_source(path, tmp_path / 'root')
    assert [clip.label for clip in source.clips] == ['run', 'jump']
    assert source.root == tmp_path / 'root'


@pytest.mark.parametrize(
    'name, text, words',
    [
        ('none', None, 'There is no .*none; give a folder of class folders'),
        ('a.mp4', '', 'a.mp4 is one video; give the folder'),
        ('l.txt', 'a b.mp4\nc.mp4 x\n', "1 lines without a label.*'b.mp4'"),
        ('l.txt', '\n', 'names no video'),
        ('t.csv', 'file,kind\na.mp4,x', 'none is called label .*--label-col'),
    ],
)
def test_what_is_no_source_is_an_error(tmp_path, name, text, words):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=words):
        read_source(tmp_path / name)


def test_what_was_found_is_said(place):
    root = place(run=[0, 1, 2, 0], jump=[3, b'', 4], fall=[b'', b'no film'])
    clips = found(root)
    assert clips.classes == ['jump', 'run'] and len(clips.clips) == 5
    assert set(clips.facts) == {clip.path for clip in clips.clips}
    assert [path for path, _ in clips.rejected] == [
        'fall/0.mp4',
        'fall/1.mp4',
        'jump/1.mp4',
        'run/3.mp4',
    ]
    said = '\n'.join(clips.sentences)
    for words in (
        f"5 clips of 2 classes in {root}: from 2 of 'jump' to 3 of 'run'.",
        '3 to 7 frames (median 5) of 64x48 pixels',
        '4 files are left out. fall/0.mp4: the file is empty.',
        'And 1 more, see the report.',
        "None of the 2 clips of 'fall' can be used (fall/0.mp4: the file is "
        'empty); the model will not know this class.',
        '5 clips are few: where 90 % of them are right, elsewhere 46 to 99 %',
    ):
        assert words in said, words
    data = clips.own_data(dict(train=clips.clips))
    assert data.classes == clips.classes and data.median_frames == 5


def test_a_class_with_one_clip_and_a_rare_one(place):
    said = '\n'.join(found(place(a=[0, 1], b=[2])).sentences)
    assert "One clip of 'b': always trained on" in said
    assert 'left out' not in said and 'tenth' not in said


def test_rare_classes_and_still_clips_are_named():
    counts = Counter(a=60, b=5, c=6, d=1)
    rare = "Less than a tenth of the largest class: 'b'."
    assert rare in describe_counts(counts, list('abcd'))
    sizes = {'x': VideoFacts(1, 8, 6), 'y': VideoFacts(9, 4, 4)}
    assert describe_sizes(sizes) == [
        'The clips have 1 to 9 frames (median 9) of 8x6, 4x4 pixels.',
        '1 clips have a single frame, such as x: nothing moves in them.',
    ]
    assert describe_sizes({'x': VideoFacts(bytes=3)}) == []


@pytest.mark.parametrize(
    'classes, words',
    [
        (dict(a=[0, 1]), "All 2 videos .* one class, 'a'.*called 'other'"),
        (dict(a=[0, 1], b=[b'']), "None of the 1 clips of 'b' .*second class"),
        (dict(a=[0], b=[1]), 'Each of the 2 classes .* has one clip.*ten'),
        (dict(a=[b''], b=[b'']), 'None of the 2 videos .*a/0.mp4: the file'),
        (dict(a=[0, 1], b=[0, 1]), '0.mp4: one content, labels a and b'),
    ],
)
def test_too_little_is_an_error_with_a_way_out(place, classes, words):
    with pytest.raises(ValueError, match=words):
        found(place(**classes))
