"""What mmengine's options do to a run, each checked by its effect."""

import shutil

import pytest
import torch
from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tensorboard.backend.event_processing.event_accumulator import (
    EventAccumulator,
)
from torch.testing import assert_close

from tests import runs

SGD = dict(type='SGD', lr=0.1, weight_decay=0.0)
PLAIN = dict(optim_wrapper__optimizer=SGD)


@HOOKS.register_module(force=True)
class Watch(Hook):
    """Keep the trained weights after every iteration, and the losses."""

    priority = 'VERY_HIGH'

    def __init__(self):
        self.weights, self.losses = [], []

    def before_train(self, runner):
        """Keep what training starts from."""
        self.weights.append(trained(runner.model))

    def after_train_iter(
        self, runner, batch_idx, data_batch=None, outputs=None
    ):
        """Keep weights and loss."""
        self.weights.append(trained(runner.model))
        self.losses.append(outputs['loss'].detach())


def trained(model):
    """Copy the trained parameters."""
    return {
        n: p.detach().clone()
        for n, p in model.named_parameters()
        if p.requires_grad
    }


def watch(config):
    """Train; return the runner and what was kept."""
    config.custom_hooks.append(dict(type='Watch'))
    runner = runs.train(config)
    return runner, next(h for h in runner.hooks if isinstance(h, Watch))


def norm(before, after):
    """Return the length of an update."""
    squares = [(after[n] - before[n]).square().sum() for n in before]
    return sum(squares).sqrt().item()


def test_accumulated_gradients_equal_a_larger_batch(listing, tmp_path):
    large = runs.recipe(listing, tmp_path / 'large', batch=4, **PLAIN)
    small = dict(PLAIN, batch=2, optim_wrapper__accumulative_counts=2)
    small = runs.recipe(listing, tmp_path / 'small', **small)
    (_, large), (_, small) = watch(large), watch(small)
    assert len(large.weights) == 3 and len(small.weights) == 5
    assert norm(small.weights[0], small.weights[1]) == 0
    assert norm(small.weights[1], small.weights[2]) > 0.01
    for i in range(3):
        pair = small.weights[2 * i], large.weights[i]
        assert_close(*pair, rtol=1e-4, atol=1e-6)


def test_clipping_bounds_the_update(listing, tmp_path):
    clip = dict(optim_wrapper__clip_grad=dict(max_norm=0.01))
    _, free = watch(runs.recipe(listing, tmp_path / 'free', **PLAIN))
    clipped = runs.recipe(listing, tmp_path / 'clipped', **PLAIN, **clip)
    _, clipped = watch(clipped)
    assert norm(*free.weights[:2]) > 0.01
    assert norm(*clipped.weights[:2]) == pytest.approx(0.1 * 0.01, rel=1e-3)


def test_ema_saves_the_average_and_resumes_it(listing, tmp_path):
    """The average with momentum 0.5 is computed again from every step."""
    ema = dict(type='EMAHook', momentum=0.5)
    config = runs.recipe(listing, tmp_path / 'run', epochs=2)
    config.custom_hooks.append(ema)
    _, kept = watch(config)
    name = 'cls_head.fc_cls.weight'
    average = kept.weights[1][name]  # the first update copies
    for weights in kept.weights[2:]:
        average = 0.5 * average + 0.5 * weights[name]
    saved = torch.load(tmp_path / 'run/epoch_2.pth', weights_only=True)
    assert_close(saved['state_dict'][name], average)
    assert not torch.equal(average, kept.weights[-1][name])
    last = saved['ema_state_dict'][f'module.{name}']
    assert torch.equal(last, kept.weights[-1][name])

    (tmp_path / 'run/epoch_2.pth').rename(tmp_path / 'whole.pth')
    how = dict(resume=True, load_from=str(tmp_path / 'run/epoch_1.pth'))
    how.update(epochs=2, experiment_name='ema_resumed')
    config = runs.recipe(listing, tmp_path / 'run', **how)
    config.custom_hooks.append(ema)
    runs.train(config)
    again = torch.load(tmp_path / 'run/epoch_2.pth', weights_only=True)
    for key in ('state_dict', 'ema_state_dict'):
        assert set(again[key]) == set(saved[key])
        for n, value in saved[key].items():
            assert torch.equal(again[key][n], value), n


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_cpu_amp_halves_the_forward_pass_only(listing, tmp_path, dtype):
    _, exact = watch(runs.recipe(listing, tmp_path / 'fp32'))
    seen = set()
    how = dict(type='CPUAmpOptimWrapper', dtype=str(dtype)[6:])
    config = runs.recipe(listing, tmp_path / 'half', optim_wrapper=how)
    config.custom_hooks.append(dict(type='Watch'))
    runner = Runner.from_cfg(config)  # with validation
    layer = runner.model.backbone.transformer.resblocks[0].mlp.c_fc
    layer.register_forward_hook(
        lambda m, i, out: seen.add((torch.is_grad_enabled(), out.dtype))
    )
    runner.train()
    rough = next(h for h in runner.hooks if isinstance(h, Watch))
    assert seen == {(True, dtype), (False, torch.float32)}
    assert {loss.dtype for loss in rough.losses} == {torch.float32}
    assert rough.losses[0] != exact.losses[0]
    assert_close(rough.losses[0], exact.losses[0], rtol=0.02, atol=0.02)
    assert {w.dtype for w in rough.weights[-1].values()} == {torch.float32}
    assert norm(rough.weights[0], rough.weights[-1]) > 0.01
    assert 0 <= runner.message_hub.get_scalar('val/acc/top1').current() <= 1


def test_a_resumed_run_ends_with_the_same_weights(listing, tmp_path):
    """With every kind of randomness: order, crops, flips, drop path."""
    how = dict(random=True, workers=2, epochs=3, drop_path_rate=0.5)
    seed = dict(randomness=dict(seed=5))
    runs.train(runs.recipe(listing, tmp_path / 'whole', **how, **seed))
    shutil.copytree(tmp_path / 'whole', tmp_path / 'again')
    end = tmp_path / 'again/epoch_3.pth'
    end.unlink()
    # The seed comes from the checkpoint alone.
    how.update(resume=True, load_from=str(tmp_path / 'again/epoch_1.pth'))
    how.update(randomness=dict(seed=None))
    runs.train(runs.recipe(listing, tmp_path / 'again', **how))
    expected = torch.load(tmp_path / 'whole/epoch_3.pth', weights_only=True)
    actual = torch.load(end, weights_only=True)
    first = torch.load(tmp_path / 'whole/epoch_1.pth', weights_only=True)
    for name, value in expected['state_dict'].items():
        assert torch.equal(actual['state_dict'][name], value), name
    name = 'cls_head.fc_cls.weight'
    first, last = (s['state_dict'][name] for s in (first, expected))
    assert not torch.equal(first, last)


def test_tensorboard_gets_every_loss(listing, tmp_path):
    how = dict(vis_backends=[dict(type='TensorboardVisBackend')])
    visualizer = dict(type='ActionVisualizer', name='with_tensorboard', **how)
    how.update(epochs=2, visualizer=visualizer)
    config = runs.recipe(listing, tmp_path / 'run', **how)
    runner, kept = watch(config)
    runner.visualizer.close()
    (folder,) = (tmp_path / 'run').glob('*/vis_data')
    events = EventAccumulator(str(folder))
    events.Reload()
    scalars = events.Scalars('loss_cls')
    assert [s.step for s in scalars] == [1, 2, 3, 4]
    # LogProcessor smooths over its window of ten iterations.
    means = [torch.stack(kept.losses[: i + 1]).mean().item() for i in range(4)]
    assert [s.value for s in scalars] == pytest.approx(means, rel=1e-4)


@pytest.mark.parametrize(
    'compile_cfg',
    [dict(backend='aot_eager'), pytest.param(True, marks=pytest.mark.slow)],
    ids=['captured', 'inductor'],
)
def test_compiled_training_gives_the_same_weights(
    listing, tmp_path, compile_cfg
):
    """One iteration, since compiling is what takes the time."""
    torch._dynamo.reset()
    _, plain = watch(runs.recipe(listing, tmp_path / 'plain', batch=8))
    torch._dynamo.utils.counters.clear()
    how = dict(batch=8, compile=compile_cfg)
    _, fast = watch(runs.recipe(listing, tmp_path / 'compiled', **how))
    assert torch._dynamo.utils.counters['stats']['unique_graphs'] > 0
    assert norm(fast.weights[0], fast.weights[1]) > 0.01
    assert_close(fast.weights, plain.weights, rtol=1e-3, atol=1e-4)
