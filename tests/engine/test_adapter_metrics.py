"""The metrics in an adapter file are those of its weights."""

import pytest
from mmengine.runner import Runner

from mmvidadapt.weights.adapter_file import SUFFIX, read_adapter

from .adapter_runs import check_pairs, recipe, run

RARE = dict(default_hooks__checkpoint__interval=2)


def test_metrics_are_those_of_the_weights(listing, tmp_path, trunk):
    how = dict(RARE, epochs=3, train_cfg__val_interval=1)
    run(recipe(listing, tmp_path, trunk, **how))
    names = check_pairs(tmp_path / 'work')
    assert names == ['epoch_2', 'epoch_3']
    for name in names:
        path = str(tmp_path / f'work/{name}{SUFFIX}')
        metrics = read_adapter(path).metrics
        tested = recipe(listing, tmp_path / 'test', trunk, load_from=path)
        tested.custom_hooks.pop()
        assert Runner.from_cfg(tested).test() == pytest.approx(metrics)
        assert 'acc/top1' in metrics


def made_up(runner, *scores):
    """Let the validations of a run give these accuracies."""
    (metric,), left = runner.val_evaluator.metrics, iter(scores)
    metric.compute_metrics = lambda results: dict(
        zip(('top1', 'mean1'), next(left))
    )


def test_later_validations_leave_metrics_alone(listing, tmp_path, trunk):
    config = recipe(listing, tmp_path, trunk, epochs=4, **RARE)
    runner = Runner.from_cfg(config)
    made_up(runner, (0.1,), (0.2,), (0.3,), (0.4,))
    runner.train()
    for epoch in (2, 4):
        path = tmp_path / f'work/epoch_{epoch}{SUFFIX}'
        assert read_adapter(path).metrics == {'acc/top1': epoch / 10}


def test_an_epoch_without_validation_has_no_metrics(listing, tmp_path, trunk):
    how = dict(epochs=2, train_cfg__val_interval=2)
    run(recipe(listing, tmp_path, trunk, **how))
    paths = (tmp_path / f'work/epoch_{i}{SUFFIX}' for i in (1, 2))
    one, two = (read_adapter(path).metrics for path in paths)
    assert one == {} and set(two) >= {'acc/top1', 'acc/top5'}


def test_the_best_has_one_too(listing, tmp_path, trunk):
    """Accuracies are made up, so that the best changes twice."""
    config = recipe(listing, tmp_path, trunk, epochs=4)
    config.default_hooks.checkpoint.update(
        save_best=['acc/top1', 'acc/mean1'], rule='greater', max_keep_ckpts=1
    )
    runner = Runner.from_cfg(config)
    made_up(runner, (0.2, 0.5), (0.6, 0.4), (0.3, 0.3), (0.7, 0.1))
    runner.train()
    names = check_pairs(tmp_path / 'work')
    best = {n.split('_epoch')[0]: n for n in names if n.startswith('best')}
    assert best == {
        'best_acc_top1': 'best_acc_top1_epoch_4',
        'best_acc_mean1': 'best_acc_mean1_epoch_1',
    }
    assert [n for n in names if n not in best.values()] == ['epoch_4']
    top1s = dict(best_acc_mean1_epoch_1=0.2, best_acc_top1_epoch_4=0.7)
    for name, top1 in dict(top1s, epoch_4=0.7).items():
        path = tmp_path / f'work/{name}{SUFFIX}'
        assert read_adapter(path).metrics['acc/top1'] == top1


def test_iterations_instead_of_epochs(listing, tmp_path, trunk):
    hook = dict(type='CheckpointHook', by_epoch=False, interval=2)
    config = recipe(listing, tmp_path, trunk, default_hooks__checkpoint=hook)
    loop = dict(type='IterBasedTrainLoop', max_iters=5, val_interval=4)
    config.train_cfg, hooks = loop, config.custom_hooks
    config.custom_hooks = [h for h in hooks if h['type'] != 'EpochSeedHook']
    run(config)
    names = check_pairs(tmp_path / 'work')
    assert names == ['iter_2', 'iter_4', 'iter_5']
    for name in names:
        metrics = read_adapter(tmp_path / f'work/{name}{SUFFIX}').metrics
        assert ('acc/top1' in metrics) == (name != 'iter_2')
