"""The random numbers of an epoch depend on seed, epoch and rank only."""

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmaction.registry import HOOKS
from mmengine.runner import Runner
from torch.utils.data import Dataset

from mmvidadapt.engine import seed_worker


class Draws(Dataset):
    """Every item is a draw from python, numpy and torch."""

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return index, *numbers()


def numbers():
    return random.random(), np.random.rand(), torch.rand(()).item()


def fake_runner(seed=0, epoch=0, rank=0, workers=2, diff=False, **loader):
    """Stand in for a runner with a data loader as mmengine builds it."""
    loader.update(batch_size=2, num_workers=workers, dataset=Draws())
    loader['sampler'] = dict(type='DefaultSampler', shuffle=True)
    loader['collate_fn'] = dict(type='default_collate')
    loader = Runner.build_dataloader(loader, seed=123)
    runner = SimpleNamespace(seed=seed, epoch=epoch, rank=rank)
    runner.train_dataloader = loader
    runner.train_loop = SimpleNamespace(dataloader=loader)
    runner._randomness_cfg = dict(seed=seed, diff_rank_seed=diff)
    return runner


def draw(runner, hook=True):
    """Return what one epoch draws in workers and in the main process."""
    if hook:
        hook = HOOKS.build(dict(type='EpochSeedHook'))
        hook.before_train(runner)
        hook.before_train_epoch(runner)
    loader = runner.train_dataloader
    rows = [torch.stack([t.double() for t in b], 1) for b in loader]
    return torch.cat(rows), numbers()


@pytest.mark.parametrize('workers', [0, 2])
def test_a_resumed_epoch_draws_the_same(workers):
    first, main = draw(fake_runner(epoch=3, workers=workers))
    random.random(), np.random.rand(5), torch.rand(7)  # what came between
    again, main_again = draw(fake_runner(epoch=3, workers=workers))
    assert torch.equal(first, again)
    assert main == main_again


@pytest.mark.parametrize(
    'change', [dict(epoch=1), dict(seed=1), dict(rank=1)], ids=str
)
def test_epoch_seed_and_rank_each_change_every_source(change):
    one, main = draw(fake_runner())
    other, main_other = draw(fake_runner(**change))
    one, other = one[one[:, 0].argsort()], other[other[:, 0].argsort()]
    assert not (one[:, 1:] == other[:, 1:]).any()
    assert all(a != b for a, b in zip(main, main_other))


def test_workers_draw_differently_from_one_another():
    draws, _ = draw(fake_runner())
    assert len(draws[:, 1:].unique()) == draws[:, 1:].numel()


def test_mmengines_own_workers_repeat_themselves():
    runner = fake_runner()
    one, other = (draw(runner, hook=False)[0][:, 1:] for _ in range(2))
    assert torch.equal(one, other)


def test_the_order_follows_the_seed_of_the_run_not_of_the_process():
    runner = fake_runner(seed=7)
    assert runner.train_dataloader.sampler.seed == 123
    draw(runner)
    assert runner.train_dataloader.sampler.seed == 7
    runner = fake_runner(seed=8, rank=1, diff=True)  # 7 + rank
    draw(runner)
    assert runner.train_dataloader.sampler.seed == 7


def test_all_loaders_of_a_loop_follow():
    runners = [fake_runner(workers=2) for _ in range(2)]
    loaders = [r.train_dataloader for r in runners]
    runners[0].train_loop.multi_loaders = loaders
    draw(runners[0])
    assert [ld.worker_init_fn for ld in loaders] == [seed_worker] * 2
    assert [ld.sampler.seed for ld in loaders] == [0, 0]


def test_a_configured_function_stays():
    given = dict(type='seed_worker', _scope_='mmvidadapt')
    runner = fake_runner(worker_init_fn=given)
    configured = runner.train_dataloader.worker_init_fn
    draws, _ = draw(runner)  # the left-over _scope_ does no harm
    assert runner.train_dataloader.worker_init_fn is configured
    assert torch.equal(draws, draw(fake_runner())[0])


def test_persistent_workers_are_reported(logged):
    draw(fake_runner())
    assert not logged
    draw(fake_runner(persistent_workers=True))
    assert len(logged) == 1 and 'persistent_workers=True' in logged[0]
