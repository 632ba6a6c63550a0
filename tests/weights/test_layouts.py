"""Every layout, written by hand from our names, is renamed back."""

from pathlib import Path

import pytest
import torch
from torch import nn

import mmvidadapt
from mmvidadapt.models import ImageViT
from mmvidadapt.weights import rename_official_, rename_whole_, to_native
from mmvidadapt.weights.layouts.convert import convert
from mmvidadapt.weights.layouts.registry import METHODS, Names
from mmvidadapt.weights.layouts.tables import Layout
from mmvidadapt.weights.resize import resize_time

from . import foreign
from .samples import aim, same, swin, vit

PACKAGE = Path(mmvidadapt.__file__).parent


def test_our_own_names_stay():
    name = 'layers.0.blocks.0.attn.temporal_position_bias_table'
    unadapted = {**swin(), name: torch.randn(5, 2)}
    same(to_native(unadapted, 'swin'), unadapted)
    spatial = {k: v for k, v in swin(True).items() if 'temporal' not in k}
    same(to_native(spatial, 'swin'), spatial)


@pytest.mark.parametrize('pre_norm', [False, True])
def test_mmpretrain_vit_gives_the_same_features(pre_norm):
    from mmpretrain.models.backbones import VisionTransformer

    torch.manual_seed(0)
    theirs = VisionTransformer(
        dict(
            embed_dims=32, num_layers=2, num_heads=2, feedforward_channels=128
        ),
        img_size=16,
        patch_size=8,
        pre_norm=pre_norm,
    )
    theirs.eval()  # gives None
    for param in theirs.parameters():
        nn.init.normal_(param, std=0.2)
    traits = dict(
        pre_norm=pre_norm, act='gelu', eps=1e-6, patch_bias=not pre_norm
    )
    ours = ImageViT(arch='tiny', img_size=16, dialect=traits).eval()
    ours.load_state_dict(to_native(theirs.state_dict()), strict=True)
    images = torch.randn(2, 3, 16, 16)
    features = ours(images[:, :, None])[..., 0, 0, 0]
    torch.testing.assert_close(features, theirs(images)[0])


@pytest.mark.parametrize(
    'weights', [vit, aim, swin, dict, lambda: foreign.timm_vit()[0]]
)
def test_renaming_leaves_other_checkpoints_alone(weights):
    before = foreign.under('backbone.', weights())
    after = dict(before)
    rename_official_(after, 'backbone.')
    rename_official_(after, 'other.')
    same(after, before)


def test_wrong_model_is_named():
    with pytest.raises(ValueError, match="'swin-2d' belong to a swin"):
        to_native(foreign.swin_2d()[0])
    with pytest.raises(ValueError, match="Unknown family 'vivit'"):
        to_native(vit(), 'vivit')


def test_unknown_layouts_are_refused():
    whole, _ = foreign.openai_clip()
    text = {k: v for k, v in whole.items() if 'visual' not in k}
    with pytest.raises(ValueError, match='unknown layout.*openai-clip') as e:
        to_native(text)
    assert str(e.value).count("'native-swin'") == 1  # each is named once
    resnet = {'visual.conv1.weight': torch.ones(1), 'visual.layer1': None}
    with pytest.raises(ValueError, match='unknown layout'):
        to_native(resnet)


@pytest.mark.parametrize(
    'name, reason',
    [
        ('fc_norm.weight', 'mean pooling'),
        ('dist_token', 'distillation'),
        ('blocks.0.attn.gamma1.weight', 'layer scale'),
        ('blocks.0.attn.rope', 'no place for'),
    ],
)
def test_parts_we_do_not_have_are_named(name, reason):
    theirs, _ = foreign.timm_vit()
    with pytest.raises(ValueError, match=reason) as error:
        to_native({**theirs, name: torch.ones(1)})
    assert repr(name) in str(error.value)
    assert "'timm-vit'" in str(error.value)


def test_lost_query_is_named():
    theirs, _ = foreign.hf_clip()
    name = 'vision_model.encoder.layers.1.self_attn.q_proj.weight'
    del theirs[name]
    with pytest.raises(ValueError, match=r"no \['q'\] of .*1.attn.in_proj"):
        to_native(theirs)


def test_a_method_registers_what_weights_knows_of_it(monkeypatch):
    folders = {path.parent.name for path in PACKAGE.glob('methods/*/names.py')}
    assert set(METHODS) == folders >= {'aim', 'bevt'}
    for path in PACKAGE.glob('weights/**/*.py'):
        assert 'import mmvidadapt.methods' not in path.read_text(), path
        assert 'from mmvidadapt.methods' not in path.read_text(), path
    theirs = {f'new/{name}': value for name, value in aim().items()}
    table = {'new/**': '**'}
    names = Names(
        [Layout('new-vit', 'vit', ('new/class_embedding',), table, True)],
        lambda weights: (
            {f'backbone.{k}': v for k, v in weights.items()}
            if 'new/conv1.weight' in weights
            else None
        ),
        time_axes={'new_embedding': 0},
    )
    monkeypatch.setitem(METHODS, 'new', names)
    whole = {'model': {f'module.{k}': v for k, v in theirs.items()}}
    rename_whole_(whole)
    same(whole, foreign.under('backbone.', aim()))
    assert convert(theirs).layout == 'new-vit'
    saved = torch.arange(3.0)[:, None]
    found = resize_time(nn.Module(), 'new_embedding', saved, (5, 1))
    assert found.flatten().tolist() == [0, 0.5, 1, 1.5, 2]
