"""Whatever one item does, the others are done."""

import os
import signal
import time
from multiprocessing.connection import Connection

import pytest

from mmvidadapt.utils.process_pool import map_in_processes, show_progress


def die_while_sending(pipe, _):
    """Announce 256 bytes and die after the first."""
    os.write(pipe.fileno(), bytes([0, 0, 1, 0, 0]))
    os.kill(os.getpid(), signal.SIGKILL)


def work(item):
    """Double a number, or come to an end."""
    if item == 'crash':
        os.kill(os.getpid(), signal.SIGKILL)
    if item == 'crash while answering':
        Connection._send_bytes = die_while_sending
    if item == 'leave':
        os._exit(3)
    if item == 'hang':
        time.sleep(60)
    if item == 'raise':
        raise ValueError('no number.')
    return 2 * item


@pytest.mark.parametrize('num_workers', [1, 3])
def test_one_item_costs_only_itself(num_workers):
    crash = 'crash while answering'
    items = [1, 'crash', 2, 'raise', crash, 'leave', 3, 'hang', 4]
    outcomes = map_in_processes(work, items, num_workers, timeout=1.0)
    found = {item: (result, error) for item, result, error in outcomes}
    assert sorted(found, key=items.index) == items
    assert {i: found[i] for i in (1, 2, 3, 4)} == {
        i: (2 * i, None) for i in (1, 2, 3, 4)
    }
    assert 'died of SIGKILL' in found['crash'][1]
    assert 'died of SIGKILL' in found[crash][1]
    assert 'ended with status 3' in found['leave'][1]
    assert found['hang'][1] == 'it took over 1 s.'
    assert found['raise'] == (None, 'no number.')


def test_no_process_is_left():
    outcomes = map_in_processes(lambda _: os.getpid(), [1, 2, 3], 2)
    seen = next(outcomes).result
    outcomes.close()  # as Ctrl-C does
    with pytest.raises(ProcessLookupError):
        os.kill(seen, 0)


def test_the_bar_counts_to_the_end(capsys):
    outcomes = map_in_processes(work, list(range(250)), 2)
    assert sum(o.result for o in show_progress(outcomes, 250)) == 249 * 250
    assert '250/250' in capsys.readouterr().err
    assert list(show_progress(iter([]), 0)) == []
