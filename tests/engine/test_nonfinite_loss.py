"""A loss that is not a number ends the run and leaves its checkpoint."""

import json
import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmvidadapt.engine.hooks.nonfinite_loss import (
    UNNAMED,
    NonFiniteLossHook,
    clip_paths,
)
from tests import runs

NAN = torch.tensor([math.nan])


@HOOKS.register_module(force=True)
class BreakWeights(Hook):
    """Write a NaN into the head before an iteration."""

    def __init__(self, iteration):
        self.iteration = iteration

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        """Break them in time."""
        if runner.iter == self.iteration:
            runner.model.cls_head.fc_cls.bias.data[0] = float('nan')


def test_the_run_stops_with_everything_named(listing, tmp_path):
    config = runs.recipe(listing, tmp_path / 'run', epochs=3)
    config.custom_hooks.append(dict(type='BreakWeights', iteration=3))
    runner = Runner.from_cfg(runs.without_validation(config))
    with pytest.raises(RuntimeError) as error:
        runner.train()
    text = str(error.value)
    assert 'loss=nan' in text and 'loss_cls=nan' in text
    assert 'iteration 4, epoch 2, rank 0, learning rate 0.01.' in text
    this, before = text.split('clips of the batch before:')
    for i in range(8):  # not shuffled: clips 4 to 7 are the fourth batch
        assert (f'clip{i}.mp4' in this) == (i >= 4), i
        assert (f'clip{i}.mp4' in before) == (i < 4), i

    saved = tmp_path / 'run' / 'epoch_1.pth'
    assert f'newest checkpoint: {saved}' in text
    assert not (tmp_path / 'run' / 'epoch_2.pth').exists()
    weights = torch.load(saved, weights_only=True)['state_dict']
    assert all(w.isfinite().all() for w in weights.values())

    facts = json.loads(
        Path(runner.log_dir, 'nonfinite_loss_rank0.json').read_text(),
        parse_constant=pytest.fail,  # a bare NaN is no JSON
    )
    assert facts['terms']['loss'] == facts['terms']['loss_cls'] == 'nan'
    assert float(facts['terms']['top5_acc']) == 1
    assert facts['iteration'] == 4 and facts['checkpoint'] == str(saved)
    assert [Path(c).name for c in facts['clips']] == [
        f'clip{i}.mp4' for i in range(4, 8)
    ]


def test_clips_without_a_name_say_how_to_get_one():
    assert clip_paths(dict(data_samples=[{}])) == [UNNAMED]
    assert clip_paths(None) == []
    several = [
        dict(data_samples=[dict(filename='a')]),
        dict(data_samples=[dict(filename='b')]),
    ]
    assert clip_paths(several) == ['a', 'b']


@pytest.mark.parametrize(
    'batch', [torch.arange(3), [torch.arange(3)], None, dict(inputs=[1])]
)
@pytest.mark.parametrize('outputs', [None, {}, dict(states=torch.ones(2))])
def test_steps_that_give_no_loss_pass(batch, outputs):
    """mmaction2's vis_scheduler.py has a model that learns nothing."""
    hook = NonFiniteLossHook(dump=False)
    hook.after_train_iter(None, 0, batch, outputs)
    assert hook.previous == []


@pytest.mark.parametrize(
    'good, bad, said',
    [
        (dict(loss_a=1.0, norm=math.inf), dict(loss_b=NAN), 'loss_b=nan'),
        (dict(loss=0.5, acc=torch.ones(())), dict(loss=math.inf), 'loss=inf'),
    ],
    ids=['not added up', 'plain numbers'],
)
def test_losses_of_all_kinds_are_checked(tmp_path, good, bad, said):
    runner = SimpleNamespace(iter=0, epoch=0, rank=0, work_dir=tmp_path)
    runner.optim_wrapper = SimpleNamespace(get_lr=lambda: dict(lr=[0.1]))
    hook = NonFiniteLossHook(dump=False)
    batch = dict(data_samples=[dict(filename='a.mp4')])
    hook.after_train_iter(None, 0, batch, good)
    assert hook.previous == ['a.mp4']
    with pytest.raises(RuntimeError, match=rf'\({said}, acc=1\)'):
        hook.after_train_iter(runner, 0, batch, dict(bad, acc=1))
