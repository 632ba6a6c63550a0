"""Iterate in another process, whose death is an error that can be caught.

Ours, since ``pebble`` has no call that gives one item after the other.
"""

import gc
import multiprocessing
import os
import pickle
import signal
import sys
from multiprocessing.connection import Connection
from typing import Any, Callable, Iterable, Iterator, Tuple

import cv2

from .import_hooks import after_import
from .process_pool import death


class ProcessDied(RuntimeError):
    """A process that ended before it had said so; the message says how."""


def iterate_in_process(function: Callable[[], Iterable]) -> Iterator[Any]:
    """Iterate over what a function gives, in a forked process.

    Decoders end their process on some damaged files. The process computes one
    item ahead of what is asked for.

    Args:
        function (Callable[[], Iterable]): Called in the other process.

    Yields:
        Any: Its items, pickled and unpickled.

    Raises:
        ProcessDied: If the process dies.
        Exception: What the function raises.
    """
    process, pipe = _fork(function)
    try:
        while True:
            try:
                kind, value = pickle.loads(pipe.recv_bytes())
            except (EOFError, OSError):  # the second in the middle of an item
                process.join()
                raise ProcessDied(
                    f'the process that read it {death(process)}.'
                ) from None
            if kind == 'end':
                return
            if kind == 'error':
                raise value
            yield value
    finally:
        process.kill()
        process.join()
        pipe.close()


def _fork(
    function: Callable[[], Iterable],
) -> Tuple[multiprocessing.Process, Connection]:
    """Start the other process; return it and what it sends through."""
    context = multiprocessing.get_context('fork')
    pipe, end = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(function, end), daemon=True)
    # Were the garbage of the parent freed over there, decoders would wait for
    # threads that are not.
    gc.freeze()
    try:
        process.start()
    finally:
        gc.unfreeze()
    end.close()  # or the death of the process would go unseen
    return process, pipe


def _serve(function: Callable[[], Iterable], pipe: Connection) -> None:
    """Send items, then an error or the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    # Threads of the parent are not here, but libraries would wait for them.
    after_import(['torch'], lambda: sys.modules['torch'].set_num_threads(1))
    cv2.setNumThreads(0)
    try:
        for item in function():
            pipe.send_bytes(pickle.dumps(('item', item)))
        pipe.send_bytes(pickle.dumps(('end', None)))
    except BrokenPipeError:  # the parent wants no more
        os._exit(0)
    except Exception as error:
        pipe.send_bytes(_pickled(error))


def _pickled(error: Exception) -> bytes:
    """Pickle an error, or what it says if it cannot be pickled."""
    try:
        data = pickle.dumps(('error', error))
        pickle.loads(data)
        return data
    except Exception:
        said = f'{type(error).__name__}: {error}'
        return pickle.dumps(('error', RuntimeError(said)))
