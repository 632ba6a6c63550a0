"""Rates that fall from layer to layer, on every backbone."""

import pytest
from mmaction.engine.optimizers.layer_decay_optim_wrapper_constructor import (
    get_layer_id_for_vit,
)
from mmaction.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.optim import build_optim_wrapper
from torch import nn

from mmvidadapt.engine.optimizers.layer_decay import layer_scales
from mmvidadapt.trunks.table import TRUNKS
from tests.heads.test_heads import BACKBONES, build

RATE = 0.5
# Names of parameters, and the power of the rate. The models have two layers,
# four where they have two encoders or two stages.
POWERS = dict(
    AIM={
        'temporal_embedding': 3,
        'transformer.resblocks.0.t_adapter.down.weight': 2,
        'transformer.resblocks.1.mlp_adapter.up.bias': 1,
        'ln_post.weight': 0,
    },
    ViViT={
        'conv1.weight': 3,
        'positional_embedding': 3,
        'transformer.resblocks.0.ln_1.weight': 2,
        'ln_post.bias': 0,
    },
    ViViTFactorisedEncoder={
        'class_embedding': 7,
        'transformer.resblocks.1.ln_1.weight': 5,
        'temporal.class_embedding': 5,
        'temporal.transformer.resblocks.0.ln_1.weight': 4,
        'temporal.transformer.resblocks.3.mlp.c_fc.bias': 1,
        'temporal.ln_post.weight': 0,
    },
    AIMSwin={
        'layers.0.blocks.0.t_adapter.up.weight': 4,
        'layers.0.blocks.1.mlp_adapter.up.weight': 3,
        'layers.0.downsample.reduction.weight': 3,
        'layers.1.blocks.1.s_adapter.up.weight': 1,
        'norm.bias': 0,
    },
    BEVTVideoSwin={
        'patch_embed.proj.weight': 5,
        'layers.0.downsample.norm.weight': 3,
        'layers.1.blocks.0.norm1.weight': 2,
        'norm1.weight': 0,
    },
    EVL={'decoder.layers.0.motion.w1': 2, 'decoder.cls_token': 3},
    DualPath={'temporal_class_embedding': 3},
)


def optimizer_of(model, **paramwise):
    config = dict(
        constructor='TrainedParamsConstructor',
        optimizer=dict(type='AdamW', lr=0.1, weight_decay=0.05),
        paramwise_cfg=dict(layer_decay_rate=RATE, **paramwise),
    )
    return build_optim_wrapper(model, config).optimizer


@pytest.mark.parametrize('backbone', BACKBONES)
def test_rates_fall_towards_the_input(backbone):
    more = {} if backbone != 'ImageViT' else dict(full_finetune=True)
    options = BACKBONES[backbone][0]
    more = dict(options, type=backbone, **more)
    model = build('AIM', 'Float32I3DHead')
    model.backbone = MODELS.build(more)
    scales = layer_scales(model, RATE)
    rates = {
        id(p): group['lr']
        for group in optimizer_of(model).param_groups
        for p in group['params']
    }
    trained = [p for p in model.parameters() if p.requires_grad]
    assert rates.keys() == {id(p) for p in trained}
    for name, param in model.named_parameters():
        if param.requires_grad:
            assert rates[id(param)] == pytest.approx(0.1 * scales[name]), name
    for name, power in POWERS.get(backbone, {}).items():
        assert scales[f'backbone.{name}'] == RATE**power, name
    assert scales['cls_head.fc_cls.weight'] == 1
    assert min(scales.values()) == RATE ** (len(set(scales.values())) - 1)


def test_the_norm_in_front_is_in_front():
    dialect = dict(pre_norm=True, act='gelu', eps=1e-6, patch_bias=True)
    config = dict(BACKBONES['ViViT'][0], type='ViViT', dialect=dialect)
    assert layer_scales(MODELS.build(config), RATE)['ln_pre.bias'] == RATE**3


def test_registers_come_first_and_an_attention_pool_last():
    row = TRUNKS['facebook/PE-Core-B16-224']
    given = dict(BACKBONES['AIM'][0], type='AIM', full_finetune=True)
    given['dialect'] = dict(row.dialect, registers=2, layer_scale=True)
    scales = layer_scales(MODELS.build(given), RATE)
    gamma = 'transformer.resblocks.{}.mlp.c_proj.gamma'
    assert scales['registers'] == RATE**3
    assert [scales[gamma.format(i)] for i in (0, 1)] == [RATE**2, RATE]
    assert scales['attn_pool.probe'] == scales['ln_post.bias'] == 1


def test_the_powers_are_those_of_mmaction2():
    """On the one Transformer that both know."""
    model = nn.Module()
    sizes = dict(img_size=16, patch_size=8, embed_dims=8, depth=3)
    sizes.update(num_heads=2, num_frames=2, num_classes=0)
    model.backbone = MODELS.build(dict(type='VisionTransformer', **sizes))
    for name, scale in layer_scales(model, RATE).items():
        level = get_layer_id_for_vit(name, 3)
        assert scale == RATE ** (3 - level + 1), name


def test_it_multiplies_what_custom_keys_say():
    model = build('ViViT', 'ViViTHead')
    keys = dict(positional_embedding=dict(lr_mult=10, decay_mult=0.0))
    groups = optimizer_of(model, custom_keys=keys).param_groups
    (found,) = (g for g in groups if g['weight_decay'] == 0)
    assert found['lr'] == pytest.approx(0.1 * 10 * RATE**3)
    assert found['params'][0] is model.backbone.positional_embedding
    assert len(groups) == 5  # one a level, and this one


@pytest.mark.parametrize(
    'paramwise, reason',
    [
        (dict(layer_decay_rate=1.5), 'give a factor between 0 and 1'),
        (dict(layer_decay_rate=0), 'give a factor between 0 and 1'),
        (dict(decay_rate=0.5, num_layers=2), 'a layer_decay_rate, and noth'),
    ],
)
def test_rates_that_make_no_sense_are_refused(paramwise, reason):
    config = dict(constructor='TrainedParamsConstructor')
    config.update(optimizer=dict(type='SGD', lr=0.1), paramwise_cfg=paramwise)
    with pytest.raises(ValueError, match=reason):
        build_optim_wrapper(build('AIM', 'I3DHead'), config)


def test_a_backbone_without_layers_is_named():
    with pytest.raises(ValueError, match='Sequential has no list of layers'):
        layer_scales(nn.Sequential(nn.Linear(2, 2)), RATE)


def test_the_constructor_of_mmaction2_says_what_to_use():
    name = 'LearningRateDecayOptimizerConstructor'
    options = dict(num_layers=2, decay_rate=0.8, decay_type='layer_wise')
    config = dict(optimizer=dict(type='SGD', lr=0.1, weight_decay=0.1))
    make = OPTIM_WRAPPER_CONSTRUCTORS.get(name)(config, options)
    with pytest.raises(ValueError, match='not know ViViT: use .*=0.8'):
        make(build('ViViT', 'ViViTHead'))
    known = nn.Module()
    known.backbone = type('MViT', (nn.Module,), {})()
    known.backbone.blocks = nn.ModuleList([nn.Linear(1, 1)])
    rates = [g['lr'] for g in make(known).optimizer.param_groups]
    assert rates == pytest.approx([0.1 * 0.8**2] * 2)
