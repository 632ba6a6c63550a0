"""The baselines' sizes by their papers' formulas, operations and recipe."""

import re

import pytest
import torch
import yaml
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper

from mmvidadapt.apis.inspect.complexity import count_flops, count_params
from tests.golden import ROOT
from tests.test_aim_configs import on_meta as aim_on_meta

PETL = ROOT / 'configs' / 'petl'
C, L, T, N, P = 768, 12, 8, 196, 16  # ViT-B/16, 8 frames of 14 x 14 patches
TRUNK = 85_799_424  # CLIP ViT-B/16 without the projection to the text
HEAD = 400 * C + 400


def bottleneck(width):
    """Two linear layers with biases."""
    return 2 * C * width + width + C


# What a backbone trains, as the papers count it.
TRAINED = {
    'linear_probe': 0,
    'full_finetune': TRUNK,
    'vpt': L * 50 * C,  # L p d
    'adaptformer': L * bottleneck(64),
    'st_adapter': L * (bottleneck(384) + (3 + 1) * 384),  # a kernel of 3
    'lora': L * 2 * 2 * 8 * C,  # A and B, r x d each, of queries and values
}
# Multiply-accumulates that the methods add to those of the trunk, a frame.
ATTENTION = 12 * C**2 * 50 + 2 * C * ((N + 51) ** 2 - (N + 1) ** 2)
ADDED = {
    'linear_probe': 0,
    'full_finetune': 0,
    'vpt': L * ATTENTION,
    'adaptformer': L * (N + 1) * 2 * C * 64,
    # Of the class token the first product only; the convolution is no product.
    'st_adapter': L * (N * 2 * C * 384 + C * 384),
    'lora': L * (N + 1) * 2 * 2 * C * 8,
}
# Millions with a classifier of so many classes that papers print, from
# memory: AdaptFormer-64 on CIFAR-100, LoRA on RoBERTa-base (D = 768, 12
# layers, no classifier), the linear probe on CIFAR-100.
PRINTED = {'adaptformer': (100, 1.26), 'linear_probe': (100, 0.07)}


def load(name):
    return Config.fromfile(PETL / f'{name}_vitb16_k400.py')


def on_meta(name, **backbone):
    cfg = load(name)
    cfg.model.backbone.update(backbone)
    with torch.device('meta'):
        return MODELS.build(cfg.model)


def trained_names(model):
    return {n for n, p in model.named_parameters() if p.requires_grad}


def test_every_config_has_its_row():
    assert {p.stem for p in PETL.glob('*.py')} == {
        f'{name}_vitb16_k400' for name in TRAINED
    }


@pytest.mark.parametrize('name', TRAINED)
def test_sizes_follow_the_formulas_of_the_papers(name):
    model, trained = on_meta(name), TRAINED[name]
    count = count_params(model)
    assert count.trained == trained + HEAD
    extra = 0 if name == 'full_finetune' else trained
    assert count.total == TRUNK + extra + HEAD
    if name in PRINTED:
        classes, millions = PRINTED[name]
        total = trained + classes * (C + 1)
        assert abs(total / 1e6 - millions) < 0.01


def test_sizes_that_the_papers_round():
    assert round(TRAINED['lora'] / 1e6, 1) == 0.3  # RoBERTa-base
    assert round((TRUNK + TRAINED['st_adapter']) / 1e6) == 93
    # Something-Something: 24 adapters of width 384, the last of no effect.
    twice = on_meta('st_adapter', places=('attn', 'mlp'))
    assert (
        count_params(twice.backbone).trained
        == TRAINED['st_adapter'] * 23 // 12
    )


@pytest.mark.parametrize('name', TRAINED)
def test_operations_are_the_trunks_and_the_methods(name):
    shape = (1, 3, T, 224, 224)
    backbone = on_meta(name).backbone
    tokens = N + 1
    block = 12 * C**2 * tokens + 2 * C * tokens**2
    trunk = N * 3 * P**2 * C + L * block
    counted = count_flops(backbone, shape, as_published=True)
    assert counted == T * (trunk + ADDED[name])
    ours = count_flops(backbone, shape)
    assert ours < (0.76 if name == 'vpt' else 0.94) * counted


def test_operations_of_the_st_adapter_are_the_published_ones():
    """152 GFLOPs of 8 frames; 607 of 32 frames, unverified."""
    for frames, gflops in ((8, 152), (32, 607)):
        model = on_meta('st_adapter', num_frames=frames)
        shape = (1, 3, frames, 224, 224)
        counted = count_flops(model, shape, as_published=True)
        assert round(counted / 1e9) == pytest.approx(gflops, abs=1)


def test_a_merged_model_costs_what_the_trunk_costs():
    merged = on_meta('lora').backbone.merge()
    shape = (1, 3, T, 224, 224)
    assert count_params(merged).total == TRUNK
    plain = on_meta('linear_probe').backbone
    assert count_flops(merged, shape) == count_flops(plain, shape)


@pytest.mark.parametrize('name', TRAINED)
def test_recipe_and_data_are_those_of_aim(name):
    cfg = load(name)
    aim = Config.fromfile(ROOT / 'configs' / 'aim' / 'vitb16_k400.py')
    same = [
        *('train_pipeline', 'val_pipeline', 'test_pipeline'),
        *('train_dataloader', 'param_scheduler', 'train_cfg'),
    ]
    assert all(cfg[key] == aim[key] for key in same)
    for key in ('data_preprocessor', 'cls_head', 'test_cfg'):
        assert cfg.model[key] == aim.model[key]
    assert cfg.optim_wrapper.optimizer == aim.optim_wrapper.optimizer
    assert 'drop_path_rate' not in cfg.model.backbone


@pytest.mark.parametrize('name', TRAINED)
def test_parameter_groups(name):
    model, cfg = on_meta(name), load(name)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    names = {param: key for key, param in model.named_parameters()}
    rates = {
        names[param]: group['lr']
        for group in wrapper.optimizer.param_groups
        for param in group['params']
    }
    assert set(rates) == trained_names(model)
    for key, rate in rates.items():
        slow = name == 'full_finetune' and key.startswith('backbone.')
        assert rate == pytest.approx(3e-5 if slow else 3e-4), key


def test_the_trunk_is_that_of_aim():
    trunk = set(on_meta('linear_probe').state_dict())
    assert trunk < set(aim_on_meta('vitb16_k400').state_dict())
    for name in TRAINED:
        model = on_meta(name)
        new = set(model.state_dict()) - trunk
        if name != 'full_finetune':
            head = {'cls_head.fc_cls.weight', 'cls_head.fc_cls.bias'}
            assert trained_names(model) == new | head


def test_the_metafile_agrees():
    meta = yaml.safe_load((PETL / 'metafile.yml').read_text())
    rows = {row['Name']: row for row in meta['Models']}
    assert set(rows) == {f'petl_{name}_vitb16_k400' for name in TRAINED}
    for name in TRAINED:
        row, model = rows[f'petl_{name}_vitb16_k400'], on_meta(name)
        header = (ROOT / row['Config']).read_text()
        assert row['Paper']['URL'] in header
        data, count = row['Metadata'], count_params(model)
        assert data['Parameters'] == count.total
        assert data['Trained Parameters'] == count.trained
        assert data['FLOPs'] == count_flops(model, (1, 3, T, 224, 224), True)
        for result in row.get('Results', []):
            for figure in result['Metrics'].values():
                assert f'{figure}' in header


def test_the_index_and_the_tables_name_every_config():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    assert 'configs/petl/metafile.yml' in index['Import']
    for page in (PETL / 'README.md', ROOT / 'model_zoo.md'):
        prefix = '' if page.parent == PETL else 'configs/petl/'
        linked = re.findall(rf'\]\({prefix}(\w+)\.py\)', page.read_text())
        assert sorted(linked) == sorted(
            f'{name}_vitb16_k400' for name in TRAINED
        ), page.name
