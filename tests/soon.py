"""Limits on time that hold on a busy machine."""

import time
from contextlib import contextmanager


def unit():
    """Measure a fixed piece of work here and now, in CPU-seconds."""
    start = time.thread_time()
    for _ in range(1_000_000):
        pass
    return time.thread_time() - start


@contextmanager
def soon(units=300):
    """Fail where this thread computes for more units of work than that.

    Three hundred take some six CPU-seconds. What is not bounded takes
    minutes.
    """
    before = unit()
    start = time.thread_time()
    yield
    took = time.thread_time() - start
    assert took < units * max(before, unit()), f'{took:.1f} CPU-seconds'
