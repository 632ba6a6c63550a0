"""A process that dies is an error; what it gave before is not lost."""

import faulthandler
import gc
import itertools
import os
import signal
import time
from multiprocessing.connection import Connection

import pytest
import torch

from mmvidadapt.datasets.readers.pyav import PyAVReader
from mmvidadapt.utils.process_iterator import ProcessDied, iterate_in_process
from mmvidadapt.utils.video import VideoError
from tests.films import encode, film

from .test_process_pool import die_while_sending


def test_items_come_in_order_from_another_process():
    def give():
        for i in range(5):
            yield os.getpid(), torch.full((3,), i)

    found = list(iterate_in_process(give))
    assert [value.tolist() for _, value in found] == [
        [i] * 3 for i in range(5)
    ]
    (other,) = {pid for pid, _ in found}
    assert other != os.getpid()


@pytest.mark.parametrize('how', [signal.SIGSEGV, signal.SIGABRT])
def test_a_death_is_an_error(how):
    def give():
        yield 'first'
        faulthandler.disable()  # says nothing new
        os.kill(os.getpid(), how)

    found, got = iterate_in_process(give), []
    with pytest.raises(ProcessDied, match=f'died of {how.name}'):
        for item in found:
            got.append(item)
    assert got == ['first']


def test_a_death_in_the_middle_of_an_item_is_one(monkeypatch):
    monkeypatch.setattr(Connection, '_send_bytes', die_while_sending)
    with pytest.raises(ProcessDied, match='died of SIGKILL'):
        list(iterate_in_process(lambda: [1]))


class Odd(Exception):
    """An error that cannot be made again from what it says."""

    def __init__(self, one, other):
        super().__init__(f'{one} and {other}')


def test_errors_are_those_of_the_process():
    def give(error):
        yield 1
        raise error

    for error, kind, words in (
        (VideoError('a.mp4 is damaged'), VideoError, 'a.mp4 is damaged'),
        (TypeError('no such argument'), TypeError, 'no such argument'),
        (Odd(1, 2), RuntimeError, 'Odd: 1 and 2'),
    ):
        with pytest.raises(kind, match=words):
            list(iterate_in_process(lambda error=error: give(error)))


def test_a_process_ends_with_who_asked():
    """It computes no more than what is asked for, and one ahead."""

    def give():
        for i in itertools.count():
            yield os.getpid(), i, bytes(10**6)

    found = iterate_in_process(give)
    other, *_ = next(found)
    found.close()
    with pytest.raises(ProcessLookupError):
        for _ in range(1000):
            os.kill(other, 0)
            time.sleep(0.01)


def test_garbage_with_threads_is_left_alone(tmp_path):
    """Decoders of the parent wait, when freed, for threads of their own."""
    path = encode(tmp_path / 'a.mp4', film(8))
    for _ in range(5):
        reader = PyAVReader(str(path), num_threads=2)
        reader.get_frames([7])
        reader.itself = reader  # only the garbage collector frees it

    def give():
        signal.alarm(10)
        yield gc.collect() >= 0

    del reader
    assert list(iterate_in_process(give)) == [True]
