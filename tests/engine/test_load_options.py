"""Train on from a checkpoint with other classes or other frames."""

from types import SimpleNamespace

import pytest
import torch
from mmaction.registry import HOOKS, MODELS
from mmengine.config import Config
from mmengine.runner import Runner

from mmvidadapt.weights.resize import resize_time
from tests import runs
from tests.heads.test_heads import BACKBONES, build
from tests.tools.processes import call

TIMED = ('AIM', 'AIMSwin', 'EVL', 'ViViT', 'ViViTFactorisedEncoder')


@pytest.fixture
def trained(listing, tmp_path_factory):
    """A checkpoint of four classes and four frames."""
    folder = tmp_path_factory.mktemp('first')
    model = MODELS.build(runs.recipe(listing, folder).model)
    for param in model.parameters():
        torch.nn.init.normal_(param, std=0.1)
    path = folder / 'first.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), path)
    return path


def changed(listing, tmp_path, trained, **changes):
    """Write the config of a run that goes on with other sizes."""
    config = runs.without_validation(
        runs.recipe(listing, tmp_path / 'work', **changes)
    )
    config.load_from = str(trained)
    config.dump(tmp_path / 'second.py')
    return tmp_path / 'second.py'


FRAMES = dict(
    model__backbone__num_frames=8,
    train_dataloader__dataset__pipeline__1__clip_len=8,
)


def start(path, **options):
    config = Config.fromfile(path)
    config.merge_from_dict(options)
    runner = Runner.from_cfg(config)
    runner._train_loop = runner.build_train_loop(config.train_cfg)
    runner.load_or_resume()
    return runner


def test_the_errors_name_the_options(listing, tmp_path, trained):
    path = changed(
        listing, tmp_path, trained, model__cls_head__num_classes=7, **FRAMES
    )
    with pytest.raises(ValueError) as error:
        start(path)
    said = str(error.value)
    assert 'load_options.new_head=True' in said and '--new-head' in said
    assert 'interpolate backbone.temporal_embedding over time' in said
    assert 'load_options.interpolate_time=True' in said
    assert '--interpolate-time' in said


def test_a_run_goes_on_by_flags(listing, tmp_path, trained, monkeypatch):
    path = changed(
        listing, tmp_path, trained, model__cls_head__num_classes=7, **FRAMES
    )
    call(monkeypatch, 'train.py', path, '--new-head', '--interpolate-time')
    saved = torch.load(tmp_path / 'work/epoch_1.pth', weights_only=False)
    weights = saved['state_dict']
    first = torch.load(trained, weights_only=False)['state_dict']
    assert weights['cls_head.fc_cls.weight'].shape == (7, 32)
    assert weights['backbone.temporal_embedding'].shape == (1, 8, 32)
    frozen = 'backbone.transformer.resblocks.1.attn.in_proj_weight'
    assert torch.equal(weights[frozen], first[frozen])


def test_a_run_goes_on_by_options(listing, tmp_path, trained):
    path = changed(listing, tmp_path, trained, **FRAMES)
    runner = start(path, **{'load_options.interpolate_time': True})
    first = torch.load(trained, weights_only=False)['state_dict']
    old = first['backbone.temporal_embedding']
    new = runner.model.backbone.temporal_embedding
    for end in (0, -1):
        torch.testing.assert_close(new[:, end], old[:, end])
    # The third of seven steps: 9 / 7 of the way through four.
    wanted = old[:, 1] + (old[:, 2] - old[:, 1]) * (9 / 7 - 1)
    torch.testing.assert_close(new[:, 3], wanted)
    with pytest.raises(ValueError, match=r"has \['heads'\]: choose from"):
        start(path, **{'load_options.heads': True})


def load(model, state_dict, **options):
    runner = SimpleNamespace(
        model=model, _load_from='x.pth', cfg=dict(load_options=options)
    )
    hook = HOOKS.build(dict(type='StrictLoadHook'))
    hook.after_load_checkpoint(runner, dict(state_dict=state_dict))


def test_a_test_takes_no_new_head():
    model = build('AIM', 'Float32I3DHead')
    other = dict(model.state_dict())
    other['cls_head.fc_cls.weight'] = torch.ones(9, 32)
    with pytest.raises(ValueError, match='load_options.new_head=True'):
        load(model, other, new_head=True)


@pytest.mark.parametrize('backbone', TIMED)
def test_every_method_of_another_length(backbone):
    """A line over time stays a line."""
    options = BACKBONES[backbone][0]
    config = dict(options, type=backbone, num_frames=8)
    model = MODELS.build(config)
    short = MODELS.build(dict(config, num_frames=4)).state_dict()
    resized = [
        name
        for name, value in model.state_dict().items()
        if value.shape != short[name].shape
    ]
    assert resized
    for name in resized:
        wanted = model.state_dict()[name].shape
        token = int(backbone.startswith('ViViT'))
        steps = over_time(name, short[name], token, backbone)
        ramp = torch.linspace(0, 1, len(steps))
        steps.copy_(ramp.view(-1, *[1] * (steps.ndim - 1)).expand_as(steps))
        found = resize_time(model, name, short[name], wanted)
        assert found.shape == wanted
        steps = over_time(name, found, token, backbone)
        ramp = torch.linspace(0, 1, len(steps))
        torch.testing.assert_close(
            steps, ramp.view(-1, *[1] * (steps.ndim - 1)).expand_as(steps)
        )
        if token:
            assert torch.equal(found[0], short[name][0])


def over_time(name, value, token, backbone):
    """Give a view whose first axis is time, without the class token."""
    axis = 1 if name == 'temporal_embedding' else 0
    patches = 16 if backbone == 'ViViT' else 1
    return value.movedim(axis, 0)[token:].unflatten(0, (-1, patches))


def test_what_is_not_over_time_is_left_alone():
    model = MODELS.build(dict(BACKBONES['AIM'][0], type='AIM'))
    positions = model.positional_embedding
    name = 'positional_embedding'
    assert resize_time(model, name, positions[:5], positions.shape) is None
    wider = torch.ones(1, 8, 16)
    wanted = model.temporal_embedding.shape
    assert resize_time(model, 'temporal_embedding', wider, wanted) is None


def test_flags_without_a_checkpoint_are_refused(
    listing, tmp_path, monkeypatch
):
    path = tmp_path / 'tiny.py'
    runs.recipe(listing, tmp_path / 'work').dump(path)
    with pytest.raises(ValueError, match='--new-head is about `load_from`'):
        call(monkeypatch, 'train.py', path, '--new-head')
