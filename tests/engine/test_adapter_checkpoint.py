"""An adapter file beside every checkpoint, on the same schedule."""

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.runner import Runner

from mmvidadapt.engine.adapters import make_adapter, split_names
from mmvidadapt.weights.adapter_file import SUFFIX, read_adapter
from tests import runs
from tests.adapters import config_of

from .adapter_runs import check_pairs, recipe, run, stems


@pytest.mark.parametrize('keep', [-1, 1, 2])
def test_adapters_come_and_go_with_the_checkpoints(
    listing, tmp_path, trunk, keep
):
    config = recipe(listing, tmp_path, trunk, epochs=5)
    config.default_hooks.checkpoint.update(interval=2, max_keep_ckpts=keep)
    run(runs.without_validation(config))
    names = ['epoch_2', 'epoch_4', 'epoch_5']
    kept = names[-keep:] if keep > 0 else names
    assert check_pairs(tmp_path / 'work') == kept


def test_averaged_weights_with_ema(listing, tmp_path, trunk):
    config = recipe(listing, tmp_path, trunk, epochs=2)
    config.custom_hooks.insert(0, dict(type='EMAHook', momentum=0.5))
    runner = run(config)
    assert check_pairs(tmp_path / 'work') == ['epoch_1', 'epoch_2']
    found = read_adapter(tmp_path / f'work/epoch_2{SUFFIX}')
    key = 'cls_head.fc_cls.weight'
    newest = runner.model.state_dict()[key]
    assert not torch.equal(found.tensors[key], newest)
    assert 'acc/top1' in found.metrics
    plain = recipe(listing, tmp_path / 'plain', trunk, epochs=1)
    run(plain)
    path = tmp_path / 'plain' / 'work' / f'epoch_1{SUFFIX}'
    assert read_adapter(path).trunk == found.trunk


def test_a_resumed_run_still_removes_the_old(listing, tmp_path, trunk):
    changes = dict(default_hooks__checkpoint__max_keep_ckpts=1)
    first = recipe(listing, tmp_path, trunk, epochs=1, **changes)
    run(runs.without_validation(first))
    assert check_pairs(tmp_path / 'work') == ['epoch_1']
    second = recipe(listing, tmp_path, trunk, epochs=2, resume=True, **changes)
    run(runs.without_validation(second))
    assert check_pairs(tmp_path / 'work') == ['epoch_2']


def test_names_of_classes_come_from_the_data_set(listing, tmp_path, trunk):
    config = recipe(listing, tmp_path, trunk)
    classes = dict(classes=('a', 'b', 'c', 4))
    config.train_dataloader.dataset.metainfo = classes
    run(runs.without_validation(config))
    path = tmp_path / f'work/epoch_1{SUFFIX}'
    assert read_adapter(path).classes == ['a', 'b', 'c', '4']


def test_names_of_other_classes_are_left_out(trunk, logged):
    """Two names for four classes would be a file that nobody can read."""
    config = config_of('aim', trunk)
    model = MODELS.build(config.model)
    parts = split_names(model), model.state_dict(), config.to_dict()
    adapter = make_adapter(*parts, classes=['a', 'b'])
    assert adapter.classes is None
    assert '2 classes, but the model tells 4 apart' in logged[-1]


@pytest.mark.parametrize(
    'changes, reason',
    [
        (dict(model__backbone__full_finetune=True), 'nothing is frozen'),
        (dict(default_hooks__checkpoint=None), 'no CheckpointHook'),
    ],
)
def test_where_there_is_nothing_to_write(
    listing, tmp_path, trunk, logged, changes, reason
):
    config = recipe(listing, tmp_path, trunk, **changes)
    runner, said = Runner.from_cfg(runs.without_validation(config)), []
    runner.logger.info = lambda text, *args: said.append(str(text))
    runner.train()
    assert any(f'writes nothing: {reason}' in text for text in said)
    assert not stems(tmp_path / 'work', SUFFIX)


def test_a_config_that_cannot_be_written_stops_before_training(
    listing, tmp_path, trunk
):
    config = recipe(listing, tmp_path, trunk, odd=float('inf'))
    with pytest.raises(ValueError, match='config.odd is inf'):
        run(runs.without_validation(config))
    assert not stems(tmp_path / 'work', '.pth')
