"""A checkpoint's config is data: a stranger's neither runs nor removes."""

import shutil

import pytest
import torch
from mmengine.runner import CheckpointLoader, Runner

from mmvidadapt.apis.train.options import check_checkpoint, use_resume
from mmvidadapt.apis.use.inference import load_strictly
from mmvidadapt.engine.checkpoints import read_checkpoint
from tests import runs


@pytest.fixture(scope='module')
def trained(listing, tmp_path_factory):
    """Train an epoch; give the checkpoint."""
    work = tmp_path_factory.mktemp('honest')
    runs.train(runs.recipe(listing, work))
    return work / 'epoch_1.pth'


@pytest.fixture
def hostile(trained, tmp_path):
    """Write a checkpoint whose texts of configs create files; give both."""
    mark, keep = tmp_path / 'mark', tmp_path / 'keep'
    (keep / 'inner').mkdir(parents=True)
    content = torch.load(trained, weights_only=True)
    program = f'open({str(mark)!r}, "w").close()\n' + content['meta']['cfg']
    content['meta'].update(cfg=program, config=program)
    content['message_hub']['runtime_info'].update(
        cfg=program,
        best_score=-1.0,
        best_ckpt=str(keep),
        keep_ckpt_ids=['/../../keep'],
        last_ckpt=str(keep),
    )
    content['message_hub']['resumed_keys'].update(
        best_ckpt=True, best_score=True, keep_ckpt_ids=True
    )
    path = tmp_path / 'in' / 'epoch_1.pth'
    path.parent.mkdir()
    torch.save(content, path)
    return path, mark, keep


def resumed(listing, path, work, **changes):
    """Go on as tools/train.py --resume FILE does; give the runner."""
    config = runs.recipe(listing, work, epochs=2, **changes)
    use_resume(config, str(path))
    check_checkpoint(config)
    runner = Runner.from_cfg(config)
    runner.train()
    return runner


def test_resuming_runs_and_removes_nothing(listing, hostile, tmp_path):
    path, mark, keep = hostile
    best = dict(default_hooks__checkpoint__save_best='acc/top1')
    one = dict(default_hooks__checkpoint__max_keep_ckpts=1)
    runner = resumed(listing, path, tmp_path / 'out', **best, **one)
    assert runner.epoch == 2 and not mark.exists()
    assert (keep / 'inner').is_dir()
    # nor is the program handed on
    for written in (tmp_path / 'out').glob('*.pth'):
        said = torch.load(written, weights_only=True)
        hub = said['message_hub']['runtime_info']
        for text in (said['meta']['cfg'], hub['cfg']):
            assert str(mark) not in text and 'AIM' in text


def test_an_honest_run_removes_its_own_best(listing, trained, tmp_path):
    """What is beside a checkpoint is the run's to replace."""
    work = tmp_path / 'work'
    shutil.copytree(trained.parent, work)
    best = work / 'best_acc_top1_epoch_1.pth'
    shutil.copy(trained, best)
    content = torch.load(trained, weights_only=True)
    info = content['message_hub']['runtime_info']
    info.update(best_score=-1.0, best_ckpt=str(best))
    torch.save(content, work / 'epoch_1.pth')
    save = dict(default_hooks__checkpoint__save_best='acc/top1')
    resumed(listing, work / 'epoch_1.pth', work, **save)
    assert [p.name for p in work.glob('best*')] == [
        'best_acc_top1_epoch_2.pth'
    ]


def test_no_other_way_in_runs_it(listing, hostile, tmp_path):
    path, mark, _ = hostile
    config = runs.recipe(listing, tmp_path / 'out', load_from=str(path))
    runner = runs.train(config)
    load_strictly(runner.model, str(path))
    read_checkpoint(f'file://{path}')
    CheckpointLoader.load_checkpoint(str(path), 'cpu')
    assert not mark.exists()


def test_an_honest_config_stays_as_it_is(trained):
    raw = torch.load(trained, weights_only=True)
    found = read_checkpoint(str(trained))
    assert found['meta'] == raw['meta']
    assert found['message_hub']['runtime_info'] == {
        **raw['message_hub']['runtime_info'],
    }
