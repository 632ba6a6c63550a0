"""Annotation lists: what is understood, and what is said of the rest."""

import pytest
from mmaction.registry import DATASETS

from mmvidadapt.datasets.annotations import read_annotations
from tests.soon import soon


def read(tmp_path, text, **how):
    path = tmp_path / 'list.txt'
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_annotations(str(path), **how)


@pytest.mark.parametrize(
    'text',
    [
        'a b/c 1.mp4 3\nd.mp4 0\n',
        'a b/c 1.mp4 3\r\nd.mp4 0\r\n',
        b'\xef\xbb\xbfa b/c 1.mp4 3\nd.mp4 0',
        '\n  a b/c 1.mp4   3\n\n\nd.mp4 0   \n',
    ],
    ids=['spaces', 'windows', 'mark', 'blank'],
)
def test_lists_of_all_kinds(tmp_path, text):
    assert read(tmp_path, text) == (['a b/c 1.mp4', 'd.mp4'], [3, 0])


def test_several_labels_other_delimiters_and_no_labels(tmp_path):
    assert read(tmp_path, 'a 7.mp4 -1\nb 2 0\n', multi_class=True) == (
        ['a 7.mp4', 'b'],
        [[], [2, 0]],
    )
    assert read(tmp_path, 'a 7.mp4 3 1\nd.mp4 0\n', multi_class=True) == (
        ['a 7.mp4', 'd.mp4'],
        [[3, 1], [0]],
    )
    assert read(tmp_path, 'a,1.mp4,3\n', delimiter=',') == (['a,1.mp4'], [3])
    assert read(tmp_path, 'a b.mp4\nc.mp4\n') == (
        ['a b.mp4', 'c.mp4'],
        [-1, -1],
    )


def test_bad_lines_are_named_with_their_numbers(tmp_path):
    text = 'a.mp4 1\n\nb c.mp4\nd.mp4 4\n 2\ne.mp4 -1\nf.mp4 1.5\ng.mp4 3\n'
    with pytest.raises(ValueError) as error:
        read(tmp_path, text, num_classes=4)
    lines = str(error.value).splitlines()
    assert lines[0] == f'{tmp_path}/list.txt has 5 bad lines of 7:'
    assert lines[1:-1] == [
        "  line 3: 'b c.mp4': no label behind ' '",
        "  line 4: 'd.mp4 4': label 4 is not in 0 to 3",
        "  line 5: '2': no path",
        "  line 6: 'e.mp4 -1': label -1 is not in 0 to 3",
        "  line 7: 'f.mp4 1.5': no label behind ' '",
    ]
    assert 'take them out' in lines[-1]


def test_a_long_list_of_bad_lines_is_cut(tmp_path):
    text = 'a.mp4 0\n' + 'b.mp4\n' * 25
    with pytest.raises(
        ValueError, match='25 bad lines (.*\n)+  and 15 more\n'
    ):
        read(tmp_path, text.replace('\n', '\r\n'))


@pytest.mark.parametrize(
    'text, said',
    [
        (b'a.mp4 0\nm\xfcll.mp4 1\n', 'not UTF-8 text: line 2 .* 0xfc'),
        ('a.mp4 0\n'.encode('utf-16'), 'not UTF-8 text: line 1'),
        (b'\n', 'names no video'),
    ],
)
def test_files_that_are_no_lists(tmp_path, text, said):
    with pytest.raises(ValueError, match=said):
        read(tmp_path, text)


def test_a_long_list_starts_fast(tmp_path):
    """A tenth of a million lines in a tenth of ten seconds of the CPU."""
    path = tmp_path / 'list.txt'
    path.write_text(
        '\n'.join(
            f'class {i % 400}/clip_{i}.mp4 {i % 400}' for i in range(10**5)
        )
    )
    with soon():
        cfg = dict(
            ann_file=str(path), pipeline=[], data_prefix=dict(video='data')
        )
        dataset = DATASETS.build(dict(type='CheckedVideoDataset', **cfg))
    assert len(dataset) == 10**5
    assert dataset.get_data_info(99_999)['label'] == 399
    assert dataset.path(7) == 'data/class 7/clip_7.mp4'
    assert not dataset.data_list  # in one array, which processes share
