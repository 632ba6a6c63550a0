"""Groups come from patterns, columns, names and looks, and are told."""

import pytest

from mmvidadapt.apis.fit.clips import read_source
from mmvidadapt.apis.fit.groups import find_groups, given_groups, join_groups
from mmvidadapt.apis.fit.path_groups import find_part
from mmvidadapt.datasets.prepare.video_folders import Clip
from tests.apis.fit.test_scenes import features

TABLE = """file,label,Subject,scene,take
a.mp4,run,anna,1,1
b.mp4,jump,anna,2,2
c.mp4,run,ben,{third},1
d.mp4,jump,ben,{third},2
"""


@pytest.fixture
def table(tmp_path):
    """Return a function that reads the table and groups what it names."""

    def group(third='3', **how):
        path = tmp_path / 'clips.csv'
        path.write_text(TABLE.format(third=third))
        source, said = given_groups(read_source(path), path, **how)
        return [clip.group for clip in source.clips], said

    return group


def test_columns_are_joined(table):
    apart = 'they are never on two sides of a split.'
    groups, said = table()
    assert groups == ['anna, 1'] * 2 + ['ben, 3'] * 2
    assert said == [
        f'2 groups of 2 clips by the columns Subject, scene; {apart}'
    ]
    # A scene that both share would make one group of all.
    groups, said = table(third='2')
    assert groups == ['anna'] * 2 + ['ben'] * 2
    assert said[0] == f'2 groups of 2 clips by the column Subject; {apart}'
    assert 'Clips with one scene are on both sides' in said[1]
    assert table(third='2', columns=['scene'])[0] == ['1', '2', '2', '2']
    groups, said = table(third='', columns=['scene'])
    assert groups == ['1', '2', None, None]
    assert '2 groups of 1 clips by --group-column scene, 2 clips h' in said[0]
    assert table(pattern='^[ab]|[cd]')[0] == list('abcd')
    assert join_groups(['a', '', 'a'], ['', 'x', 'x']) == ['a', 'a', 'a']
    assert join_groups(['', '']) == [None, None]
    assert join_groups(['a', 'b'], ['', '']) == ['a', 'b']


@pytest.mark.parametrize(
    'how, words',
    [
        (dict(columns=['Subject', 'scene'], third='2'), "group, 'anna, 1'"),
        (dict(columns=['room']), 'none is called room.*--group-column'),
        (dict(pattern=r'\.mp4'), r"pattern '\\.mp4': all 4 clips .*'.mp4'"),
        (dict(pattern='x'), 'matches nothing in 4 of 4 paths'),
        (dict(pattern='x', columns=['scene']), 'give one of them'),
    ],
)
def test_groups_that_divide_nothing_are_an_error(table, how, words):
    with pytest.raises(ValueError, match=words):
        table(**how)


def paths(*forms):
    """Make clips of six people, in three classes, twice."""
    return [
        Clip(form.format(label, who, take, n), label)
        for n, (who, label, take, form) in enumerate(
            (who, label, take, form)
            for form in forms
            for who in ('ann', 'ben', 'cy', 'dan', 'eve', 'flo')
            for label in ('run', 'big jump', 'fall')
            for take in (1, 2)
        )
    ]


@pytest.mark.parametrize(
    'form, where',
    [
        ('{0}_{1}_{2}.mp4', 'part of the name 1'),
        ('{1}-{0}-{3}.mp4', 'part of the name 1'),
        ('{0}/{1}/{2}.mp4', 'folder 1'),
        ('{0}/{1}/a/{2}_{3}.mp4', 'folder 1'),
        ('x/{0}/{0}{1}.mp4', None),
        ('{0}/{3}.mp4', None),
        ('{0}/{2}{2}.mp4', None),
    ],
)
def test_names_of_people_are_found(form, where):
    clips = paths(form)
    part, others = find_part(clips)
    assert (part and part.where) == where and not others
    if where:
        people = ('ann', 'ben', 'cy', 'dan', 'eve', 'flo')
        assert part.values == [p for p in people for _ in range(6)]
        assert f"{where} ('ann', 6 values)" in find_groups(clips)[1][0]


def test_numbers_and_folders_of_classes_are_no_groups():
    counted = [Clip(f'{k}_{i}.mp4', k) for k in 'abc' for i in range(6)]
    assert find_part(counted) == (None, [])
    dates = [c._replace(path=f'{c.label}-2024010{c.path[2]}-{i}.avi')
             for i, c in enumerate(counted)]  # fmt: skip
    assert find_part(dates).part.values[0] == '20240100'
    folders = [Clip(f'{k}{k}/{i}.mp4', k) for k in 'abcd' for i in range(3)]
    assert find_part(folders).part is None
    # A folder goes before a name, whatever that is.
    both = [Clip(f'{k}/{who}/cam{cam}_{who}{k}.mp4', k)
            for k in 'abc' for who in 'pqrs' for cam in range(4)]  # fmt: skip
    part, others = find_part(both)
    assert part.where == 'folder 1' and not others


def test_parts_that_may_both_be_groups():
    clips = [
        Clip(f'{label}_{kind}{s}_t{t}.mp4', label)
        for kind in 's'
        for s in range(5)
        for t in range(4)
        for label in ('a', 'b')
    ]
    part, others = find_part(clips)
    assert part.values[0] == 's0' and [o.values[0] for o in others] == ['t0']
    assert "too: part of the name 2 ('t0', 4 v" in find_groups(clips)[1][-1]
    strange = [c._replace(path=c.path.replace('s', 'q')) for c in clips]
    assert find_part(strange).part is None
    # What they look like decides.
    for digit, value in ((3, 'q0'), (6, 't0')):
        alike = features([int(c.path[digit]) for c in strange])
        said = find_groups(strange, alike)[1]
        assert f"('{value}', " in said[0] and 'group-pattern' in said[0]
    one = [int(c.path[3]) % 4 for c in strange]  # two people, alike
    said = find_groups(strange, features(one))[1]
    assert "('q0', " in said[0] and '1 pairs of groups look like' in said[1]
    # By neither: they are grouped by what they look like.
    rooms = [i % 7 for i in range(40)]
    found, said = find_groups(strange, features(rooms))
    assert '7 groups of 5 to 6 clips by what they look like' in said[0]
    assert 'could be groups, too' in said[1]


def test_folders_within_classes_are_groups():
    clips = [Clip(f'{k}/v{g}/{i}', k) for k in 'ab' for g in (k + '1', k + '2')
             for i in range(3)]  # fmt: skip
    assert find_part(clips).part.values[0] == 'a/va1'


def test_what_is_said_of_looks():
    clips = [Clip(f'{i}.mp4', 'ab'[i % 2]) for i in range(24)]
    rooms = [i // 4 for i in range(24)]
    found, said = find_groups(clips, features(rooms))
    assert len({clip.group for clip in found}) == 6 and len(said) == 1
    found, said = find_groups(clips, features(range(24)))
    assert len({clip.group for clip in found}) == 24
    assert 'No two clips are of one recording' in said[0]
    # Every class in a room of its own.
    found, said = find_groups(clips, features([i % 2 for i in range(24)], 0.1))
    assert 'holds all clips of a class: whether a model knows' in said[0]
    assert found == clips
    assert 'There are no groups' in find_groups(clips)[1][0]
    # Groups that are given stay; what looks alike is warned of.
    given = [c._replace(group=str(i // 2)) for i, c in enumerate(clips)]
    assert find_groups(given) == (given, [])
    found, said = find_groups(given, features(rooms))
    assert found == given and '6 pairs of groups look like one' in said[0]
