"""EVL's published numbers: sizes, operations, views, the recipe."""

import math
import re

import pytest
import torch
import yaml
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper

from mmvidadapt.apis.inspect.complexity import count_flops, count_params
from tests.golden import ROOT
from tests.test_aim_configs import curve

EVL = ROOT / 'configs' / 'evl'
# name: trained and total parameters in millions, GMACs of one view as the
# official classes have them, frames x clips x crops.
PUBLISHED = {
    'vitb16_k400': (33.18, 118.98, 151.3, (8, 3, 1)),
    'vitb16_16f_k400': (33.21, 119.01, 303.0, (16, 1, 3)),
    'vitb16_32f_k400': (33.26, 119.06, 606.5, (32, 1, 3)),
    'vitl14_k400': (58.73, 361.9, 672.9, (8, 3, 1)),
    'vitl14_16f_k400': (58.76, 361.9, 1346.9, (16, 1, 3)),
    'vitl14_32f_k400': (58.83, 362.0, 2694.8, (32, 1, 3)),
    'vitl14-336_32f_k400': (69.05, 372.6, 6434, (32, 1, 3)),
    'vitb16_ssv2': (98.76, 184.6, 172.8, (8, 1, 3)),
    'vitb16_16f_ssv2': (98.83, 184.6, None, (16, 1, 3)),
    'vitl14_32f_ssv2': (175.42, 478.6, 2899.5, (32, 1, 3)),
    # Everything is trained; not a row of the paper.
    'vitb16_k400_finetuned': (118.98, 118.98, 151.3, (8, 3, 1)),
}
# Sizes and GFLOPs of three views that the paper and later ones print: without
# the motion module, which the released scripts turn on.
WITHOUT_MOTION = {
    'vitb16_k400': (28.70, 114.50, 444),
    'vitb16_32f_k400': (None, None, 1776),
    'vitb16_ssv2': (85.32, None, None),
}
TRUNKS = dict(b=85.80, l=303.18)
STEPS = dict(k400=(50_000, 240_000), ssv2=(30_000, 168_913))


def load(name):
    return Config.fromfile(EVL / f'{name}.py')


def on_meta(name, **backbone):
    cfg = load(name)
    cfg.model.backbone.update(backbone)
    with torch.device('meta'):
        return MODELS.build(cfg.model)


@pytest.mark.parametrize('name', PUBLISHED)
def test_lines_fit_a_screen_and_errors_name_videos(name):
    lines = (EVL / f'{name}.py').read_text().splitlines()
    assert max(map(len, lines)) <= 79
    cfg = load(name)
    for key in ('train', 'val', 'test'):
        kinds = [step.type for step in cfg[f'{key}_pipeline']]
        assert kinds[0] == 'VideoInit' and 'VideoDecode' in kinds
        assert kinds == [
            step.type for step in cfg[f'{key}_dataloader'].dataset.pipeline
        ]


def clip_of(name):
    backbone = load(name).model.backbone
    size = backbone.get('img_size', 224)
    return 1, 3, backbone.num_frames, size, size


def rounded(value, like):
    digits = len(str(like).partition('.')[2])
    return round(value, digits)


def test_every_config_has_its_row():
    assert {p.stem for p in EVL.glob('*.py')} == set(PUBLISHED)


@pytest.mark.parametrize('name', PUBLISHED)
def test_sizes_and_operations_are_the_published_ones(name):
    trained, total, gmacs, _ = PUBLISHED[name]
    model = on_meta(name)
    count = count_params(model)
    assert rounded(count.trained / 1e6, trained) == trained
    assert rounded(count.total / 1e6, total) == total
    trunk = sum(p.numel() for p in model.backbone.trunk().values()) / 1e6
    wanted = 303.51 if '336' in name else TRUNKS[name[3]]
    assert round(trunk, 2) == wanted
    if gmacs is not None:
        counted = count_flops(model, clip_of(name), as_published=True) / 1e9
        assert counted == pytest.approx(gmacs, rel=4e-4)
        assert count_flops(model, clip_of(name)) / 1e9 < counted


@pytest.mark.parametrize('name', WITHOUT_MOTION)
def test_sizes_without_motion_are_those_of_the_paper(name):
    trained, total, gflops = WITHOUT_MOTION[name]
    model = on_meta(name, temporal=('conv', 'position'))
    count = count_params(model)
    if trained:
        assert round(count.trained / 1e6, 2) == trained
    if total:
        assert round(count.total / 1e6, 2) == total
    if gflops:
        counted = count_flops(model, clip_of(name), as_published=True) / 1e9
        assert 3 * counted == pytest.approx(gflops, rel=1e-3)


def test_counting_leaves_the_model_as_it_was():
    model = on_meta('vitb16_k400')
    before = [vars(module).copy() for module in model.modules()]
    count_flops(model, clip_of('vitb16_k400'), as_published=True)
    assert [vars(module).keys() for module in model.modules()] == [
        values.keys() for values in before
    ]


@pytest.mark.parametrize('name', PUBLISHED)
def test_views_are_the_published_ones(name):
    frames, clips, crops = PUBLISHED[name][-1]
    cfg = load(name)
    sampling, crop = cfg.test_pipeline[1], cfg.test_pipeline[4]
    assert cfg.model.backbone.num_frames == sampling.clip_len == frames
    assert sampling.get('num_clips', 1) == clips
    assert crop.type == {1: 'CenterCrop', 3: 'ThreeCrop'}[crops]
    assert cfg.val_pipeline[4].type == 'CenterCrop'
    size = clip_of(name)[-1]
    assert crop.crop_size == cfg.val_pipeline[4].crop_size == size
    assert cfg.test_pipeline[3].scale == (-1, size)
    assert cfg.train_pipeline[5].scale == (size, size)


@pytest.mark.parametrize('name', PUBLISHED)
def test_the_recipe(name):
    cfg = load(name)
    dataset = name.split('_k400')[0].rpartition('_')[2]
    dataset = 'ssv2' if name.endswith('ssv2') else 'k400'
    steps, clips = STEPS[dataset]
    scheduler = cfg.param_scheduler
    assert [s.type for s in scheduler] == ['CosineAnnealingLR']  # no warm-up
    epochs = cfg.train_cfg.max_epochs
    assert scheduler[0].T_max == scheduler[0].end == epochs
    assert epochs * clips / 256 == pytest.approx(steps, rel=0.011)
    counts = cfg.optim_wrapper.get('accumulative_counts', 1)
    per_step = cfg.train_dataloader.batch_size * 8
    assert per_step * counts == 256
    assert cfg.auto_scale_lr == dict(enable=False, base_batch_size=per_step)
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.lr) == ('AdamW', 4e-4)
    assert optimizer.betas == (0.9, 0.999) and optimizer.weight_decay == 0.05
    backbone = cfg.model.backbone
    assert backbone.decoder_num_layers == (12 if dataset == 'ssv2' else 4)
    assert 'temporal' not in backbone  # all modules are on
    steps = [step.type for step in cfg.train_pipeline]
    assert 'Flip' not in steps
    assert steps.index('ClipRandAugment') < steps.index('RandomResizedCrop')
    sampling = cfg.train_pipeline[1]
    if dataset == 'k400':
        stride = {8: 16, 16: 16, 32: 8}[sampling.clip_len]
        assert sampling.frame_interval == stride
        assert sampling.type == 'ExactSpanSampleFrames'
    else:
        assert sampling.type == 'MidpointUniformSample'


def test_the_learning_rate_is_a_cosine_of_every_step():
    length = 7
    rates = curve(load('vitb16_k400'), length)
    total = 53 * length
    for i, rate in enumerate(rates):
        cosine = (1 + math.cos(math.pi * i / total)) / 2
        assert rate == pytest.approx(3e-4 * cosine, rel=1e-6), i


def test_everything_trained_is_decayed():
    model, cfg = on_meta('vitb16_k400'), load('vitb16_k400')
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    (group,) = wrapper.optimizer.param_groups
    assert (group['lr'], group['weight_decay']) == (4e-4, 0.05)
    assert len(group['params']) == sum(
        p.requires_grad for p in model.parameters()
    )


def test_the_metafile_agrees():
    meta = yaml.safe_load((EVL / 'metafile.yml').read_text())
    rows = {row['Name']: row for row in meta['Models']}
    assert set(rows) == {f'evl_{name}' for name in PUBLISHED}
    for name, (_, _, gmacs, views) in PUBLISHED.items():
        row = rows[f'evl_{name}']
        model, data = on_meta(name), row['Metadata']
        assert row['Config'] == f'configs/evl/{name}.py'
        count = count_params(model)
        assert data['Parameters'] == count.total
        assert data['Trained Parameters'] == count.trained
        assert data['Test Views'] == 'x'.join(map(str, views))
        if gmacs is not None:
            assert data['FLOPs'] / 1e9 == pytest.approx(gmacs, rel=4e-4)
        for result in row.get('Results', []):  # the figures of the header
            header = (ROOT / row['Config']).read_text()
            for figure in result['Metrics'].values():
                assert f'{figure}' in header


def test_the_index_and_the_tables_name_every_config():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    assert 'configs/evl/metafile.yml' in index['Import']
    for page in (EVL / 'README.md', ROOT / 'model_zoo.md'):
        prefix = '' if page.parent == EVL else 'configs/evl/'
        linked = re.findall(rf'\]\({prefix}([\w-]+)\.py\)', page.read_text())
        assert sorted(linked) == sorted(PUBLISHED), page.name
