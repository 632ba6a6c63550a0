"""AIM's published numbers: sizes, operations, views, the recipe's curve."""

import math
import re
from pathlib import Path

import pytest
import torch
import yaml
from mmaction.registry import MODELS, PARAM_SCHEDULERS
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper

from mmvidadapt.apis.inspect.complexity import count_flops, count_params

ROOT = Path(__file__).resolve().parents[1]
AIM = ROOT / 'configs' / 'aim'
# name: total and trained parameters (exact, or in millions as published),
# GFLOPs of all test views as published, frames x clips x crops.
B, L = (96_764_560, 10_966_672), (341.44, 38.26)
PUBLISHED = {
    'vitb16_k400': (*B, 606, (8, 3, 1)),
    'vitb16_16f_k400': (97, 11, 1214, (16, 3, 1)),
    'vitb16_32f_k400': (97, 11, 2428, (32, 3, 1)),
    'vitl14_k400': (*L, 2802, (8, 3, 1)),
    'vitl14_16f_k400': (341, 38, 5604, (16, 3, 1)),
    'vitl14_32f_k400': (341, 38, 11208, (32, 3, 1)),
    'vitb16_32f_k700': (97, 11, 7284, (32, 3, 3)),
    'vitl14_32f_k700': (341, 38, 33624, (32, 3, 3)),
    'vitb16_32f_diving48': (97, 11, 809, (32, 1, 1)),
    'vitl14_32f_diving48': (341, 38, 3736, (32, 1, 1)),
    'vitb16_ssv2': (100, 14, 624, (8, 1, 3)),
    'vitb16_16f_ssv2': (100, 14, 1248, (16, 1, 3)),
    'vitb16_32f_ssv2': (100, 14, 2496, (32, 1, 3)),
    'vitl14_ssv2': (354, 50, 2877, (8, 1, 3)),
    'vitl14_16f_ssv2': (354, 50, 5754, (16, 1, 3)),
    'vitl14_32f_ssv2': (354, 50, 11508, (32, 1, 3)),
    'vitb16_in21k_k400': (96_763_792, 10_966_672, 606, (8, 3, 1)),
    'vitb16_in21k_ssv2': (100, 14, 624, (8, 1, 3)),
    # Of Swin only top-1 is published; sizes by arithmetic.
    'swinb_k400': (95.9, 9.17, None, (32, 4, 3)),
    'swinb_ssv2': (95.7, 8.94, None, (32, 1, 3)),
}


def load(name):
    return Config.fromfile(AIM / f'{name}.py')


def on_meta(name):
    with torch.device('meta'):
        return MODELS.build(load(name).model)


def test_every_config_has_its_row():
    assert {p.stem for p in AIM.glob('*.py')} == set(PUBLISHED)


@pytest.mark.parametrize('name', PUBLISHED)
def test_sizes_and_operations_are_the_published_ones(name):
    *params, gflops, (frames, clips, crops) = PUBLISHED[name]
    model = on_meta(name)
    for actual, published in zip(count_params(model), params):
        if published >= 1000:
            assert actual == published
        else:  # millions, cut off or rounded
            unit = 10 ** -len(str(published).partition('.')[2])
            assert abs(actual / 1e6 - published) < unit
    shape = (1, 3, frames, 224, 224)
    if gflops is not None:
        views = clips * crops
        counted = count_flops(model, shape, as_published=True) * views / 1e9
        assert counted == pytest.approx(gflops, rel=0.01)
        assert count_flops(model, shape) * views / 1e9 < 0.95 * counted


@pytest.mark.parametrize('name', PUBLISHED)
def test_views_are_the_published_ones(name):
    frames, clips, crops = PUBLISHED[name][-1]
    cfg = load(name)
    sampling, crop = cfg.test_pipeline[1], cfg.test_pipeline[4]
    assert cfg.model.backbone.num_frames == frames
    assert sampling.get('num_clips', 1) == clips
    assert crop.type == {1: 'CenterCrop', 3: 'ThreeCrop'}[crops]
    ssv2 = name.endswith('ssv2')
    assert cfg.model.test_cfg.max_testing_views == (2 if ssv2 else 4)


@pytest.mark.parametrize('name', PUBLISHED)
def test_the_recipe(name):
    cfg = load(name)
    dataset = name.rpartition('_')[2]
    swin, ssv2 = name.startswith('swin'), dataset == 'ssv2'
    epochs = 60 if swin and ssv2 else 30 if dataset[0] == 'k' else 50
    assert cfg.train_cfg.max_epochs == epochs
    assert cfg.param_scheduler[1].T_max == cfg.param_scheduler[1].end == epochs
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.betas) == ('AdamW', (0.9, 0.999))
    assert optimizer.weight_decay == 0.05
    assert optimizer.lr == (1e-3 if name == 'swinb_k400' else 3e-4)
    # 'vitl14_k400' and 'vitl14_ssv2' with their variants, and Swin.
    slow = swin or name.startswith('vitl14') and dataset in ('k400', 'ssv2')
    keys = cfg.optim_wrapper.paramwise_cfg.custom_keys
    assert ('backbone' in keys) == slow
    assert not slow or keys.backbone == dict(lr_mult=0.1)
    backbone, head = cfg.model.backbone, cfg.model.cls_head
    assert backbone.drop_path_rate == (0.4 if name == 'swinb_ssv2' else 0.2)
    if not swin:
        assert backbone.get('num_t_adapters', 1) == (2 if ssv2 else 1)
        assert backbone.get('adapter_scale', 0.5) == (1.0 if ssv2 else 0.5)
    assert head.get('label_smooth_eps', 0) == (0.1 if ssv2 else 0)
    assert ('blending' in cfg.model.data_preprocessor) == ssv2
    steps = [step.type for step in cfg.train_pipeline]
    assert ('Flip' in steps) != ssv2
    assert ('TorchVisionWrapper' in steps) == ssv2
    assert ('PCALighting' in steps) == ('l14' in name and dataset == 'k400')
    sampling = cfg.train_pipeline[1]
    if dataset[0] == 'k':
        span = sampling.clip_len * sampling.frame_interval
        assert span == (64 if swin else 128)
    else:
        assert sampling.type == 'MidpointUniformSample'
    assert cfg.train_dataloader.batch_size * 8 == 64
    assert cfg.auto_scale_lr == dict(enable=False, base_batch_size=64)


def curve(cfg, epoch_length):
    """Learning rates of all iterations, stepped as mmengine's hooks do."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=3e-4)
    schedulers = [
        PARAM_SCHEDULERS.build(
            scheduler,
            default_args=dict(optimizer=optimizer, epoch_length=epoch_length),
        )
        for scheduler in cfg.param_scheduler
    ]
    rates = []
    for _ in range(cfg.train_cfg.max_epochs):
        for _ in range(epoch_length):
            rates.append(optimizer.param_groups[0]['lr'])
            for scheduler in schedulers:
                if not scheduler.by_epoch:
                    scheduler.step()
        for scheduler in schedulers:
            if scheduler.by_epoch:
                scheduler.step()
    return rates


def test_learning_rate_over_30_epochs():
    length = 269  # 672.5 iterations of warm-up, as in a published log
    rates = curve(load('vitb16_k400'), length)
    assert len(rates) == 30 * length
    for i, rate in enumerate(rates):
        warm = min(1, 0.1 + 0.9 * i / (int(2.5 * length) - 1))
        cosine = (1 + math.cos(math.pi * (i // length) / 30)) / 2
        assert rate == pytest.approx(3e-4 * warm * cosine, rel=1e-6), i
        # The official formula divides by 672.5, not 671.
        official = min(1, 1 - 0.9 * (1 - i / 672.5))
        assert rate == pytest.approx(3e-4 * official * cosine, rel=3e-3), i


def test_learning_rate_of_a_published_log():
    """3.763e-05 at iteration 19 of 672.5; 2.960e-07 in epoch 50 of 50."""
    rates = curve(load('vitb16_32f_diving48'), 269)
    assert rates[19] == pytest.approx(3.763e-05, rel=1e-3)
    assert rates[-1] == pytest.approx(2.960e-07, rel=1e-3)


@pytest.mark.parametrize(
    'name, factor',
    [('vitb16_k400', 1.0), ('vitl14_k400', 0.1), ('swinb_k400', 0.1)],
)
def test_parameter_groups(name, factor):
    model, cfg = on_meta(name), load(name)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    names = {param: key for key, param in model.named_parameters()}
    groups = {
        names[param]: (group['lr'], group['weight_decay'])
        for group in wrapper.optimizer.param_groups
        for param in group['params']
    }
    assert set(groups) == {
        key for key, p in model.named_parameters() if p.requires_grad
    }
    lr = cfg.optim_wrapper.optimizer.lr
    for key, (rate, decay) in groups.items():
        inside = key.startswith('backbone.')
        assert rate == pytest.approx(lr * (factor if inside else 1)), key
        # No decay for the norms only; `backbone` as a key overrides that.
        spared = 'ln_post' in key and factor == 1.0
        assert decay == (0.0 if spared else 0.05), key


def test_the_metafile_agrees():
    meta = yaml.safe_load((AIM / 'metafile.yml').read_text())
    rows = {row['Name']: row for row in meta['Models']}
    assert set(rows) == {f'aim_{name}' for name in PUBLISHED}
    for name, (*_, gflops, views) in PUBLISHED.items():
        row = rows[f'aim_{name}']
        assert row['Config'] == f'configs/aim/{name}.py'
        total = count_params(on_meta(name)).total
        assert row['Metadata']['Parameters'] == total
        if gflops is not None:
            per_view = gflops / (views[1] * views[2])
            assert row['Metadata']['FLOPs'] / 1e9 == pytest.approx(
                per_view, rel=0.01
            )
        for result in row.get('Results', []):  # the figures of the header
            header = (ROOT / row['Config']).read_text()
            for figure in result['Metrics'].values():
                assert f'{figure}' in header


def test_the_index_and_the_tables_name_every_config():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    assert 'configs/aim/metafile.yml' in index['Import']
    assert all((ROOT / path).is_file() for path in index['Import'])
    for page in (AIM / 'README.md', ROOT / 'model_zoo.md'):
        linked = re.findall(
            r'\]\((?:configs/aim/)?(\w+)\.py\)', page.read_text()
        )
        assert sorted(linked) == sorted(PUBLISHED), page.name
