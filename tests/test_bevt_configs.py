"""BEVT's published numbers: rates, decays, schedules, pipelines, metafile."""

import math
import re

import cv2
import numpy as np
import pytest
import torch
import yaml
from mmaction.registry import MODELS
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper

from mmvidadapt.apis.inspect.complexity import count_flops, count_params
from mmvidadapt.utils.video import write_video
from tests.golden import ROOT, goldens, load_golden
from tests.test_aim_configs import curve

BEVT = ROOT / 'configs' / 'bevt'
PRETRAINING = sorted(p.stem for p in BEVT.glob('pretrain_*.py'))
TUNING = sorted(p.stem for p in BEVT.glob('*.py') if p.stem not in PRETRAINING)


def load(name):
    return Config.fromfile(BEVT / f'{name}.py')


def build(name):
    """Build a model without weights; mmaction2's need memory for them."""
    cfg = load(name)
    if name in TUNING:
        return MODELS.build(cfg.model)
    with torch.device('meta'):
        return MODELS.build(cfg.model)


@pytest.mark.parametrize('path', goldens('bevt_paramwise*.pt'))
@pytest.mark.parametrize(
    'name, key',
    [
        ('pretrain_swinb_in1k_k400', 'pretrain'),
        ('swinb_k400', 'k400'),
        ('swinb_ssv2', 'ssv2'),
    ],
)
def test_rates_and_decays_are_the_published_ones(path, name, key):
    golden, model = load_golden(path), build(name)
    wrapper = build_optim_wrapper(model, load(name).optim_wrapper)
    names = {
        id(p): n.replace('backbone.norm3.', 'backbone.norm.')
        for n, p in model.named_parameters()
    }
    ours = {
        names[id(param)]: (group['lr'], group['weight_decay'])
        for group in wrapper.optimizer.param_groups
        for param in group['params']
    }
    assert set(ours) == set(golden[key])
    for param, (rate, decay) in golden[key].items():
        assert ours[param] == pytest.approx((rate, decay)), param
    base = wrapper.optimizer.defaults
    assert [base['lr'], base['weight_decay']] == golden[f'{key}_base']


def test_the_joint_stage_learns_by_the_published_curve():
    length = 30
    cfg = load('pretrain_swinb_in1k_k400')
    rates, total, warm = curve(cfg, length), 150 * length, 10 * length
    assert len(rates) == total
    for i, rate in enumerate(rates):
        cosine = (1 + math.cos(math.pi * i / total)) / 2
        ramp = min(0.1 + 0.9 * i / warm, 1)
        # mmengine's ramp ends one iteration earlier
        assert rate == pytest.approx(3e-4 * cosine * ramp, rel=0.004), i
    wrapper = cfg.optim_wrapper
    assert wrapper.accumulative_counts == 2
    assert wrapper.clip_grad == dict(max_norm=3.0)
    (other,) = cfg.train_cfg.other_loaders
    assert (cfg.train_dataloader.batch_size, other.batch_size) == (4, 32)
    # An epoch ends with the clips.
    assert 1_281_167 * other.dataset.times / 32 > 240_436 / 4


def test_fine_tuning_learns_by_the_published_curve():
    cfg, length = load('swinb_k400'), 4
    rates = curve(cfg, length)
    assert len(rates) == 60 * length
    for i in range(3 * length, len(rates)):
        cosine = (1 + math.cos(math.pi * (i // length) / 60)) / 2
        assert rates[i] == pytest.approx(3e-4 * cosine, rel=1e-6), i
    assert rates[0] == pytest.approx(3e-5)
    assert cfg.optim_wrapper.clip_grad == dict(max_norm=40)
    for name, counts, drop in (
        ('swinb_k400', 4, 0.3),
        ('swinb_ssv2', 8, 0.4),
        ('swinb_diving48', 8, 0.4),
    ):
        cfg = load(name)
        batch = cfg.train_dataloader.batch_size
        assert cfg.optim_wrapper.accumulative_counts == counts
        assert batch * counts * 8 == cfg.auto_scale_lr.base_batch_size == 64
        assert cfg.model.backbone.drop_path_rate == drop
        average = [h for h in cfg.custom_hooks if h.type == 'EMAHook']
        assert len(average) == (name != 'swinb_k400')
        for hook in average:
            assert hook.momentum == 0.0002


@pytest.fixture(scope='module')
def media(tmp_path_factory):
    folder = tmp_path_factory.mktemp('media')
    image = np.random.default_rng(0).integers(
        0, 256, (280, 300, 3), dtype=np.uint8
    )
    write_video(folder / 'clip.mp4', [image] * 20, fps=10)
    cv2.imwrite(str(folder / 'image.jpg'), image)
    return folder


@pytest.mark.parametrize('name', PRETRAINING)
def test_samples_fit_the_model(name, media):
    cfg, model = load(name), build(name)
    backbone = model.backbone
    found = set()
    for key, file in (
        ('video_pipeline', 'clip.mp4'),
        ('image_pipeline', 'image.jpg'),
    ):
        stream = key.split('_')[0]
        if stream not in cfg.model.backbone.get('streams', [stream]):
            continue
        pipeline = cfg[key]
        loaders = [
            cfg.train_dataloader,
            *cfg.train_cfg.get('other_loaders', []),
        ]
        datasets = [loader.dataset for loader in loaders]
        datasets = [data.get('dataset', data) for data in datasets]
        assert pipeline in [data.pipeline for data in datasets]
        sample = Compose(pipeline)(
            dict(
                filename=str(media / file),
                label=-1,
                start_index=0,
                modality='RGB',
                num_clips=1,
                clip_len=1,
            )
        )
        x, data = sample['inputs'], sample['data_samples']
        assert backbone.stream_of(x[None]) == stream
        times = backbone.num_frames // backbone.span
        shape = (times,) * (stream == 'video') + tuple(backbone.mask_grid)
        assert data.mask.shape == shape and data.mask.dtype == torch.bool
        frames = backbone.num_frames if stream == 'video' else 1
        size = model.tokenizer_on(torch.device('meta')).input_size
        assert data.view.shape == (frames, 3, size, size)
        found.add(stream)
    assert found == set(backbone.streams)
    assert len(loaders) == len(found)


def test_variants_start_where_the_paper_says():
    starts = {name: load(name).get('source') for name in TUNING}
    assert starts['swinb_ssv2_video_stream'].split('/')[1] in PRETRAINING
    assert starts['swinb_ssv2_joint_scratch'].split('/')[1] in PRETRAINING
    for name, start in starts.items():
        if start is not None:
            assert load(name).model.backbone.pretrained == start
    timesformer = load('timesformer_k400').load_from
    assert timesformer.split('/')[1] in PRETRAINING
    joint = load('pretrain_timesformer_in1k_k400').model.backbone
    stage = joint.pretrained.split('/')[1]
    assert stage in PRETRAINING
    image = load(stage)
    assert image.model.backbone == dict(
        {k: v for k, v in joint.items() if k != 'pretrained'},
        streams=('image',),
    )
    last = image.train_cfg.max_epochs
    assert joint.pretrained == f'work_dirs/{stage}/epoch_{last}.pth'


def test_a_pretrained_timesformer_fits_mmaction2s():
    from mmvidadapt.weights.fit import compare

    cfg = load('timesformer_k400')
    (hook,) = [h for h in cfg.custom_hooks if h.type == 'StrictLoadHook']
    weights = build('pretrain_timesformer_in1k_k400').state_dict()
    difference = compare(MODELS.build(cfg.model), weights)
    assert difference
    assert not difference.without(hook.allow_missing, hook.allow_unknown, [])


@pytest.mark.parametrize('name', PRETRAINING + TUNING)
def test_hooks_of_the_runtime_stay(name):
    runtime = ROOT / 'configs' / '_base_' / 'runtime.py'
    wanted = [hook.type for hook in Config.fromfile(runtime).custom_hooks]
    found = [hook.type for hook in load(name).custom_hooks]
    assert set(wanted) <= set(found)
    assert len(found) == len(set(found))


def test_the_metafile_agrees():
    meta = yaml.safe_load((BEVT / 'metafile.yml').read_text())
    rows = {row['Name']: row for row in meta['Models']}
    assert set(rows) == {f'bevt_{name}' for name in PRETRAINING + TUNING}
    counts = {}
    for name in PRETRAINING + TUNING:
        row = rows[f'bevt_{name}']
        data = row['Metadata']
        assert row['Config'] == f'configs/bevt/{name}.py'
        cfg = load(name)
        kind = repr(cfg.model.backbone.to_dict() | dict(pretrained=None))
        kind += str(cfg.model.cls_head.num_classes)
        if kind not in counts:
            model = build(name)
            frames = cfg.model.backbone.get('num_frames', 16)
            shape = (1, 3, frames, 224, 224)
            flops = None
            if 'video' in cfg.model.backbone.get('streams', ['video']):
                flops = count_flops(
                    getattr(model, 'backbone', model)
                    if name in PRETRAINING
                    else model,
                    shape,
                )
            counts[kind] = *count_params(model), flops
        total, trained, flops = counts[kind]
        assert data['Parameters'] == total
        assert data['Trained Parameters'] == trained
        assert data.get('FLOPs') == flops
        for result in row.get('Results', []):
            header = (ROOT / row['Config']).read_text()
            for figure in result['Metrics'].values():
                assert f'{figure}' in header


def test_the_index_and_the_tables_name_every_config():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    assert 'configs/bevt/metafile.yml' in index['Import']
    page = (BEVT / 'README.md').read_text()
    linked = set(re.findall(r'\]\(([\w-]+)\.py\)', page))
    assert linked == set(PRETRAINING + TUNING)
