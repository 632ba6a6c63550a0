"""DualPath's numbers: sizes, operations, views, the recipe."""

import re
import shlex
from argparse import ArgumentParser

import pytest
import torch
import yaml
from mmaction.registry import MODELS, TRANSFORMS
from mmengine.config import Config, DictAction
from mmengine.optim import build_optim_wrapper
from torch.testing import assert_close

from mmvidadapt.apis.inspect.complexity import count_flops, count_params
from tests.golden import ROOT
from tests.test_aim_configs import curve

DUALPATH = ROOT / 'configs' / 'dualpath'
# name: trained parameters in millions as published, frames x clips x crops,
# epochs, rate for 256 clips, probability of erasing.
ROWS = {
    'vitb16_k400': (10, (16, 3, 1), 50, 3.5e-4, 0),
    'vitl14_k400': (27, (16, 3, 1), 50, 3.5e-4, 0),
    'vitb16_ssv2': (13, (16, 1, 3), 60, 3.5e-4, 0.1),
    'vitl14_ssv2': (33, (16, 1, 3), 60, 3.5e-4, 0.1),
    'vitb16_diving48': (10, (16, 3, 1), 50, 7e-4, 0.1),
    'vitb16_hmdb51': (10, (16, 3, 1), 50, 0.03, 0.5),
}
FRAMES = (16, 32, 48, 64)
# arch, variant: GMACs of a view by number of frames.
GMACS = {
    ('base-p16', 'official'): (171.3, 191.0, 210.6, 230.3),
    ('base-p16', 'paper'): (166.4, 184.9, 203.4, 221.9),
    ('large-p14', 'official'): (790.6, 881.3, 972.0, 1062.7),
    ('large-p14', 'paper'): (758, 843, 927, 1011),
}
# Totals and trained parameters of the released code, with 400 classes.
OFFICIAL = {
    'base-p16': (104_826_256, 18_785_680),
    'large-p14': (368_785_552, 65_083_536),
}
# Millions of adapters and head, with 400 classes.
ADAPTERS_AND_HEAD = {
    ('base-p16', 'paper'): 10.2,
    ('large-p14', 'paper'): 26.8,
    ('base-p16', 'paper-ssv2'): 12.6,
    ('large-p14', 'paper-ssv2'): 33.1,
}
DIMS = {'base-p16': 512, 'large-p14': 768}


def load(name):
    return Config.fromfile(DUALPATH / f'{name}.py')


def on_meta(name):
    with torch.device('meta'):
        return MODELS.build(load(name).model)


def full_size(arch, variant, frames=16):
    cfg = load('vitb16_k400')
    dims = DIMS[arch]
    cfg.model.backbone.update(
        arch=arch, variant=variant, num_frames=frames, output_dims=dims
    )
    cfg.model.cls_head.in_channels = 2 * dims
    with torch.device('meta'):
        return MODELS.build(cfg.model)


def test_every_config_has_its_row():
    assert {p.stem for p in DUALPATH.glob('*.py')} == set(ROWS)


@pytest.mark.parametrize('frames', FRAMES)
@pytest.mark.parametrize('arch,variant', GMACS)
def test_operations_are_those_of_the_released_code(arch, variant, frames):
    wanted = GMACS[arch, variant][FRAMES.index(frames)]
    model, shape = full_size(arch, variant, frames), (1, 3, frames, 224, 224)
    counted = count_flops(model, shape, as_published=True) / 1e9
    assert counted == pytest.approx(wanted, rel=8e-4)
    here = count_flops(model, shape) / 1e9
    fewer = {16: 0.97, 32: 0.93, 48: 0.9, 64: 0.88}[frames]
    assert here < fewer * counted


@pytest.mark.parametrize('arch', OFFICIAL)
def test_sizes_are_those_of_the_released_code(arch):
    assert count_params(full_size(arch, 'official')) == OFFICIAL[arch]


@pytest.mark.parametrize('arch,variant', ADAPTERS_AND_HEAD)
def test_sizes_of_adapters_and_head(arch, variant):
    model = full_size(arch, variant)
    trained = {
        name: param.numel()
        for name, param in model.named_parameters()
        if param.requires_grad
    }
    embeddings = {n: v for n, v in trained.items() if 'embedding' in n}
    assert {n.removeprefix('backbone.') for n in embeddings} == {
        'class_embedding',
        'temporal_class_embedding',
        'spatial_positional_embedding',
    }
    others = sum(trained.values()) - sum(embeddings.values())
    assert round(others / 1e6, 1) == ADAPTERS_AND_HEAD[arch, variant]


@pytest.mark.parametrize('name', ROWS)
def test_trained_parameters_are_the_published_ones(name):
    trained = count_params(on_meta(name)).trained
    assert round(trained / 1e6) == ROWS[name][0]


@pytest.mark.parametrize('name', ROWS)
def test_views(name):
    _, (frames, clips, crops), *_ = ROWS[name]
    cfg = load(name)
    sampling, crop = cfg.test_pipeline[1], cfg.test_pipeline[4]
    assert cfg.model.backbone.num_frames == sampling.clip_len == frames
    assert sampling.get('num_clips', 1) == clips
    assert crop.type == {1: 'CenterCrop', 3: 'ThreeCrop'}[crops]
    assert not sampling.get('official_starts', False)
    ssv2 = name.endswith('ssv2')
    assert cfg.model.test_cfg.max_testing_views == (2 if ssv2 else 4)


@pytest.mark.parametrize('name', ROWS)
def test_the_recipe(name):
    _, _, epochs, rate, erasing = ROWS[name]
    cfg, ssv2 = load(name), name.endswith('ssv2')
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.weight_decay) == ('AdamW', 0.05)
    assert cfg.train_dataloader.batch_size * 8 == 64
    assert cfg.auto_scale_lr == dict(enable=False, base_batch_size=64)
    assert optimizer.lr == pytest.approx(rate * 64 / 256)
    assert cfg.train_cfg.max_epochs == epochs
    assert cfg.param_scheduler[1].end == epochs
    assert cfg.model.backbone.variant == ('paper-ssv2' if ssv2 else 'paper')
    blending = cfg.model.data_preprocessor.get('blending')
    assert (blending.prob if blending else 0) == erasing
    steps = [step.type for step in cfg.train_pipeline]
    assert ('Flip' in steps) != ssv2
    assert steps.index('ClipRandAugment') < steps.index('RandomResizedCrop')
    assert cfg.train_pipeline[1] == dict(
        type='RandomStrideSampleFrames', clip_len=16
    )
    mean = cfg.model.data_preprocessor.mean
    assert mean[0] == pytest.approx(0.48145466 * 255, abs=1e-3)  # CLIP's


def test_the_learning_rate_warms_up_and_falls_in_every_step():
    rates = curve(load('vitb16_k400'), 10)
    assert rates[0] < 1e-8 and max(rates) == pytest.approx(3e-4)
    assert rates.index(max(rates)) in range(27, 32)
    rising, falling = rates[:29], rates[31:]
    assert rising == sorted(set(rising))
    assert falling == sorted(set(falling), reverse=True)
    assert rates[31 + (500 - 31) // 2] == pytest.approx(1.5e-4, rel=0.02)
    assert rates[-1] < 1e-6


def test_the_official_views_are_options_of_the_command_line():
    """The options of the README, as the tools read them."""
    page = (DUALPATH / 'README.md').read_text()
    command = page.split('on the official views')[1].split('\n#')[0]
    words = shlex.split(command.replace('\\\n', ' '))
    parser = ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    given = words[words.index('--cfg-options') :]
    cfg = load('vitb16_k400')
    cfg.merge_from_dict(parser.parse_args(given).cfg_options)
    preprocessor = MODELS.build(cfg.model.data_preprocessor)
    wanted = torch.tensor([0.485, 0.456, 0.406]) * 255
    assert_close(preprocessor.mean.flatten(), wanted, rtol=0, atol=1e-3)
    wanted = torch.tensor([0.229, 0.224, 0.225]) * 255
    assert_close(preprocessor.std.flatten(), wanted, rtol=0, atol=1e-3)
    steps = cfg.test_dataloader.dataset.pipeline
    sampling, crop = (TRANSFORMS.build(steps[i]) for i in (1, 4))
    assert sampling.official_starts
    assert repr(crop) == 'SteppedCrops(crop_size=224, num_crops=1)'


def test_everything_trained_is_decayed():
    model, cfg = on_meta('vitb16_k400'), load('vitb16_k400')
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    (group,) = wrapper.optimizer.param_groups
    assert (group['lr'], group['weight_decay']) == (8.75e-5, 0.05)
    assert len(group['params']) == sum(
        p.requires_grad for p in model.parameters()
    )


def test_the_metafile_agrees():
    meta = yaml.safe_load((DUALPATH / 'metafile.yml').read_text())
    rows = {row['Name']: row for row in meta['Models']}
    assert set(rows) == {f'dualpath_{name}' for name in ROWS}
    for name, (_, views, epochs, *_) in ROWS.items():
        row, model = rows[f'dualpath_{name}'], on_meta(name)
        data, shape = row['Metadata'], (1, 3, 16, 224, 224)
        assert row['Config'] == f'configs/dualpath/{name}.py'
        assert (data['Parameters'], data['Trained Parameters']) == (
            count_params(model)
        )
        assert data['Test Views'] == 'x'.join(map(str, views))
        assert data['Epochs'] == epochs
        assert data['FLOPs'] == count_flops(model, shape, as_published=True)
        for result in row['Results']:  # the figures of the header
            header = (ROOT / row['Config']).read_text()
            for figure in result['Metrics'].values():
                assert f'{figure}' in header


def test_the_index_and_the_tables_name_every_config():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    assert 'configs/dualpath/metafile.yml' in index['Import']
    for page in (DUALPATH / 'README.md', ROOT / 'model_zoo.md'):
        prefix = '' if page.parent == DUALPATH else 'configs/dualpath/'
        linked = re.findall(rf'\]\({prefix}([\w-]+)\.py\)', page.read_text())
        assert sorted(linked) == sorted(ROWS), page.name
