"""Official annotation files as other systems save them, and broken ones."""

import json

import pytest

from mmvidadapt.datasets.prepare.published_datasets import PAPERS

VIDEOS = [dict(vid_name='a', label=0), dict(vid_name='b', label=1)]
ITEMS = [dict(id=1, template='Moving [something]')]
FILES = dict(
    k400=dict.fromkeys(
        ('train.csv', 'val.csv'),
        'label,youtube_id,time_start,time_end,split\nrun,abc,1,11,x\n',
    ),
    ssv2={
        'labels.json': json.dumps({'Moving something': '0'}),
        'train.json': json.dumps(ITEMS),
        'validation.json': json.dumps(ITEMS),
    },
    diving48={
        'Diving48_vocab.json': json.dumps([['Back', '15som'], ['Fwd', 'x']]),
        'Diving48_V2_train.json': json.dumps(VIDEOS, indent=1),
        'Diving48_V2_test.json': json.dumps(VIDEOS),
    },
    charades={
        'Charades_v1_classes.txt': 'c001 Put\nc000 Hold "it"\n',
        'Charades_v1_train.csv': 'id,script,actions\n'
        'A1,"one, two",c001 0.0 2.5;c000 1 2;c001 3 4\nB2,x,\n',
        'Charades_v1_test.csv': 'id,actions\nC3,c000 1 2\n',
    },
    epic100={
        'EPIC_100_verb_classes.csv': 'id,key,more\n0,take,"a, b"\n1,put,c\n',
        'EPIC_100_noun_classes.csv': 'id,key\n1,lid\n0,cup\n',
        'EPIC_100_train.csv': 'narration_id,narration,verb_class,noun_class\n'
        'P01_01_0,"put, slowly",1,0\nP01_01_1,take lid,0,1\n',
        'EPIC_100_validation.csv': 'narration_id,verb_class,noun_class\n'
        'P02_01_0,0,0\n',
    },
    hmdb51={f'run_test_split{k}.txt': 'a.avi 1 \nb.avi 2 \n' for k in '123'},
    ucf101={
        'classInd.txt': '1 Dive\n2 Run\n',
        'trainlist01.txt': 'Dive/v_g1.avi 1\nRun/v_g1.avi 2\n',
        'testlist01.txt': 'Run/v_g2.avi\n',
    },
)


def write(folder, kind, change):
    for name, text in FILES[kind].items():
        (folder / name).write_bytes(change(text))
    return PAPERS[kind].read(folder)


@pytest.mark.parametrize('kind', FILES)
def test_byte_order_marks_and_line_ends_do_not_matter(kind, tmp_path):
    official = write(tmp_path, kind, str.encode)
    assert all(official.splits.values())

    def as_windows(text):
        return ('\ufeff' + text.replace('\n', '\r\n')).encode()

    assert write(tmp_path, kind, as_windows) == official


@pytest.mark.parametrize(
    ('kind', 'file', 'content', 'words'),
    [
        (
            *('charades', 'Charades_v1_test.csv'),
            b'id,actions\nC3,c000 1 2\nD4,c007 1 2\n',
            'Charades_v1_test.csv, line 3',
        ),
        (
            *('charades', 'Charades_v1_classes.txt'),
            b'c000 Hold\nPut\n',
            "line 2: 'Put' is not",
        ),
        (
            *('epic100', 'EPIC_100_validation.csv'),
            b'narration_id,verb_class,noun_class\na,0,0\nb,2,0\n',
            'EPIC_100_validation.csv, line 3',
        ),
        (
            *('epic100', 'EPIC_100_train.csv'),
            b'narration_id,verb_class\na,0\n',
            'EPIC_100_train.csv, line 2',
        ),
        (
            *('epic100', 'EPIC_100_noun_classes.csv'),
            b'id,key\n1,lid\n2,cup\n',
            'does not number its classes from 0',
        ),
        ('ssv2', 'train.json', b'<html>', 'train.json is no JSON: Expecting'),
        ('ssv2', 'labels.json', b'[]', 'labels.json holds a list, not a dic'),
        ('ssv2', 'validation.json', b'{}', 'holds a dict, not a list'),
        ('ssv2', 'train.json', b'["x"]', 'train.json, line 1'),
        (
            *('ssv2', 'validation.json'),
            *(b'[{"id": 3, "template": "Eating"}]', "'Eating'"),
        ),
        ('diving48', 'Diving48_vocab.json', b'', 'vocab.json is no JSON'),
        (
            *('diving48', 'Diving48_V2_test.json'),
            *(b'[{"vid_name": "x", "label": 2}]', 'V2_test.json, line 1'),
        ),
        ('ucf101', 'trainlist01.txt', b'Run/a.avi 1', 'list01.txt, line 1'),
        ('ucf101', 'classInd.txt', b'1 \xe9t\xe9', 'Ind.txt is not UTF-8'),
        ('hmdb51', 'run_test_split2.txt', b'a.avi 3', 'split2.txt, line 1'),
        ('k400', 'val.csv', b'label\nrun', 'val.csv, line 2'),
    ],
)
def test_broken_files_are_named(kind, file, content, words, tmp_path):
    write(tmp_path, kind, str.encode)
    (tmp_path / file).write_bytes(content)
    with pytest.raises(ValueError, match='Fetch the|Save it as') as error:
        PAPERS[kind].read(tmp_path)
    assert words in str(error.value)
