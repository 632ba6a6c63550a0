"""A run is resumed with another batch size or number of processes."""

from types import SimpleNamespace

import pytest
import torch
from mmaction.registry import HOOKS
from mmengine.hooks import Hook

from mmvidadapt.engine import schedule
from mmvidadapt.engine.training_progress import PROGRESS

from . import toy_runs
from .toy_runs import SIZE

BOTH = dict(by_epoch=True, convert_to_iter_based=True)
LINEAR = dict(BOTH, type='LinearLR', start_factor=0.1, end=1.5)
COSINE = dict(BOTH, type='CosineAnnealingLR', T_max=6, end=6)
STEPS = dict(type='MultiStepLR', milestones=[2, 4], by_epoch=True)


@HOOKS.register_module(force=True)
class Rates(Hook):
    """Keep epoch, batch, iteration and learning rate of every step."""

    kept = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        """Keep them."""
        (rate,) = runner.optim_wrapper.get_lr()['lr']
        self.kept.append((runner.epoch, batch_idx, runner.iter, rate))


def rates(work, batch, stop=None, schedules=(LINEAR, COSINE, STEPS), **how):
    """Train six epochs, or to an iteration; return what was kept."""
    how.update(epochs=6, train_dataloader__batch_size=batch)
    config = toy_runs.recipe(work, param_scheduler=list(schedules), **how)
    config.val_cfg = config.val_dataloader = config.val_evaluator = None
    config.custom_hooks.append(dict(type='Rates'))
    Rates.kept = []
    if stop is None:
        toy_runs.train(config)
    else:
        sender = dict(type='Sender', number=15, iteration=stop - 1)
        config.custom_hooks.append(sender)
        with pytest.raises(SystemExit):
            toy_runs.train(config)
    return Rates.kept


def assert_same(found, expected):
    """Compare the last steps."""
    expected = expected[-len(found) :]
    assert [f[:3] for f in found] == [e[:3] for e in expected]
    for one, other in zip(found, expected):
        assert one[3] == pytest.approx(other[3], rel=1e-9)


# Batches before and now, iterations to the signal, the first step behind it.
@pytest.mark.parametrize(
    'before, now, stop, first',
    [
        (4, 2, 9, (3, 0, 18)),
        (2, 4, 18, (3, 0, 9)),
        (4, 12, 9, (3, 0, 3)),
        (4, 4, 3, (1, 0, 3)),
        # In the middle of an epoch: eight of twelve clips are two batches of
        # four and one of six, and no clip is left out.
        (4, 6, 5, (1, 1, 3)),
    ],
)
def test_the_schedule_goes_on_at_the_same_part(
    tmp_path, quick, capfd, before, now, stop, first
):
    """As if the run always had these batches."""
    expected = rates(tmp_path / 'whole', now)
    rates(tmp_path / 'work', before, stop=stop)
    capfd.readouterr()
    found = rates(tmp_path / 'work', now, resume=True)
    assert found[0][:3] == first
    assert_same(found, expected)
    said = capfd.readouterr().out
    words = (
        f'batch_size={before} in 1 process(es), {SIZE // before} iterations',
        f'batch_size={now} in 1 process(es), {SIZE // now} iterations',
        f'{stop} iterations of the checkpoint are counted as {first[2]}.',
        'same part of the training',
        '--auto-scale-lr',
        'checkpoint was written',
    )
    assert [w in said for w in words] == [before != now] * len(words)


def test_auto_scale_lr_sets_the_base(tmp_path, quick):
    scale = dict(auto_scale_lr=dict(enable=True, base_batch_size=4))
    expected = rates(tmp_path / 'whole', 6, **scale)
    rates(tmp_path / 'work', 4, stop=6, **scale)
    found = rates(tmp_path / 'work', 6, resume=True, **scale)
    assert_same(found, expected)
    plain = rates(tmp_path / 'plain', 6)
    assert found[0][3] == pytest.approx(1.5 * plain[-len(found)][3])


def test_what_mmengine_noted_is_enough(tmp_path, quick, capfd):
    """Checkpoints of before do not say how large their batches were."""
    expected = rates(tmp_path / 'whole', 2)
    rates(tmp_path / 'work', 4, stop=3)
    path = tmp_path / 'work/epoch_1.pth'
    saved = torch.load(path, weights_only=False)
    del saved[PROGRESS]
    torch.save(saved, path)
    assert_same(rates(tmp_path / 'work', 2, resume=True), expected)
    said = capfd.readouterr().out
    assert 'written with 3 iterations an epoch; this run has batch' in said


def test_another_schedule_in_the_config_is_told(tmp_path, quick, capfd):
    rates(tmp_path / 'work', 4, stop=3)
    longer = dict(COSINE, T_max=9, end=9)
    rates(tmp_path / 'work', 4, schedules=[LINEAR, longer], resume=True)
    said = capfd.readouterr().out
    assert 'param_scheduler[1].T_max is 18 in the checkpoint and 27' in said
    assert 'there are 3 schedules in the checkpoint and 2 in' in said


def test_schedules_that_look_at_metrics_stay(tmp_path, quick, capfd):
    plateau = dict(type='ReduceOnPlateauLR', monitor='acc', rule='greater')
    how = dict(epochs=2, param_scheduler=[plateau])
    toy_runs.train(toy_runs.recipe(tmp_path / 'work', **dict(how, epochs=1)))
    how['train_dataloader__batch_size'] = 2
    toy_runs.train(toy_runs.recipe(tmp_path / 'work', resume=True, **how))
    assert 'The schedules stay where they were' in capfd.readouterr().out


def test_loops_that_count_iterations_only_tell(tmp_path, quick, capfd):
    for batch, resume in ((4, False), (2, True)):
        how = dict(param_scheduler=None, resume=resume)
        config = toy_runs.recipe(tmp_path / 'work', **how)
        config.train_dataloader.update(batch_size=batch)
        config.train_dataloader.sampler.type = 'InfiniteSampler'
        config.default_hooks.checkpoint.update(by_epoch=False, interval=2)
        config.train_cfg = dict(type='IterBasedTrainLoop')
        config.train_cfg.update(max_iters=4 if resume else 2, val_interval=9)
        toy_runs.train(config)
    said = capfd.readouterr().out
    assert 'batch_size=4 in' in said and 'this run has batch_size=2' in said
    assert 'counts iterations and goes on as it was' in said


def test_facts_of_several_loaders(tmp_path, quick, monkeypatch):
    loader = dict(num_workers=0, dataset=toy_runs.ToySet())
    loader['sampler'] = dict(type='DefaultSampler', shuffle=False)
    build = toy_runs.Runner.build_dataloader
    loaders = [build(dict(loader, batch_size=size)) for size in (4, 6)]
    monkeypatch.setattr(schedule, 'train_loaders', lambda runner: loaders)

    two = SimpleNamespace(world_size=2)
    facts = dict(batch_size=[4, 6], processes=2, iterations=2)
    assert schedule.loader_facts(two) == facts
