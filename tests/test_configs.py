"""Every config: named truly, shallow, of known types, stands alone."""

import ast
import re
from pathlib import Path

import mmaction.registry
import mmengine.registry
import pytest
from mmaction.utils import register_all_modules
from mmengine.config import Config
from mmengine.registry import Registry

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
def test_no_video_is_read_through_decord(path):
    """It cannot be installed everywhere, and reads some videos wrongly."""
    assert not {'DecordInit', 'DecordDecode'} & set(types_in(load(path)))


@every
def test_the_flat_copy_is_the_same_config(path, tmp_path):
    cfg = load(path)
    cfg.dump(tmp_path / 'flat.py')
    text = (tmp_path / 'flat.py').read_text()
    assert '_base_ =' not in text and '_delete_' not in text
    assert load(tmp_path / 'flat.py').to_dict() == cfg.to_dict()


def test_configs_are_no_package():
    """mmaction2 takes an installed `configs` for its own."""
    for folder in ('configs', 'tools'):
        assert not list((ROOT / folder).rglob('__init__.py'))
    assert (
        "find_packages(include=['mmvidadapt'"
        in (ROOT / 'setup.py').read_text()
    )
