"""Two trainings never write into one folder."""

import errno
import fcntl
import multiprocessing
import os
import signal
import time

import pytest
from mmengine.runner import Runner

from mmvidadapt.apis.train import options
from mmvidadapt.engine.work_dir_lock import (
    NAME,
    lock_work_dir,
    release_work_dir,
)

from . import toy_runs


@pytest.fixture
def other(tmp_path):
    """Let another process train in the folder; give its number."""
    context = multiprocessing.get_context('fork')
    ready = context.Event()

    def hold():
        lock_work_dir(str(tmp_path / 'work'))
        context.Process(target=time.sleep, args=(5,), daemon=True).start()
        ready.set()
        time.sleep(60)

    process = context.Process(target=hold)
    process.start()
    assert ready.wait(60)
    yield process.pid
    process.kill()
    process.join()


def refused(work):
    """Try to train; nothing that the other one wrote may change."""
    before = sorted(p.name for p in work.iterdir())
    with pytest.raises(RuntimeError, match='is in use') as error:
        toy_runs.train(toy_runs.recipe(work, epochs=1))
    names = {p.name for p in work.iterdir()} - set(before)
    assert not [n for n in names if n.endswith(('.pth', '.safetensors'))]
    return str(error.value)


def test_a_second_training_is_refused(tmp_path, quick, other):
    work = tmp_path / 'work'
    said = refused(work)
    assert str(work) in said and f'process {other} on ' in said
    assert '--work-dir' in said
    link = tmp_path / 'link'
    link.symlink_to(work)
    refused(link)
    with pytest.raises(RuntimeError, match='is in use'):
        options.reserve_work_dir(toy_runs.recipe(work, launcher='none'))


def test_a_dead_run_leaves_no_lock(tmp_path, quick, other):
    """Not even where a process that it forked lives on."""
    os.kill(other, signal.SIGKILL)
    os.waitpid(other, 0)
    toy_runs.train(toy_runs.recipe(tmp_path / 'work', epochs=1))
    assert (tmp_path / 'work/epoch_1.pth').is_file()
    assert not (tmp_path / 'work' / NAME).exists()


def test_checkpoints_in_one_folder_are_kept_apart(tmp_path, quick, other):
    """Of runs with other folders, but one place for checkpoints."""
    config = toy_runs.recipe(
        tmp_path / 'mine' / 'work',
        epochs=1,
        default_hooks__checkpoint__out_dir=str(tmp_path),
    )
    with pytest.raises(RuntimeError, match=f'{tmp_path}/work is in use'):
        toy_runs.train(config)


def test_a_run_is_tested_while_it_trains(tmp_path, quick, other):
    work = tmp_path / 'work'
    config = toy_runs.recipe(work, custom_hooks=[])
    config.test_dataloader = config.val_dataloader
    config.test_evaluator, config.test_cfg = config.val_evaluator, {}
    assert 'acc' in Runner.from_cfg(config).test()


def test_the_other_processes_of_a_run_do_not_ask(tmp_path, monkeypatch, other):
    config = toy_runs.recipe(tmp_path / 'work', launcher='pytorch')
    monkeypatch.setenv('RANK', '1')
    options.reserve_work_dir(config)
    monkeypatch.setenv('RANK', '0')
    with pytest.raises(RuntimeError, match='is in use'):
        options.reserve_work_dir(config)


def test_one_process_trains_as_often_as_it_likes(tmp_path):
    folder = str(tmp_path / 'new' / 'work')
    for _ in range(2):
        lock_work_dir(folder)
    os.remove(os.path.join(folder, NAME))  # with the whole folder, say
    lock_work_dir(folder)
    assert os.path.exists(os.path.join(folder, NAME))
    for _ in range(2):
        release_work_dir(folder)
    assert not os.listdir(folder)


def test_where_there_are_no_locks_that_is_said(tmp_path, monkeypatch, logged):
    def refuse(*args):
        raise OSError(errno.ENOLCK, 'No locks available')

    monkeypatch.setattr(fcntl, 'lockf', refuse)
    lock_work_dir(str(tmp_path))
    (line,) = logged
    assert str(tmp_path) in line and 'without locks' in line
