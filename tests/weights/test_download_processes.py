"""Downloads by many processes, and by those that are killed."""

import errno
import hashlib
import multiprocessing
import os
import random
import signal
import threading
import time
from unittest.mock import Mock

import pytest

from mmvidadapt.weights import Source
from mmvidadapt.weights.fetch.download import fetch
from mmvidadapt.weights.fetch.lock import locked

from .unruly import DATA, SHA


def download_in(process, *args):
    """Run in a process of its own that takes the package as it is."""
    context = multiprocessing.get_context('fork')
    return context.Process(target=process, args=args)


@pytest.mark.filterwarnings('ignore:This process')
def test_ten_kills_at_random_points(site, target):
    rng = random.Random(1)
    site.data = rng.randbytes(1 << 20)
    site.pause = 0.002
    sha256 = hashlib.sha256(site.data).hexdigest()
    part = target.with_name('x.pth.part')
    kept = 0
    for kill in range(10):
        wanted = kept + rng.randrange(
            1, (len(site.data) - kept) // (11 - kill)
        )
        child = download_in(fetch, Source(site.url, sha256), str(target))
        child.start()
        while not (part.is_file() and part.stat().st_size >= wanted):
            assert child.is_alive()
            time.sleep(0.001)
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        kept = part.stat().st_size
        assert kept < len(site.data) and not target.exists()
    site.pause = 0
    fetch(Source(site.url, sha256), str(target))
    assert hashlib.sha256(target.read_bytes()).hexdigest() == sha256
    starts = [int(r[len('bytes=') : -1]) if r else 0 for r in site.ranges()]
    assert len(starts) == 11 and starts == sorted(starts)
    assert starts[-1] == kept > len(site.data) // 4  # nothing came twice
    left = {p.name for p in target.parent.iterdir()}
    assert left == {'x.pth'}


@pytest.mark.filterwarnings('ignore:This process')
def test_eight_ranks_fetch_once(site, target):
    site.pause = 0.002
    ranks = [
        download_in(fetch, Source(site.url, SHA), str(target))
        for _ in range(8)
    ]
    for rank in ranks:
        rank.start()
    for rank in ranks:
        rank.join()
    assert [rank.exitcode for rank in ranks] == [0] * 8
    assert site.ranges() == [None]
    assert list(target.parent.iterdir()) == [target]


def test_a_removed_lock_locks_nobody(tmp_path):
    path = str(tmp_path / 'x.lock')
    order = []

    def second():
        with locked(path) as alone:
            order.append(('second', alone, os.path.exists(path)))

    with locked(path):
        waits = threading.Thread(target=second)
        waits.start()
        time.sleep(0.1)
        order.append('first')
    waits.join()
    assert order == ['first', ('second', True, True)]
    assert not os.path.exists(path)


def test_without_locks_nobody_writes_into_anothers_part(
    site, target, monkeypatch
):
    none = Mock(side_effect=OSError(errno.ENOLCK, 'no locks available'))
    monkeypatch.setattr('mmvidadapt.weights.fetch.lock.FileLock.acquire', none)
    part = target.with_name('x.pth.part')
    part.parent.mkdir()
    part.write_bytes(b'of another process')
    fetch(Source(site.url, SHA), str(target))
    assert target.read_bytes() == DATA
    assert part.read_bytes() == b'of another process'
    assert len(list(target.parent.iterdir())) == 2
