"""Every config: named truly, builds, reads a video, trains, stands alone."""

import ast
import re
from pathlib import Path

import mmaction.registry
import mmengine.registry
import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmaction.utils import register_all_modules
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import Registry

from mmvidadapt.utils.video import write_video

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(
    p for p in (ROOT / 'configs').rglob('*.py') if '_base_' not in p.parts
)
# Configs of a paper's row; others, such as the quick start's, have own names.
NAME = re.compile(
    r'(?:([a-z_]+)_)?(vit[sbl]\d+(?:-336)?|swin[tsbl])(_in21k)?(?:_(\d+)f)?_'
    r'(k400|k700|ssv2|diving48|hmdb51)(_\w+)?'
)
PRETRAINING = re.compile(r'pretrain_\w+|bevt_(image|joint)')
ROWS = [
    p
    for p in FILES
    if NAME.fullmatch(p.stem) and not PRETRAINING.fullmatch(p.stem)
]
ARCHS = dict(
    vits16=('small-p16', 384),
    vits14=('small-p14', 384),
    vitb16=('base-p16', 768),
    vitb32=('base-p32', 768),
    vitl14=('large-p14', 1024),
    vitl16=('large-p16', 1024),
    **{'vitl14-336': ('large-p14-336', 1024)},
    swinb=('base', 1024),
)
DATASETS = dict(
    k400=(400, 'data/kinetics400/'),
    k700=(700, 'data/kinetics700/'),
    ssv2=(174, 'data/sthv2/'),
    diving48=(48, 'data/diving48/'),
    hmdb51=(51, 'data/hmdb51/'),
)
FRAME_WISE = dict(linearprobe='imagevit', fullfinetune='imagevit')
PIPELINES = ('train_pipeline', 'val_pipeline', 'test_pipeline')


def name_of(path):
    return path.relative_to(ROOT / 'configs').with_suffix('').as_posix()


every = pytest.mark.parametrize('path', FILES, ids=name_of)
every_row = pytest.mark.parametrize('path', ROWS, ids=name_of)


def load(path):
    return Config.fromfile(path)


def frames_of(cfg):  # some models take clips of any length
    return cfg.model.backbone.get('num_frames', cfg.test_pipeline[1].clip_len)


def bases_of(path):
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == '_base_':
            return ast.literal_eval(node.value)
    return []


@pytest.fixture(scope='module')
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp('video') / 'clip.mp4'
    image = np.random.default_rng(0).integers(
        0, 256, (48, 64, 3), dtype=np.uint8
    )
    write_video(path, [np.roll(image, i, 1) for i in range(40)], fps=10)
    return path


@every
def test_the_header_says_what_and_how(path):
    header = ast.get_docstring(ast.parse(path.read_text())) or ''
    assert re.search(r'^ *(bash |python )?tools/\S+', header, re.M)
    if path in ROWS:
        assert f'configs/{name_of(path)}.py' in header
        assert 'https://arxiv.org/abs/' in header and 'Published: ' in header


@every
def test_inheritance_is_shallow(path):
    bases = bases_of(path)
    if isinstance(bases, str):  # a variant of one sibling
        assert len(path.read_text().splitlines()) <= 15
        sibling = (path.parent / bases).resolve()
        assert sibling.parent == path.parent
        bases = bases_of(sibling)
    assert isinstance(bases, list)
    assert all(base.startswith('../_base_/') for base in bases)


@every_row
def test_name_and_content_agree(path):
    match = NAME.fullmatch(path.stem)
    method, arch, in21k, frames, dataset, _ = match.groups()
    cfg = load(path)
    backbone, head = cfg.model.backbone, cfg.model.cls_head
    method = (method or path.parent.name).replace('_', '')
    assert backbone.type.lower().startswith(FRAME_WISE.get(method, method))
    channels, dual = ARCHS[arch][1], backbone.type == 'DualPath'
    if dual:  # two paths, in the space of CLIP's projection
        channels = 2 * {768: 512, 1024: 768}[channels]
    assert (backbone.arch, head.in_channels) == (ARCHS[arch][0], channels)
    plain = 32 if arch.startswith('swin') else 16 if dual else 8
    assert frames_of(cfg) == int(frames or plain)
    assert frames is None or int(frames) != plain  # said only when needed
    for key in PIPELINES:
        assert cfg[key][1].clip_len == frames_of(cfg)
    classes, root = DATASETS[dataset]
    assert head.num_classes == classes
    for split in ('train', 'val', 'test'):
        data = cfg[f'{split}_dataloader'].dataset
        assert data.ann_file.startswith(root)
        assert data.data_prefix.video.startswith(root)
    assert (backbone.get('dialect') == 'imagenet') == bool(in21k)
    assert backbone.pretrained is not None
    assert head.average_clips == ('score' if dual else 'prob')


@every
def test_pipelines_agree_with_the_loaders(path):
    cfg = load(path)
    for key in PIPELINES:
        if key in cfg:
            loader = cfg[key.replace('pipeline', 'dataloader')]
            assert cfg[key] == loader.dataset.pipeline
    # mmaction2's inferencers read it.
    assert ('test_pipeline' in cfg) != bool(PRETRAINING.fullmatch(path.stem))


def known_types():
    register_all_modules(init_default_scope=False)
    return {
        name
        for module in (mmaction.registry, mmengine.registry)
        for registry in vars(module).values()
        if isinstance(registry, Registry)
        for name in registry.module_dict
    }


def types_in(value):
    if isinstance(value, dict):
        if isinstance(value.get('type'), str):
            yield value['type']
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from types_in(item)


@every
def test_every_type_is_registered(path):
    cfg = load(path)
    assert cfg.default_scope == 'mmaction'
    assert cfg.custom_imports == dict(
        imports=['mmvidadapt'], allow_failed_imports=False
    )
    assert set(types_in(cfg.to_dict())) - known_types() == set()


@every
def test_the_flat_copy_is_the_same_config(path, tmp_path):
    cfg = load(path)
    cfg.dump(tmp_path / 'flat.py')
    text = (tmp_path / 'flat.py').read_text()
    assert '_base_ =' not in text and '_delete_' not in text
    assert load(tmp_path / 'flat.py').to_dict() == cfg.to_dict()


@every
def test_a_video_passes_the_pipelines(path, video):
    cfg = load(path)
    size = cfg.model.backbone.get('img_size') or 224
    for key in set(PIPELINES) & set(cfg):
        clips = (
            1
            if key != 'test_pipeline'
            else (
                cfg[key][1].get('num_clips', 1)
                * (3 if 'ThreeCrop' in str(cfg[key]) else 1)
            )
        )
        data = Compose(cfg[key])(
            dict(filename=str(video), label=1, start_index=0, modality='RGB')
        )
        assert data['inputs'].shape[:2] == (clips, 3)
        assert data['inputs'].shape[-2:] == (size, size)
        if path in ROWS:
            assert data['inputs'].shape[2] == frames_of(cfg)
            # NonFiniteLossHook names the clips by it.
            assert data['data_samples'].filename == str(video)


def reduced(cfg):
    """The same recipe for a model of two small layers."""
    cfg.model.backbone.update(arch='tiny', img_size=32, pretrained=None)
    if 'decoder_num_layers' in cfg.model.backbone:
        cfg.model.backbone.decoder_num_layers = 2
    cfg.optim_wrapper.pop('accumulative_counts', None)
    clip = torch.zeros(1, 3, frames_of(cfg), 32, 32)
    channels = MODELS.build(cfg.model.backbone)(clip).shape[1]
    cfg.model.cls_head.update(in_channels=channels, num_classes=5)
    return cfg


@every_row
def test_one_training_step(path):
    torch.manual_seed(0)
    cfg = reduced(load(path))
    model = MODELS.build(cfg.model).train()
    cfg.optim_wrapper.optimizer.lr = 0.1
    optimizer = build_optim_wrapper(model, cfg.optim_wrapper)
    size, frames = (32, frames_of(cfg))
    data = dict(
        inputs=[
            torch.randint(256, (1, 3, frames, size, size), dtype=torch.uint8)
            for _ in range(2)
        ],
        data_samples=[ActionDataSample().set_gt_label(i) for i in (0, 4)],
    )
    for param in model.parameters():
        if not (param.requires_grad or param.any()):  # biases as if trained
            torch.nn.init.normal_(param, std=0.02)
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    for _ in range(4):  # new adapters end in zeros, and some feed others
        losses = model.train_step(data, optimizer)
    assert torch.isfinite(losses['loss'])
    for name, param in model.named_parameters():
        same = torch.equal(param, before[name])
        assert same != param.requires_grad, name
    optimized = {
        p for g in optimizer.optimizer.param_groups for p in g['params']
    }
    assert optimized == {p for p in model.parameters() if p.requires_grad}


def test_configs_are_no_package():
    """mmaction2 takes an installed `configs` for its own."""
    for folder in ('configs', 'tools'):
        assert not list((ROOT / folder).rglob('__init__.py'))
    assert (
        "find_packages(include=['mmvidadapt'"
        in (ROOT / 'setup.py').read_text()
    )
