"""The optimizer holds what is trained, and the log says what that is."""

import pytest
import torch
from mmaction.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.optim import DefaultOptimWrapperConstructor

from mmvidadapt.engine.hooks.trained_params import (
    check_optimizers,
    parameter_table,
)
from mmvidadapt.engine.optimizers.trained_params_constructor import (
    TrainedParamsConstructor,
    merge_groups,
)
from tests import runs

PARAMWISE = dict(
    custom_keys={
        'ln_': dict(decay_mult=0.0),
        'backbone': dict(lr_mult=0.1),  # longer than 'ln_', so it wins there
        'backbone.ln_post': dict(lr_mult=0.5, decay_mult=0.0),
        'class_embedding': dict(decay_mult=0.0),
    },
    bias_decay_mult=0.0,
)
WRAPPER = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return MODELS.build(runs.model())


def options(model, optim_wrapper):
    """Return name -> (lr, weight decay) of what the optimizer holds."""
    names = {id(p): n for n, p in model.named_parameters()}
    return {
        names[id(p)]: (g['lr'], g['weight_decay'])
        for g in optim_wrapper.optimizer.param_groups
        for p in g['params']
    }


def test_options_are_those_of_mmengine_for_every_parameter(model):
    ours = TrainedParamsConstructor(dict(WRAPPER), PARAMWISE)(model)
    theirs = DefaultOptimWrapperConstructor(dict(WRAPPER), PARAMWISE)(model)
    assert options(model, ours) == options(model, theirs)
    assert options(model, ours)['backbone.ln_post.weight'] == (5e-4, 0.0)
    assert options(model, ours)['backbone.temporal_embedding'] == (1e-4, 0.05)
    assert options(model, ours)['cls_head.fc_cls.bias'] == (1e-3, 0.0)
    assert len(theirs.optimizer.param_groups) == 29
    # backbone; backbone.ln_post; head weight; head bias
    assert len(ours.optimizer.param_groups) == 4


@pytest.mark.parametrize('paramwise', [None, {}])
def test_nothing_frozen_enters_without_paramwise(model, paramwise):
    constructor = OPTIM_WRAPPER_CONSTRUCTORS.get('TrainedParamsConstructor')
    wrapper = constructor(dict(WRAPPER), paramwise)(model)
    assert set(options(model, wrapper)) == {
        n for n, p in model.named_parameters() if p.requires_grad
    }
    assert len(wrapper.optimizer.param_groups) == 1


def test_groups_keep_the_order_of_the_model(model):
    wrapper = TrainedParamsConstructor(dict(WRAPPER), None)(model)
    assert list(options(model, wrapper)) == [
        n for n, p in model.named_parameters() if p.requires_grad
    ]
    groups = dict(a=dict(lr=1), b={}, c=dict(lr=1), d=dict(lr=2))
    merged = merge_groups([dict(v, params=[k]) for k, v in groups.items()])
    wanted = dict(ac=dict(lr=1), b={}, d=dict(lr=2))
    assert merged == [dict(v, params=[*k]) for k, v in wanted.items()]


def test_a_frozen_model_is_refused(model):
    with pytest.raises(ValueError, match='Every parameter of Recognizer3D'):
        model.requires_grad_(False)
        TrainedParamsConstructor(dict(WRAPPER), None)(model)


def test_a_misspelt_custom_key_is_reported(model, logged):
    paramwise = dict(custom_keys={'ln_pots': dict(decay_mult=0.0)})
    TrainedParamsConstructor(dict(WRAPPER), paramwise)(model)
    assert len(logged) == 1, 'one warning, and nothing per parameter'
    assert "['ln_pots']" in logged[0]


def test_the_table_counts(model):
    wrapper = TrainedParamsConstructor(dict(WRAPPER), PARAMWISE)(model)
    lines = parameter_table(model, [wrapper.optimizer]).splitlines()
    rows = {line.split()[0]: line.split()[1:] for line in lines if line}
    name = 'backbone.transformer.resblocks.*.t_adapter.down.weight'
    assert rows[name] == ['2', '512', '0.00', 'float32', '0.00']
    trained, frozen = [
        line.split() for line in lines if line.startswith('  sum')
    ]
    assert trained == ['sum', '29', '3,636', '0.01', 'float32', '0.03']
    assert frozen == ['sum', '29', '31,808', '0.13', 'float32', '0.00']
    assert rows['total'][:2] == ['58', '35,444']
    assert 'lr 0.0005, weight decay 0, 2 tensors' in lines[-3]


KINDS = ('AdamW', 'SGD', 'NAdam', 'RAdam', 'Adamax', 'Adadelta', 'Adagrad')


@pytest.mark.parametrize(
    'config',
    [dict(type=n) for n in KINDS]
    + [dict(type='Adam', amsgrad=True), dict(type='SGD', momentum=0.9)],
    ids=str,
)
def test_the_optimizer_state_is_as_large_as_the_table_says(config):
    layer = torch.nn.Linear(500, 1000, bias=False)  # 2 MB
    config = dict(optimizer=dict(config, lr=0.1))
    optimizer = TrainedParamsConstructor(config, None)(layer).optimizer
    said = parameter_table(layer, [optimizer]).splitlines()[2].split()[-1]
    layer(torch.ones(500)).sum().backward()
    optimizer.step()
    kept = sum(
        t.nbytes
        for s in optimizer.state.values()
        for t in s.values()
        if torch.is_tensor(t) and t.numel() > 1
    )
    assert float(said) == kept / 1e6


def test_an_unknown_optimizer_is_not_guessed(model):
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.LBFGS(trained)
    assert parameter_table(model, [optimizer]).splitlines()[2].endswith(' ?')


def test_an_optimizer_with_other_parameters_is_refused(model):
    everything = torch.optim.SGD(model.parameters(), lr=1)
    with pytest.raises(ValueError, match='backbone.class_embedding'):
        check_optimizers(model, [everything])
    head = torch.optim.SGD(model.cls_head.parameters(), lr=1)
    with pytest.raises(ValueError, match='temporal_embedding'):
        check_optimizers(model, [head])
    trained = [p for p in model.parameters() if p.requires_grad]
    halves = [torch.optim.SGD(t, lr=1) for t in (trained[:9], trained[9:])]
    check_optimizers(model, halves)
    with pytest.raises(ValueError, match='more than once: 29'):
        check_optimizers(model, halves + halves)
