"""A checkpoint fits, or the error says why not."""

from types import SimpleNamespace

import pytest
import torch
from mmaction.registry import HOOKS, MODELS
from mmengine.runner import Priority, get_priority
from mmengine.runner.checkpoint import _load_checkpoint_to_model

from mmvidadapt.weights.load_hooks import compare, remember
from tests import runs

OFFICIAL = dict(t_adapter='T_Adapter', s_adapter='S_Adapter', down='D_fc1')
OFFICIAL.update(mlp_adapter='MLP_Adapter', up='D_fc2')


@pytest.fixture
def model():
    torch.manual_seed(0)
    return MODELS.build(runs.model())


def load(model, state_dict, **hook):
    """Do what ``Runner.load_checkpoint`` does with a file."""
    runner = SimpleNamespace(model=model, _load_from='some/file.pth')
    checkpoint = remember(dict(state_dict=state_dict), 'some/file.pth')
    hook = HOOKS.build(dict(type='StrictLoadHook', **hook))
    hook.after_load_checkpoint(runner, checkpoint)
    _load_checkpoint_to_model(model, checkpoint)


def other_head(model):
    """Return the model's tensors with a head for ten classes."""
    state = dict(model.state_dict())
    state['cls_head.fc_cls.weight'] = torch.ones(10, 32)
    return {**state, 'cls_head.fc_cls.bias': torch.ones(10)}


def test_its_own_weights_load(model):
    target = MODELS.build(runs.model())
    load(target, {f'module.{k}': v for k, v in model.state_dict().items()})
    for name, value in model.state_dict().items():
        assert torch.equal(target.state_dict()[name], value), name


def test_official_names_load(model):
    official = {}
    for name, value in model.state_dict().items():
        parts = [OFFICIAL.get(p, p) for p in name.split('.')]
        official['.'.join(parts)] = value + 1
    before = set(official)
    assert 'backbone.transformer.resblocks.0.T_Adapter.D_fc1.bias' in before
    target = MODELS.build(runs.model())
    load(target, official)
    assert set(official) == before, 'the comparison works on a copy'
    for name, value in model.state_dict().items():
        assert torch.equal(target.state_dict()[name], value + 1), name


def test_another_head_is_named_and_can_be_allowed(model):
    with pytest.raises(ValueError) as error:
        load(model, other_head(model))
    assert str(error.value).startswith('some/file.pth does not fit')
    sizes = 'fc_cls.weight: (10, 32) in the checkpoint, (4, 32) in the model'
    assert sizes in str(error.value)
    assert 'allow_resized' in str(error.value)
    own = model.cls_head.fc_cls.weight.clone()
    load(model, other_head(model), allow_resized=[r'cls_head\..*'])
    assert torch.equal(model.cls_head.fc_cls.weight, own)


def test_missing_and_unknown_are_named_and_can_be_allowed(model):
    state_dict = model.state_dict()
    del state_dict['backbone.temporal_embedding']
    state_dict['backbone.extra'] = torch.ones(1)
    missing = 'missing in the checkpoint: backbone.temporal_embedding\n'
    unknown = 'unknown to the model: backbone.extra'
    some = dict(allow_missing=['.*temporal_embedding'])
    other = dict(allow_unknown=['backbone.extra'])
    for allowed, words in (
        ({}, f'{missing}.*{unknown}'),
        (some, unknown),
        (other, 'missing in the checkpoint'),
    ):
        with pytest.raises(ValueError, match=words):
            load(model, state_dict, **allowed)
    load(model, state_dict, **some, **other)


def test_a_head_without_weights_takes_none(model):
    """mmaction2's clip_feature_extraction.py puts in a FeatureHead."""
    config = dict(runs.model(), cls_head=dict(type='FeatureHead'))
    target = MODELS.build(config)
    load(target, model.state_dict())
    for name, value in target.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name
    other = dict(model.state_dict(), **{'backbone.extra': torch.ones(1)})
    with pytest.raises(ValueError, match='unknown to the model: backbone.ex'):
        load(target, other)


def test_it_compares_what_other_hooks_have_completed():
    kind, ranks = HOOKS.get('StrictLoadHook'), Priority.__members__
    before, after = ranks['HIGH'].value, ranks['NORMAL'].value
    assert before < get_priority(kind.priority) < after


def test_a_long_list_is_cut(model):
    difference = compare(model, {})
    assert len(difference.missing) == 58
    assert '... and 46 more' in str(difference)
    assert len(str(difference).splitlines()) == 13


def test_a_pattern_must_match_the_whole_name(model):
    difference = compare(model, other_head(model))
    assert difference.without((), (), ['cls_head'])
    assert not difference.without((), (), ['cls_head.*'])
