"""Own videos in tables and lists; mistakes are named with their lines."""

import pytest

from mmvidadapt.datasets.prepare.annotation_lists import keep_sources
from mmvidadapt.datasets.prepare.csv_table import read_csv
from mmvidadapt.datasets.prepare.video_folders import Clip, read_labels


def test_a_table(tmp_path):
    table = tmp_path / 'clips.csv'
    table.write_bytes(
        '\ufeffFile;label;who;Subset\r\nä b.mp4;run;Ann;train\r\n'
        'c.mp4;"a;b";Bob;Testing\r\n'.encode()
    )
    source = read_csv(table, columns=dict(group='who'))
    assert source.root == tmp_path
    assert source.clips == [
        Clip('ä b.mp4', 'run', 'Ann', 'train'),
        Clip('c.mp4', 'a;b', 'Bob', 'test'),
    ]
    with pytest.raises(ValueError, match='none is called room.*--group-col'):
        read_csv(table, columns=dict(group='room'))
    table.write_text('path,label,split\na.mp4,,train\n,run,nowhere\n')
    with pytest.raises(ValueError) as error:
        read_csv(table)
    for words in ('line 2: it has no label', 'line 3: it has no path', 'nowh'):
        assert words in str(error.value)


def test_a_list(tmp_path):
    path = tmp_path / 'list.txt'
    path.write_text('a 1.mp4 1\nb.mp4 0\n')
    source = read_labels(path, classes=['run', 'jump', 'fly'])
    assert source.classes == ['run', 'jump', 'fly']
    assert [c.label for c in source.clips] == ['jump', 'run']
    path.write_text('a 1.mp4\t1\nb.mp4\t3\n')
    assert read_labels(path).classes == ['0', '1', '2', '3']
    with pytest.raises(ValueError, match='up to 3.* 2 classes'):
        read_labels(path, classes=['run', 'jump'])


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        (b'', 'none is called path'),
        (b'path,label\n', 'no line below its header'),
        (b'path,label\n\n\na.mp4,\n', 'line 4: it has no label'),
        (b'path,label\na, b.mp4,run\n', "line 2: 'run' is too much; put"),
        (b'path,label\na.mp4,\xe9t\xe9\n', 'line 2 holds the byte 0xe9'),
        (b'path,label\na.mp4,"x\ny"\n', 'line 3: its label has a line br'),
        (b'path,label\n"%s",x\n' % (b'a' * 200_000), 'line 2: field larger'),
        ('path,label\na.mp4,x\n'.encode('utf-16'), 'line 1 holds the byte'),
    ],
)
def test_mistakes_in_a_table_are_named(content, words, tmp_path):
    table = tmp_path / 'clips.csv'
    table.write_bytes(content)
    with pytest.raises(ValueError, match='clips.csv') as error:
        read_csv(table)
    assert words in str(error.value)


def test_all_line_ends_are_read(tmp_path):
    table = tmp_path / 'clips.csv'
    for end in ('\n', '\r\n', '\r'):
        table.write_bytes(end.join(['path,label', 'a.mp4,x', '']).encode())
        assert read_csv(table).clips == [Clip('a.mp4', 'x')]


def test_what_is_read_is_not_written_over(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / 'train.txt'
    keep_sources([path], [tmp_path / 'out/train.txt'])
    with pytest.raises(ValueError, match='train.txt is read and would be'):
        keep_sources([path], [tmp_path / 'x/../train.txt'])
    (tmp_path / 'link').symlink_to(tmp_path)
    with pytest.raises(ValueError, match='choose another folder'):
        keep_sources([tmp_path / 'link/train.txt'], [path])


def test_several_labels_of_a_clip(tmp_path):
    table = tmp_path / 'clips.csv'
    table.write_text('path,label\na.mp4,run; jump;run\nb.mp4,fly\nc.mp4,;\n')
    source = read_csv(table, separator=';')
    assert source.several and not source.tasks
    assert [c.labels for c in source.clips] == [
        ('run', 'jump'),
        ('fly',),
        (),
    ]
    assert read_csv(table).clips[0].label == 'run; jump;run'
    table.write_text('path;label\na.mp4;"run;jump"\n')
    for sign, several in ((';', False), ('|', False), (None, False)):
        source = read_csv(table, separator=sign)
        assert source.clips == [Clip('a.mp4', 'run;jump')]
        assert source.several == several
    table.write_text('path;label\na.mp4;run|jump\n')
    assert read_csv(table, separator='|').clips[0].label == ('run', 'jump')


def test_a_column_for_every_task(tmp_path):
    table = tmp_path / 'clips.csv'
    table.write_text('file,Verb,noun,who\na.mp4,cut,lid,A\nb.mp4,,cup;lid,B\n')
    columns = dict(label=['verb', 'noun'], group='who')
    source = read_csv(table, columns=columns, separator=';')
    assert source.tasks == ('verb', 'noun') and not source.several
    assert source.clips == [
        Clip('a.mp4', ('verb: cut', 'noun: lid'), 'A'),
        Clip('b.mp4', ('noun: cup;lid',), 'B'),
    ]
    one = read_csv(table, columns=dict(label=['noun']))
    assert (one.clips[0].label, one.tasks) == ('lid', ())
    table.write_text(
        'file,verb,noun\na.mp4,cut,lid\nb.mp4,,\nc.mp4,"a\nb",c\n'
    )
    with pytest.raises(ValueError) as error:
        read_csv(table, columns=dict(label=['verb', 'noun']))
    assert 'line 3: it has no label; line 5: its label has a' in str(
        error.value
    )
    with pytest.raises(ValueError, match='called adverb.*--label-column'):
        read_csv(table, columns=dict(label=['verb', 'adverb']))
