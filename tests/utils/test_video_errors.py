"""Errors of decoders name the video; mistakes are never laid to a file."""

import sys
from types import ModuleType

import cv2
import numpy as np
import pytest
from av.error import InvalidDataError

from mmvidadapt.utils.process_pool import map_in_processes
from mmvidadapt.utils.video import (
    CONTAINERS,
    EXTENSIONS,
    UnreadableError,
    VideoError,
    name_video,
)

OF_THE_FILE = (
    UnreadableError('it ends after 3 of 9 bytes.'),
    InvalidDataError(1, 'Invalid data'),
    cv2.error('(-215:Assertion failed) !_src.empty() in function cvtColor'),
)
MISTAKES = (
    TypeError("open() got an unexpected keyword argument 'x'"),
    ValueError('num_clips must be 1 or more'),
    RuntimeError('wrong shape'),
    IndexError('frames [9] of a video of 3'),
    cv2.error('(-215:Assertion failed) inv_scale_x > 0 in function resize'),
)


@pytest.mark.parametrize('error', OF_THE_FILE, ids=repr)
def test_errors_of_decoders_name_the_video(error):
    with (
        pytest.raises(VideoError, match='^a.mp4 cannot be read as a video'),
        name_video('a.mp4'),
    ):
        raise error


@pytest.mark.parametrize('error', MISTAKES, ids=repr)
def test_mistakes_stay_what_they_are(error):
    with pytest.raises(type(error)) as raised, name_video('a.mp4'):
        raise error
    assert raised.value is error


@pytest.mark.parametrize('library', ['decord', 'torchcodec', 'numpy'])
def test_plain_errors_are_a_decoders_where_it_raises_them(library):
    module = ModuleType(f'{library}.reader')
    exec('def read(): raise RuntimeError("Error reading a.mp4")', vars(module))
    expected = RuntimeError if library == 'numpy' else VideoError
    with pytest.raises(expected) as raised, name_video('a.mp4'):
        module.read()
    assert type(raised.value) is expected


def test_decoders_that_are_not_there_raise_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, 'decord', None)
    with pytest.raises(VideoError), name_video('a.mp4'):
        raise UnreadableError('it is empty.')


def fail(item):
    errors = dict(
        damaged=UnreadableError('it is empty.'),
        array=KeyError('frame'),
        mistake=TypeError('takes no such argument'),
    )
    raise errors[item]


def test_processes_tell_bad_items_from_mistakes():
    items = ['damaged', 'array']
    found = {o.item: o.error for o in map_in_processes(fail, items, 1)}
    assert found == dict(damaged='it is empty.', array="KeyError: 'frame'")
    with pytest.raises(TypeError, match='^mistake: takes no such(.|\n)*fail'):
        list(map_in_processes(fail, ['mistake'], 1))


def test_every_kind_of_file_has_names_of_its_own():
    assert len(set(EXTENSIONS)) == len(EXTENSIONS)
    assert all(e == e.lower() and e.startswith('.') for e in EXTENSIONS)
    for name in ('mts', 'm2ts', 'vob', 'ogv', 'gif', 'ts', 'mpg', 'mp4'):
        assert np.isin(f'.{name}', EXTENSIONS)
    named = ('concat', 'hls', 'dash', 'sdp', 'image2', 'tty', 'lavfi')
    assert not set(CONTAINERS) & set(named)
