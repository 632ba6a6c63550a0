"""A run that was killed while it wrote leaves in the end what others do."""

import errno
import re
from pathlib import Path

import pytest
import torch

from mmvidadapt.engine.training_progress import PROGRESS, take_progress

from . import toy_runs
from .run_folders import Snapshots, contents

RARE = dict(default_hooks__checkpoint__interval=2)


@pytest.mark.parametrize(
    'changes, first',
    [
        (dict(), 14),  # the first epoch tells no more than the second
        (dict(RARE, ema=True), 0),
        (dict(RARE, epochs=2, default_hooks__checkpoint__by_epoch=False), 8),
    ],
    ids=['epochs', 'averaged', 'iterations'],
)
def test_killed_at_any_write(tmp_path, monkeypatch, quick, changes, first):
    """From whatever lies there, the same files with the same content.

    One checkpoint is kept, and the best one: the first two epochs improve,
    the third one does not.
    """
    how = dict(epochs=3, **changes) if 'epochs' not in changes else changes
    work, snapshots = tmp_path / 'work', Snapshots(tmp_path / 'work', tmp_path)
    with monkeypatch.context() as patched:
        snapshots.patch(patched)
        toy_runs.train(toy_runs.recipe(work, **how))
    expected = contents(work)
    kinds = [re.sub(r'\.\d+\.partial', '', what) for what in snapshots.taken]
    pointed = kinds.index('replace last_checkpoint')
    assert len(kinds) > 20 and len(set(kinds)) > 10
    for number, what in enumerate(snapshots.taken[first:], first):
        snapshots.restore(number)
        if number > pointed:
            newest = (work / 'last_checkpoint').read_text()
            torch.load(newest, weights_only=True)
        toy_runs.train(toy_runs.recipe(work, resume=True, **how))
        found = contents(work)
        assert found.keys() == expected.keys(), what
        for name, content in expected.items():
            assert found[name] == content, (what, name)


@pytest.mark.parametrize(
    'said',
    [
        7,
        dict(outdated=['../mine.pth']),
        dict(outdated='epoch_1.pth'),
        dict(last='/mine.pth'),
        dict(best=dict(best_ckpt='/mine.pth')),
        dict(batches='3'),
        dict(validated=dict(iter=3, metrics=dict(acc='high'))),
        dict(loader=dict(batch_size=[4], processes=1, iterations=0)),
    ],
    ids=str,
)
def test_what_strangers_say_of_files_is_refused(said):
    with pytest.raises(ValueError, match='may be given as `load_from`'):
        take_progress({PROGRESS: said})


def test_only_checkpoints_are_cleared_away(tmp_path, quick):
    """A checkpoint asks for it; it may be a stranger's."""
    work, mine = tmp_path / 'work', tmp_path / 'work' / 'mine.pth'
    toy_runs.train(toy_runs.recipe(work, epochs=1))
    saved = torch.load(work / 'epoch_1.pth', weights_only=False)
    saved[PROGRESS]['outdated'] = ['mine.pth', 'epoch_0.pth']
    torch.save(saved, work / 'epoch_1.pth')
    for path in (mine, work / 'epoch_0.pth', work / 'notes.partial'):
        path.touch()
    (work / 'epoch_2.pth.123.partial').touch()
    toy_runs.train(toy_runs.recipe(work, epochs=1, resume=True))
    names = {path.name for path in work.iterdir() if path.is_file()}
    assert {'mine.pth', 'notes.partial'} <= names
    assert not {'epoch_0.pth', 'epoch_2.pth.123.partial'} & names


@pytest.mark.parametrize('name', ['epoch_2.pth', 'best_acc_epoch_2.pth'])
def test_a_full_disk_leaves_whole_files(tmp_path, monkeypatch, quick, name):
    """The error names file and space; with more room the run goes on."""
    work, write = tmp_path / 'work', Path.write_bytes
    toy_runs.train(toy_runs.recipe(tmp_path / 'whole'))

    def full(part, content):
        write(part, content[: len(content) // 2])
        if part.name.startswith(name):
            raise OSError(errno.ENOSPC, 'No space left on device')
        write(part, content)

    with monkeypatch.context() as patched:
        patched.setattr(Path, 'write_bytes', full)
        with pytest.raises(OSError, match='MB are needed, .* MB are') as error:
            toy_runs.train(toy_runs.recipe(work))
    assert str(work / name) in str(error.value)
    assert 'with --resume' in str(error.value)
    assert not (work / name).exists() and not list(work.glob('*.partial'))
    toy_runs.train(toy_runs.recipe(work, resume=True))
    assert contents(work) == contents(tmp_path / 'whole')
