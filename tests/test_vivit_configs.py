"""ViViT's published numbers: sizes, operations, views, the recipe."""

import ast
import math
import re

import pytest
import torch
import yaml
from mmaction.registry import MODELS, TRANSFORMS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper

from mmvidadapt.apis.inspect.complexity import count_flops, count_params
from tests.golden import ROOT
from tests.test_aim_configs import curve

VIVIT = ROOT / 'configs' / 'vivit'
FE = 'ViViTFactorisedEncoder'
# name: type, published parameters in millions (the paper's table 2) and GFLOPs
# of one view of 224 px, learning rate, temporal layers.
PUBLISHED = {
    'b16x2_k400': ('ViViT', 88.9, 455.2, 0.1, None),
    'b16x2_fe_k400': (FE, 115.1, 284.4, 0.05, 4),
    'b16x2_fsa_k400': (
        *('ViViTFactorisedSelfAttention', 117.3, 372.3, 0.1, None),
    ),
    'b16x2_fdp_k400': (
        *('ViViTFactorisedDotProduct', 88.9, 277.1, 0.1, None),
    ),
    'b16x2_avgpool_k400': (FE, 86.7, 283.9, 0.05, 0),
    'l16x2_fe_k400': (FE, None, 995.3, 0.1, 24),
    'l16x2_fe_k600': (FE, None, 995.3, 0.05, 24),
    'l16x2_fe_ssv2': (FE, None, None, 0.4, 4),
}
DATASETS = dict(
    k400=('kinetics400', 400, 30),
    k600=('kinetics600', 600, 30),
    ssv2=('sthv2', 174, 35),
)
every = pytest.mark.parametrize('name', PUBLISHED)


def load(name):
    return Config.fromfile(VIVIT / f'{name}.py')


def on_meta(name):
    model = load(name).model
    model.data_preprocessor.pop('blending', None)  # a distribution has values
    with torch.device('meta'):
        return MODELS.build(model)


def test_every_config_has_its_row():
    assert {p.stem for p in VIVIT.glob('*.py')} == set(PUBLISHED)


@every
def test_sizes_and_operations_are_the_published_ones(name):
    _, params, gflops, *_ = PUBLISHED[name]
    model = on_meta(name)
    count = count_params(model)
    assert count.trained == count.total
    if params:
        tenths = count.total / 1e5  # printed rounded or cut off
        assert 10 * params in (round(tenths), math.floor(tenths))
    if gflops:
        shape = (1, 3, 32, 224, 224)
        counted = count_flops(model, shape, as_published=True) / 1e9
        assert counted == pytest.approx(gflops, rel=0.01)
        assert count_flops(model, shape) / 1e9 <= counted


@every
def test_name_and_content_agree(name):
    kind, *_, layers = PUBLISHED[name]
    cfg = load(name)
    size, dataset = name[0], name.rpartition('_')[2]
    backbone, head = cfg.model.backbone, cfg.model.cls_head
    assert (backbone.type, cfg.model.type) == (kind, 'ViViTRecognizer')
    arch, channels = dict(b=('base', 768), l=('large', 1024))[size]
    assert backbone.arch == f'{arch}-p16'
    assert head.in_channels == channels
    assert (backbone.num_frames, backbone.tubelet_size) == (32, 2)
    assert backbone.get('temporal_num_layers') == layers
    assert f'ViT_{size.upper()}_16_ImageNet21k' in backbone.pretrained
    folder, classes, _ = DATASETS[dataset]
    assert head.num_classes == classes
    for split in ('train', 'val', 'test'):
        data = cfg[f'{split}_dataloader'].dataset
        assert data.ann_file.startswith(f'data/{folder}/')
        assert data.data_prefix.video.startswith(f'data/{folder}/')


@every
def test_the_header_names_paper_figure_and_command(name):
    header = ast.get_docstring(ast.parse((VIVIT / f'{name}.py').read_text()))
    assert 'https://arxiv.org/abs/2103.15691' in header
    assert 'Published: ' in header
    assert f'configs/vivit/{name}.py' in header


@every
def test_clips_and_views(name):
    cfg, ssv2 = load(name), name.endswith('ssv2')
    size, stride = (256, 1) if ssv2 else (224, 2)
    for key, clips in (('train', 1), ('val', 1), ('test', 4)):
        sampling = cfg[f'{key}_pipeline'][1]
        assert sampling.clip_len == cfg.model.backbone.num_frames == 32
        assert sampling.frame_interval == stride
        assert sampling.get('num_clips', 1) == clips
    assert cfg.model.backbone.get('img_size', 224) == size
    assert cfg.train_pipeline[4].size == size
    assert cfg.val_pipeline[4].crop_size == size
    crop = cfg.test_pipeline[4]
    assert (crop.type, crop.crop_size) == ('CentredThreeCrop', size)
    side = 288 if ssv2 else 256
    assert cfg.test_pipeline[3].scale == (-1, side)
    low, high = cfg.train_pipeline[3].scale_range
    assert (low, high) == (round(0.9 * side), math.floor(1.33 * side))
    assert cfg.val_pipeline[3].scale == (-1, side)
    pre = cfg.model.data_preprocessor
    assert pre.mean == pre.std == [127.5] * 3  # to [-1, 1]
    assert cfg.model.cls_head.average_clips == 'logit'


@every
def test_the_recipe(name):
    *_, rate, _ = PUBLISHED[name]
    cfg, ssv2 = load(name), name.endswith('ssv2')
    epochs = DATASETS[name.rpartition('_')[2]][2]
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.lr) == ('SGD', rate)
    assert (optimizer.momentum, optimizer.weight_decay) == (0.9, 0)
    assert cfg.optim_wrapper.clip_grad.max_norm == 1.0
    assert cfg.train_cfg.max_epochs == epochs
    cosine = cfg.param_scheduler[1]
    assert (cosine.T_max, cosine.end) == (epochs, epochs)
    assert cfg.train_dataloader.batch_size * 8 == 64
    head, backbone = cfg.model.cls_head, cfg.model.backbone
    assert head.get('label_smooth_eps', 0) == (0.3 if ssv2 else 0)
    assert backbone.get('drop_path_rate', 0) == (0.3 if ssv2 else 0)
    if backbone.type == FE:  # as the official code does
        assert not backbone.inflation.class_token
    blending = cfg.model.data_preprocessor.get('blending')
    steps = [step.type for step in cfg.train_pipeline]
    if ssv2:
        assert (blending.type, blending.alpha) == ('MixupBlending', 0.3)
        augment = cfg.train_pipeline[steps.index('ClipRandAugment')]
        assert (augment.num_ops, augment.magnitude) == (2, 20)
        assert 'Flip' not in steps
        assert backbone.inflation.positions == 'resize'
    else:
        assert blending is None
        assert cfg.train_pipeline[steps.index('RandomApply')].prob == 0.8
        assert cfg.train_pipeline[steps.index('TorchVisionWrapper')].p == 0.1
        assert 'Flip' in steps


def test_rand_augment_draws_from_colours_and_the_identity():
    step = load('l16x2_fe_ssv2').train_pipeline[5]
    augment = TRANSFORMS.build(step).augment
    types = [p['type'] for p in augment.policies]
    assert len(types) == 12 and types.count('Invert') == 2
    assert not {'Rotate', 'Shear', 'Translate'} & set(types)
    assert sorted(t.prob for t in augment.transforms) == [0] + 11 * [0.5]
    solarize = augment.transforms[types.index('Solarize')]
    assert solarize.random_magnitude() == pytest.approx(256 * (1 - 20 / 30))


def test_the_learning_rate_warms_up_and_is_a_cosine():
    length = 8
    rates = curve(load('b16x2_k400'), length)
    total, warm = 30 * length, 2.5 * length
    rate = 3e-4  # of `curve`
    for i, found in enumerate(rates):
        cosine = rate * (1 + math.cos(math.pi * i / total)) / 2
        if i < warm:
            assert found <= cosine * (i + 1.5) / warm
        else:
            assert found == pytest.approx(cosine, rel=1e-2), i
    assert rates[0] < 1e-3 * rate


@every
def test_one_training_step(name):
    torch.manual_seed(0)
    cfg = load(name)
    cfg.model.backbone.update(arch='tiny', img_size=32, pretrained=None)
    cfg.model.cls_head.update(in_channels=32, num_classes=5)
    if 'blending' in cfg.model.data_preprocessor:
        cfg.model.data_preprocessor.blending.num_classes = 5
    model = MODELS.build(cfg.model).train()
    optimizer = build_optim_wrapper(model, cfg.optim_wrapper)
    data = dict(
        inputs=[
            torch.randint(256, (1, 3, 32, 32, 32), dtype=torch.uint8)
            for _ in range(2)
        ],
        data_samples=[ActionDataSample().set_gt_label(i) for i in (0, 4)],
    )
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    for _ in range(4):  # the classifier starts at zero
        batch = dict(
            data, data_samples=[s.new() for s in data['data_samples']]
        )
        for sample, label in zip(batch['data_samples'], (0, 4)):
            sample.set_gt_label(label)
        losses = model.train_step(batch, optimizer)
    assert torch.isfinite(losses['loss'])
    same = [
        n for n, p in model.named_parameters() if torch.equal(p, before[n])
    ]
    assert same == []


def test_the_metafile_agrees():
    meta = yaml.safe_load((VIVIT / 'metafile.yml').read_text())
    rows = {row['Name']: row for row in meta['Models']}
    assert set(rows) == {f'vivit_{name}' for name in PUBLISHED}
    for name in PUBLISHED:
        row = rows[f'vivit_{name}']
        model, data = on_meta(name), row['Metadata']
        assert row['Config'] == f'configs/vivit/{name}.py'
        count = count_params(model)
        assert data['Parameters'] == count.total
        assert data['Trained Parameters'] == count.trained
        assert data['Test Views'] == '32x4x3'
        size = load(name).model.backbone.get('img_size', 224)
        shape = (1, 3, 32, size, size)
        assert data['FLOPs'] == count_flops(model, shape, as_published=True)
        for result in row.get('Results', []):  # the figures of the header
            header = (ROOT / row['Config']).read_text()
            for figure in result['Metrics'].values():
                assert f'{figure}' in header


def test_the_index_and_the_tables_name_every_config():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    assert 'configs/vivit/metafile.yml' in index['Import']
    for page in (VIVIT / 'README.md', ROOT / 'model_zoo.md'):
        prefix = '' if page.parent == VIVIT else 'configs/vivit/'
        linked = re.findall(rf'\]\({prefix}([\w-]+)\.py\)', page.read_text())
        assert sorted(linked) == sorted(PUBLISHED), page.name
