"""A signal ends a run with a checkpoint that resumes to the same end."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmvidadapt.engine import InterruptHook
from mmvidadapt.engine.hooks import interrupt
from mmvidadapt.engine.hooks.resume import own_state
from mmvidadapt.engine.signals import ShieldedInit

from . import toy_runs
from .run_folders import contents


def recipe(work, send=None, by_iter=False, **changes):
    """Three epochs of three iterations each, or nine iterations."""
    config = toy_runs.recipe(work, **changes)
    if by_iter:
        config.train_cfg = dict(
            type='IterBasedTrainLoop', max_iters=9, val_interval=3
        )
        config.param_scheduler = None
    if send is not None:
        config.custom_hooks.insert(0, dict(send, type='Sender'))
    return config


@pytest.fixture
def listens():
    """Take SIGINT, which shells let what they start with & ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted(config, code):
    """Train until a signal ends it."""
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as end:
        toy_runs.train(config)
    assert end.value.code == code
    assert signal.getsignal(signal.SIGTERM) == before


ITERS = dict(
    by_iter=True,
    train_dataloader__sampler__type='InfiniteSampler',
    default_hooks__checkpoint__by_epoch=False,
    default_hooks__checkpoint__interval=4,
)
RARE = dict(default_hooks__checkpoint__interval=2)
WORKERS = dict(train_dataloader__num_workers=2)
# The step of the signal only adds to the gradients.
ADD = dict(optim_wrapper__accumulative_counts=2)
ADD.update(train_dataloader__batch_size=3)
# Signal, iteration, in a validation, newest checkpoint without its ending.
CASES = dict(
    middle=('SIGTERM', 4, False, 'interrupted_iter_5', {}),
    first=('SIGINT', 0, False, 'interrupted_iter_1', {}),
    epoch=('SIGUSR1', 5, False, 'epoch_2', {}),
    end=('SIGTERM', 8, False, 'epoch_3', {}),
    between=('SIGTERM', 2, False, 'interrupted_iter_3', RARE),
    validation=('SIGTERM', 6, True, 'epoch_2', {}),
    averaged=('SIGTERM', 3, True, 'interrupted_iter_3', dict(RARE, ema=True)),
    workers=('SIGTERM', 4, False, 'interrupted_iter_5', WORKERS),
    update=('SIGTERM', 4, False, 'interrupted_iter_6', ADD),
    iterations=('SIGTERM', 6, False, 'interrupted_iter_7', ITERS),
    iterations_validation=('SIGTERM', 6, True, 'interrupted_iter_6', ITERS),
)


@pytest.mark.parametrize('case', CASES)
def test_the_end_is_the_same(tmp_path, quick, case, listens):
    """Files, weights, states, metrics; noise, order, dropout are random."""
    name, iteration, in_val, saved, how = CASES[case]
    number, work = getattr(signal, name), tmp_path / 'work'
    toy_runs.train(recipe(tmp_path / 'whole', **how))
    expected = contents(tmp_path / 'whole')
    send = dict(number=int(number), iteration=iteration, in_val=in_val)
    interrupted(recipe(work, send, **how), 128 + number)
    assert contents(work)['last_checkpoint'] == f'{saved}.pth'
    toy_runs.train(recipe(work, resume=True, **how))
    found = contents(work)
    assert found.keys() == expected.keys()
    for name, content in expected.items():
        assert found[name] == content, name


def test_workers_live_on(tmp_path, quick):
    """Launchers, ``timeout`` and terminals send signals to all processes."""
    others = multiprocessing.active_children()  # of other tests

    class SendToAll(Hook):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            if runner.iter == 1:
                workers = {*multiprocessing.active_children()} - {*others}
                assert len(workers) == 2
                for pid in (*(w.pid for w in workers), os.getpid()):
                    os.kill(pid, signal.SIGTERM)
                time.sleep(0.1)

    how = dict(train_dataloader__num_workers=2, val_dataloader__num_workers=2)
    # Ahead of the signal they have read no more than a batch.
    how['train_dataloader__prefetch_factor'] = 1
    how['train_dataloader__batch_size'] = 1
    runner = Runner.from_cfg(recipe(tmp_path / 'work', **how))
    runner.register_hook(SendToAll())
    with pytest.raises(SystemExit, match='143'):
        runner.train()
    assert contents(tmp_path / 'work')['last_checkpoint'].endswith('_2.pth')
    assert set(multiprocessing.active_children()) <= set(others)


def test_a_worker_ends_when_its_parent_asks_twice(quick):
    """It may hang; then PyTorch sends SIGTERM when it ends the loader."""
    context = multiprocessing.get_context('fork')
    ready = context.Event()

    def work():
        ShieldedInit([signal.SIGTERM, signal.SIGINT])(0)
        ready.set()
        time.sleep(30)

    process = context.Process(target=work)
    process.start()
    assert ready.wait(60)
    os.kill(process.pid, signal.SIGINT)
    os.kill(process.pid, signal.SIGTERM)
    process.join(0.2)
    assert process.is_alive()
    process.terminate()
    process.join(60)
    assert process.exitcode == -signal.SIGTERM


def test_a_second_signal_ends_at_once(monkeypatch, capfd):
    """But not the ones that launchers send beside the first."""
    hook, now, sent = InterruptHook(), [100.0], []
    monkeypatch.setattr(time, 'monotonic', lambda: now[0])
    monkeypatch.setattr(os, 'kill', lambda pid, number: sent.append(number))
    before = signal.getsignal(signal.SIGTERM)
    try:
        hook._ask(signal.SIGTERM, None)
        now[0] += 1
        hook._ask(signal.SIGINT, None)
        assert hook.asked == signal.SIGTERM and not sent
        now[0] += 2
        hook._ask(signal.SIGTERM, None)
        assert sent == [signal.SIGTERM]
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
    assert 'SIGTERM: finishing this step' in capfd.readouterr().err


def test_handlers_of_others_stay(tmp_path, quick):
    """As those of submitit, or the ignored ones of ``nohup``."""
    got, ignored = [], signal.SIG_IGN
    before = [
        signal.signal(signal.SIGUSR1, lambda *args: got.append(args)),
        signal.signal(signal.SIGINT, ignored),
    ]
    try:
        send = dict(number=int(signal.SIGUSR1), iteration=1)
        toy_runs.train(recipe(tmp_path / 'work', send, epochs=1))
        assert len(got) == 1
        assert signal.getsignal(signal.SIGINT) == ignored
    finally:
        signal.signal(signal.SIGUSR1, before[0])
        signal.signal(signal.SIGINT, before[1])


def test_a_training_may_run_in_a_thread(tmp_path, quick):
    """Python takes signals in the main one only."""
    config = recipe(tmp_path / 'work', epochs=1)
    with ThreadPoolExecutor() as pool:
        pool.submit(toy_runs.train, config).result(timeout=300)
    assert (tmp_path / 'work/epoch_1.pth').is_file()


def test_without_checkpoints_that_is_said(tmp_path, quick, capfd):
    config = recipe(tmp_path / 'work', dict(number=15, iteration=1))
    config.default_hooks.checkpoint = None
    interrupted(config, 143)
    said = capfd.readouterr()
    assert 'SIGTERM has ended the training after 2 iter' in said.err + said.out
    assert 'Nothing is saved' in said.err + said.out


def test_an_unknown_signal_is_refused():
    with pytest.raises(ValueError, match=r"'SIGNOTHING'\] are none"):
        InterruptHook(signals=('SIGTERM', 'SIGNOTHING'))


def test_another_number_of_processes_is_told(logged):
    """Random states are those of processes."""
    runner = SimpleNamespace(world_size=2, rank=1)
    assert own_state(runner, dict(random=['a', 'b'])) == 'b'
    assert own_state(runner, dict(random=['a'])) is None
    (line,) = logged
    assert 'by 1 process(es), this run has 2' in line


LEAVE = """
import signal
from torch.utils.data import DataLoader
from mmvidadapt.engine.signals import ShieldedInit, end_workers_at_exit

loader = DataLoader(
    range(4),
    num_workers=2,
    persistent_workers=True,
    worker_init_fn=ShieldedInit([signal.SIGTERM, signal.SIGINT]),
)
end_workers_at_exit()
print(sum(len(batch) for batch in loader), flush=True)
"""


def test_persistent_workers_do_not_outlive_a_run():
    """Python asks them once when it ends, and waits."""
    command = [sys.executable, '-c', LEAVE]
    assert subprocess.check_output(command, text=True, timeout=300) == '4\n'


def test_the_hook_sees_to_the_end_of_its_workers(tmp_path, quick, monkeypatch):
    called = []
    monkeypatch.setattr(
        interrupt, 'end_workers_at_exit', lambda: called.append(1)
    )
    toy_runs.train(recipe(tmp_path))
    assert called
