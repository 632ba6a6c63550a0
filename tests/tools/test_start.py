"""What a run of the tools starts from: found, refused or kept."""

import datetime

import pytest
import torch

from tests import runs

from .processes import call


def test_resume_without_a_checkpoint_keeps_load_from(
    listing, tmp_path, monkeypatch
):
    """The same command starts from given weights, and later goes on."""
    config = runs.recipe(listing, tmp_path / 'work', epochs=1)
    runner = runs.train(config)
    state = {k: v + 1 for k, v in runner.model.state_dict().items()}
    given = str(tmp_path / 'given.pth')
    torch.save(dict(state_dict=state, meta={}), given)
    path = tmp_path / 'tiny.py'
    changes = dict(load_from=given, optim_wrapper__optimizer__lr=0.0)
    runs.recipe(listing, tmp_path / 'new', **changes).dump(path)
    resume = ('--resume', '--no-validate', '--cfg-options')
    call(monkeypatch, 'train.py', path, *resume, 'train_cfg.max_epochs=1')
    first = torch.load(tmp_path / 'new/epoch_1.pth', weights_only=True)
    for name, value in state.items():
        assert torch.equal(first['state_dict'][name], value), name
    more = ('train_cfg.max_epochs=2', 'experiment_name=resumed')
    call(monkeypatch, 'train.py', path, *resume, *more)
    second = torch.load(tmp_path / 'new/epoch_2.pth', weights_only=True)
    assert second['meta']['iter'] == 2 * first['meta']['iter'] == 4


@pytest.mark.parametrize('how', ['test', 'load_from', 'resume', 'auto'])
@pytest.mark.parametrize(
    'content, expected',
    [
        (None, 'does not exist'),
        (b'<!DOCTYPE html><html>Sign in</html>', 'a web page.*Download'),
        (b'PK\x03\x04' + bytes(90), 'without a sound directory.*truncated'),
        (datetime.date(2022, 11, 1), 'to unpickle datetime.date, .*may run'),
    ],
    ids=['missing', 'page', 'truncated', 'forbidden'],
)
def test_a_file_that_is_no_checkpoint_is_named(
    listing, tmp_path, monkeypatch, started, how, content, expected
):
    path, wrong = tmp_path / 'tiny.py', tmp_path / 'wrong.pth'
    work_dir = tmp_path / 'work'
    runs.recipe(listing, work_dir).dump(path)
    if isinstance(content, bytes):
        wrong.write_bytes(content)
    elif content is not None:
        torch.save(dict(state_dict={}, meta=content), wrong)
    work_dir.mkdir()
    (work_dir / 'last_checkpoint').write_text(str(wrong))
    words = dict(
        test=('test.py', path, wrong),
        load_from=('train.py', path, '--cfg-options', f'load_from={wrong}'),
        resume=('train.py', path, '--resume', wrong),
        auto=('train.py', path, '--resume'),
    )
    with pytest.raises((ValueError, FileNotFoundError), match=expected) as e:
        call(monkeypatch, *words[how])
    assert str(wrong) in str(e.value)
    assert not started  # nothing was built
