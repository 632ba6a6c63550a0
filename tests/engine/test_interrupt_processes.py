"""All processes of a run end together, whichever of them gets a signal."""

import multiprocessing
import os
import socket

import torch

from mmvidadapt.engine.signals import Vote

from . import toy_runs
from .run_folders import contents


def in_two_processes(function, *args):
    """Call a function in two processes of a group; return how they ended."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context('fork')

    def start(rank):
        os.environ.update(
            RANK=str(rank),
            LOCAL_RANK=str(rank),
            WORLD_SIZE='2',
            MASTER_ADDR='127.0.0.1',
            MASTER_PORT=str(port),
        )
        function(rank, *args)

    processes = [context.Process(target=start, args=(r,)) for r in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    return [process.exitcode for process in processes]


def train(rank, work, send, changes):
    """Train; a rank sends itself a signal."""
    config = toy_runs.recipe(work, launcher='pytorch', **changes)
    if send is not None and send[0] == rank:
        sender = dict(type='Sender', number=send[1], iteration=send[2])
        config.custom_hooks.append(dict(sender, in_val=send[3]))
    toy_runs.train(config)


def test_one_signal_ends_both(tmp_path, quick):
    """Three steps an epoch and process, and three of a validation.

    The other process hears of it a step later, in a validation, too.
    """
    how = dict(
        train_dataloader__batch_size=2,
        val_dataloader__batch_size=2,
        default_hooks__checkpoint__interval=3,
    )
    toy_runs.train(toy_runs.recipe(tmp_path / 'imports', epochs=1))
    assert in_two_processes(train, tmp_path / 'whole', None, how) == [0, 0]
    expected = contents(tmp_path / 'whole')
    for rank, step, in_val, saved in (
        (1, 3, False, 'interrupted_iter_5.pth'),
        (0, 6, True, 'interrupted_iter_6.pth'),
    ):
        work, send = tmp_path / saved, (rank, 15, step, in_val)
        assert in_two_processes(train, work, send, how) == [143, 143]
        assert contents(work)['last_checkpoint'] == saved
        again = dict(how, resume=True)
        assert in_two_processes(train, work, None, again) == [0, 0]
        found = contents(work)
        assert found.keys() == expected.keys()
        for name, content in expected.items():
            assert found[name] == content, name


def vote(rank):
    """Hear what the other one was asked, a call later."""
    torch.distributed.init_process_group('gloo')
    both = Vote()
    heard = [both.highest(15 * (rank == 1 and i == 2)) for i in range(6)]
    assert heard == [0, 0, 0, 15, 0, 0], heard


def test_a_vote_is_heard_a_step_later():
    assert in_two_processes(vote) == [0, 0]
