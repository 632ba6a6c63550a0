"""What a run goes on from: the newest whole checkpoint."""

import os
import shutil

import pytest
import torch

from mmvidadapt.engine.find_checkpoint import find_checkpoint

from . import toy_runs


def write(folder, name, age, half=False):
    """Write a checkpoint, or a half of it, some seconds ago."""
    path = folder / name
    torch.save(dict(state_dict={'x': torch.zeros(9)}, meta={}), path)
    if half:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    now = 1_800_000_000
    os.utime(path, (now - age, now - age))
    return str(path)


def point(folder, text):
    """Name a checkpoint."""
    (folder / 'last_checkpoint').write_text(str(text))


def test_nothing_is_found_where_nothing_is(tmp_path):
    assert find_checkpoint(str(tmp_path / 'nowhere')) is None
    assert find_checkpoint(str(tmp_path)) is None
    point(tmp_path, '')
    assert find_checkpoint(str(tmp_path)) is None
    write(tmp_path, 'best_acc_epoch_1.pth', 0)
    write(tmp_path, 'merged_7.pth', 0)  # somebody's own
    assert find_checkpoint(str(tmp_path)) is None


REASONS = dict(
    half='without a sound directory',
    empty='an empty file',
    missing='does not exist',
    altered='checksum',
    pointer='last_checkpoint: it is empty.',
    line='last_checkpoint: it is empty.',
    zeros='last_checkpoint: it is empty.',
)


@pytest.mark.parametrize('how', REASONS)
def test_what_is_damaged_is_passed_over(tmp_path, logged, how):
    whole = write(tmp_path, 'epoch_9.pth', 20)
    path = tmp_path / 'epoch_10.pth'
    pointer = dict(pointer='', line='\n', zeros='\0' * 40).get(how, path)
    if pointer == path:
        write(tmp_path, path.name, 10, half=how == 'half')
    if how == 'empty':
        path.write_bytes(b'')
    elif how == 'missing':
        path.unlink()
    elif how == 'altered':  # a number inside of a tensor
        content, zeros = bytearray(path.read_bytes()), bytes(36)
        content[content.index(zeros) + 8] = 1
        path.write_bytes(content)
    point(tmp_path, pointer)
    assert find_checkpoint(str(tmp_path)) == whole
    (line,) = logged
    assert REASONS[how] in line and f'Resuming from {whole}' in line
    assert str(path) in line or pointer != path


def test_where_none_is_whole_there_is_an_error(tmp_path):
    paths = [write(tmp_path, f'epoch_{i}.pth', 0, half=True) for i in (1, 2)]
    point(tmp_path, paths[1])
    with pytest.raises(ValueError, match='no whole checkpoint') as error:
        find_checkpoint(str(tmp_path))
    assert all(path in str(error.value) for path in paths)
    assert 'remove these to start anew' in str(error.value)


def test_one_that_is_not_yet_named_is_taken(tmp_path):
    """It was complete when the run was killed."""
    named = write(tmp_path, 'epoch_9.pth', 20)
    point(tmp_path, named)
    newer = write(tmp_path, 'epoch_10.pth', 10)
    assert find_checkpoint(str(tmp_path)) == newer
    between = write(tmp_path, 'interrupted_iter_77.pth', 5)
    assert find_checkpoint(str(tmp_path)) == between
    write(tmp_path, 'epoch_2.pth', 0)  # touched, but of before
    assert find_checkpoint(str(tmp_path)) == between


def test_files_of_an_earlier_run_are_left_alone(tmp_path):
    write(tmp_path, 'epoch_30.pth', 500)
    write(tmp_path, 'interrupted_iter_99.pth', 500)
    named = write(tmp_path, 'epoch_2.pth', 20)
    point(tmp_path, named)
    assert find_checkpoint(str(tmp_path)) == named


def test_a_folder_may_be_moved(tmp_path, monkeypatch):
    folder = tmp_path / 'old'
    folder.mkdir()
    point(folder, write(folder, 'epoch_1.pth', 20))
    shutil.move(folder, tmp_path / 'new')
    found = find_checkpoint(str(tmp_path / 'new'))
    assert found == str(tmp_path / 'new' / 'epoch_1.pth')
    point(tmp_path / 'new', 's3://bucket/run/epoch_3.pth')
    found = find_checkpoint(str(tmp_path / 'new'))
    assert found == 's3://bucket/run/epoch_3.pth'  # mmengine's to fetch


def test_a_run_resumes_behind_an_empty_pointer(tmp_path, quick):
    """Also one of mmaction2's own tool, which leaves finding to mmengine."""
    work = tmp_path / 'work'
    toy_runs.train(toy_runs.recipe(work, epochs=1))
    point(work, '')
    runner = toy_runs.train(toy_runs.recipe(work, epochs=2, resume=True))
    assert runner._load_from == str(work / 'epoch_1.pth')
    assert (work / 'epoch_2.pth').is_file() and runner.iter == 6
    shutil.rmtree(work)
    runner = toy_runs.train(toy_runs.recipe(work, epochs=1, resume=True))
    assert runner.iter == 3  # there was nothing


@pytest.mark.parametrize('how', ['copied', 'named'])
def test_the_folder_of_another_run_is_left_alone(tmp_path, quick, how):
    """The path of the best one is kept, to remove it one day."""
    old, new = tmp_path / 'old', tmp_path / 'new'
    toy_runs.train(toy_runs.recipe(old, epochs=1))
    start = {} if how == 'copied' else dict(load_from=str(old / 'epoch_1.pth'))
    if how == 'copied':
        shutil.copytree(old, new)
    before = sorted(p.name for p in old.iterdir())
    toy_runs.train(toy_runs.recipe(new, epochs=2, resume=True, **start))
    assert sorted(p.name for p in old.iterdir()) == before
    assert not (new / 'best_acc_epoch_1.pth').exists()
    assert (new / 'best_acc_epoch_2.pth').exists()
    assert (new / 'best_acc_epoch_2.adapter.safetensors').exists()
