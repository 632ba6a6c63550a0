"""Strict loading, with names, sizes and position embeddings."""

import re
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from mmengine.model import BaseModule

from mmvidadapt.models import ImageViT
from mmvidadapt.weights import load_pretrained
from mmvidadapt.weights.resize import (
    RULES,
    resize_pos_embed,
    resize_positions_,
)

from .foreign import openai_clip, swin_2d
from .samples import GRID, Node, aim, same, swin, vit


def zeros(weights, grid=(GRID, GRID)):
    """Give a module whose weights are to be loaded."""
    module = Node({k: torch.zeros_like(v) for k, v in weights.items()})
    module.fit_weights = partial(resize_positions_, grid=grid)
    return module


@pytest.fixture
def saved(tmp_path):
    """Save weights and give their path."""

    def save(weights):
        torch.save(weights, tmp_path / 'weights.pth')
        return str(tmp_path / 'weights.pth')

    return save


def test_every_tensor_arrives_in_float32(saved):
    theirs, ours = openai_clip()
    module = zeros(ours)
    load_pretrained(module, saved({k: v.half() for k, v in theirs.items()}))
    same(module.state_dict(), {k: v.half().float() for k, v in ours.items()})


def test_what_is_new_keeps_its_values(saved):
    module = Node(aim())
    before = {k: v.clone() for k, v in module.state_dict().items()}
    weights = {k: v + 1 for k, v in vit().items()}
    load_pretrained(
        module,
        saved(weights),
        new=('temporal_embedding', r'.*_adapter(_in)?\..*'),
    )
    same(module.state_dict(), {**before, **weights})


def test_mmengines_report_names_the_source(saved):
    path = saved({k: v + 1 for k, v in vit().items()})
    sizes = dict(embed_dims=8, num_layers=2, num_heads=2, patch_size=4)
    whole = BaseModule()
    whole.backbone = ImageViT(arch=sizes, img_size=12, pretrained=path)
    report = {}
    whole._dump_init_info = lambda: report.update(
        {
            name: whole._params_init_info[param]['init_info']
            for name, param in whole.named_parameters()
        }
    )
    whole.init_weights()
    assert len(report) == len(vit())
    assert set(report.values()) == {f'Loaded from {path}'}


def test_swin_is_recognized_by_the_module(saved):
    theirs, ours = swin_2d()
    module = Node({k: torch.zeros_like(v) for k, v in ours.items()})
    module.trunk_families = ('swin',)
    load_pretrained(module, saved({'model': theirs}))
    same(module.state_dict(), ours)
    with pytest.raises(ValueError, match='belong to a vit'):
        load_pretrained(module, saved(vit()))
    with pytest.raises(ValueError, match='belong to a swin'):
        load_pretrained(zeros(vit()), saved(swin()))


def test_what_differs_is_listed_and_nothing_is_loaded(saved):
    weights = vit()
    module = zeros(weights)
    name = 'transformer.resblocks.1.mlp.c_fc.weight'
    del weights['ln_post.bias']
    weights['decoder.weight'] = torch.ones(2)
    weights[name] = torch.ones(5, 8)
    with pytest.raises(ValueError) as error:
        load_pretrained(module, saved(weights), new=('ln_post',))
    text = str(error.value)
    assert 'weights.pth does not fit the model, Node:' in text
    assert 'missing in the checkpoint: ln_post.bias\n' in text
    assert 'unknown to the model: decoder.weight\n' in text
    assert 'dialect may' not in text
    assert f'{name}: (5, 8) in the checkpoint, (32, 8) in the model' in text
    assert not any(v.any() for v in module.state_dict().values())


@pytest.mark.parametrize(
    'traits',
    [
        dict(pre_norm=False, patch_bias=True),
        dict(pre_norm=True, patch_bias=True),
    ],
)
def test_wrong_dialect_is_suspected(saved, traits):
    with pytest.raises(ValueError, match='dialect may be another'):
        load_pretrained(zeros(vit(**traits)), saved(vit()))


def test_unknown_layout_names_the_file(saved):
    with pytest.raises(ValueError, match='weights.pth: .*unknown layout'):
        load_pretrained(zeros(vit()), saved({'a.weight': torch.ones(1)}))


@pytest.mark.parametrize('grid', [(5, 5), (2, 4), (1, 9), (3, 3)])
def test_positions_follow_the_grid(saved, grid):
    ours = vit()
    target = dict(ours)
    target['positional_embedding'] = torch.zeros(1 + grid[0] * grid[1], 8)
    module = zeros(target, grid)
    load_pretrained(module, saved(ours))
    pos = ours['positional_embedding']
    image = pos[1:].reshape(1, GRID, GRID, 8).permute(0, 3, 1, 2)
    expected = F.interpolate(image, grid, mode='bicubic')
    loaded = module.state_dict()['positional_embedding']
    assert torch.equal(loaded[0], pos[0])
    torch.testing.assert_close(
        loaded[1:].reshape(*grid, 8), expected[0].permute(1, 2, 0)
    )
    assert torch.equal(loaded, pos) == (grid == (3, 3))


@pytest.mark.parametrize('dtype', [torch.float16, torch.float64])
def test_resize_keeps_the_type(dtype):
    pos = torch.randn(10, 8, dtype=dtype)
    resized = resize_pos_embed(pos, (4, 4))
    assert resized.dtype == dtype and resized.shape == (17, 8)
    expected = resize_pos_embed(pos.double(), (4, 4))
    tolerance = 1e-2 if dtype == torch.float16 else 0
    torch.testing.assert_close(
        resized.double(), expected, rtol=0, atol=tolerance
    )


def test_resize_keeps_equal_grids():
    pos = torch.randn(10, 8)
    assert resize_pos_embed(pos, (3, 3)) is pos
    wide = torch.randn(1 + 2 * 3, 8)  # made for this very grid
    assert resize_pos_embed(wide, (2, 3)) is wide


@pytest.mark.parametrize('shape', [(7, 8), (1, 8), (0, 8), (10, 8, 1)])
def test_resize_refuses_what_is_no_square(shape):
    with pytest.raises(ValueError, match=re.escape(str(shape))):
        resize_pos_embed(torch.zeros(shape), (4, 4))


@pytest.mark.parametrize('rule', RULES)
def test_every_rule_resizes_in_its_own_way(rule):
    torch.manual_seed(0)
    rows, grid = torch.randn(7 * 7, 8), (3, 4)
    resized = resize_pos_embed(rows, grid, rule, cls_token=False)
    assert resized.shape == (12, 8)
    ones = resize_pos_embed(torch.ones(49, 8), grid, rule, cls_token=False)
    torch.testing.assert_close(ones, torch.ones(12, 8))
    others = [
        resize_pos_embed(rows, grid, other, False)
        for other in RULES
        if other != rule
    ]
    assert not any(torch.allclose(resized, other) for other in others)
    weights = dict(positional_embedding=torch.cat([rows[:1] + 9, rows]))
    weights['class_embedding'] = rows[0]
    log = resize_positions_(weights, grid, rule)
    assert 'of 49 patches' in log and f"by the rule '{rule}'" in log
    wanted = torch.cat([rows[:1] + 9, resized])
    torch.testing.assert_close(weights['positional_embedding'], wanted)


@pytest.mark.parametrize(
    'rule,given',
    [
        ('timm', dict(size=3, mode='bicubic', antialias=True)),
        ('naflex', dict(size=3, mode='bilinear', antialias=True)),
        ('dinov2', dict(scale_factor=(3 + 0.1) / 5, mode='bicubic')),
    ],
)
def test_rules_are_those_of_their_packages(rule, given):
    torch.manual_seed(0)
    rows = torch.randn(5 * 5, 1)
    wanted = F.interpolate(rows.T.view(1, 1, 5, 5), **given)
    resized = resize_pos_embed(rows, (3, 3), rule, cls_token=False)
    torch.testing.assert_close(resized, wanted.view(9, 1))
