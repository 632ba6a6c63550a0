"""Every config: named truly, shallow, as published, and what it came from."""

import ast
import copy
import math
import re
import shlex
from argparse import ArgumentParser
from collections import defaultdict
from functools import lru_cache
from pathlib import Path

import cv2
import mmaction.registry
import mmengine.registry
import numpy as np
import pytest
import torch
import yaml
from mmaction.registry import MODELS, PARAM_SCHEDULERS, TRANSFORMS
from mmcv.transforms import Compose
from mmengine.config import Config, DictAction
from mmengine.optim import build_optim_wrapper
from mmengine.registry import Registry

from mmvidadapt.apis.inspect.complexity import (
    clip_shape,
    count_flops,
    count_params,
)
from mmvidadapt.trunks.follow_trunk import follow_trunk, trunk_of
from mmvidadapt.utils import register_all_modules
from mmvidadapt.utils.video import write_video
from mmvidadapt.weights.load_hooks import compare
from tests.config_recipes import recipe, word
from tests.golden import ROOT, goldens, load_golden

CONFIGS = ROOT / 'configs'
FILES = sorted(p for p in CONFIGS.rglob('*.py') if '_base_' not in p.parts)
METAFILES = sorted(CONFIGS.glob('*/metafile.yml'))
MODELS_OF = {p: yaml.safe_load(p.read_text())['Models'] for p in METAFILES}
PAPERS = {
    ROOT / row['Config']: row for rows in MODELS_OF.values() for row in rows
}
# Configs of a paper's row; others, such as the quick start's, have own names.
NAME = re.compile(
    r'(?:([a-z_]+)_)?(vit[sbl]\d+(?:-336)?|swin[tsbl])(_in21k)?(?:_(\d+)f)?_'
    r'(k400|k700|ssv2|diving48|hmdb51|charades|epic100)(_\w+)?|'
    r'([bl]16x2)(_fe|_fsa|_fdp|_avgpool)?_(k400|k600|ssv2)'
)
PRETRAINING = re.compile(r'pretrain_\w+|bevt_(image|joint)')
ROWS = [
    p
    for p in FILES
    if NAME.fullmatch(p.stem) and not PRETRAINING.fullmatch(p.stem)
]
# Of a name: arch, channels, how the metafile names it.
ARCHS = {
    'vits14': ('small-p14', 384, 'ViT-S/14'),
    'vitb16': ('base-p16', 768, 'ViT-B/16'),
    'vitl14': ('large-p14', 1024, 'ViT-L/14'),
    'vitl14-336': ('large-p14-336', 1024, 'ViT-L/14'),
    'swinb': ('base', 1024, 'Swin-B'),
    'vitl16': ('large-p16', 1024, 'ViT-L/16'),
    'b16x2': ('base-p16', 768, 'ViT-B/16x2'),
    'l16x2': ('large-p16', 1024, 'ViT-L/16x2'),
}
DATASETS = dict(
    k400=('data/kinetics400/', 'Kinetics-400'),
    k600=('data/kinetics600/', 'Kinetics-600'),
    k700=('data/kinetics700/', 'Kinetics-700'),
    ssv2=('data/sthv2/', 'Something-Something V2'),
    diving48=('data/diving48/', 'Diving-48'),
    hmdb51=('data/hmdb51/', 'HMDB51'),
    charades=('data/charades/', 'Charades'),
    epic100=('data/epic100/', 'EPIC-KITCHENS-100'),
)
KINDS = dict(
    linearprobe='imagevit',
    fullfinetune='imagevit',
    bevt='bevtvideoswin',
    fe='vivitfactorisedencoder',
    avgpool='vivitfactorisedencoder',
    fsa='vivitfactorisedselfattention',
    fdp='vivitfactoriseddotproduct',
)
WEIGHTS = {
    'CLIP': r'openai/ViT-.*',
    'ImageNet-21K': r'timm/jx_vit_base_p16_224|microsoft/swin_.*_22k|'
    r'scenic/ViT_[BL]_16_ImageNet21k',
}
OPENAI = ([122.769, 116.74, 104.04], [68.493, 66.63, 70.321])  # mmaction's
CLIPS_OWN = ([122.771, 116.746, 104.094], [68.501, 66.632, 70.323])
NORMALISED = dict(
    aim=OPENAI,
    petl=OPENAI,
    zeroi2v=OPENAI,
    side4video=OPENAI,
    evl=CLIPS_OWN,
    dualpath=CLIPS_OWN,
    vivit=([127.5] * 3, [127.5] * 3),
    imagenet=([123.675, 116.28, 103.53], [58.395, 57.12, 57.375]),
    bevt=([123.675, 116.28, 103.53], [58.395, 57.12, 57.375]),
    vjepa2=([123.675, 116.28, 103.53], [58.395, 57.12, 57.375]),
    attentive_probe=CLIPS_OWN,
)
PIPELINES = ('train_pipeline', 'val_pipeline', 'test_pipeline')


def name_of(path):
    return path.relative_to(CONFIGS).with_suffix('').as_posix()


every = pytest.mark.parametrize('path', FILES, ids=name_of)
every_row = pytest.mark.parametrize('path', ROWS, ids=name_of)
every_paper = pytest.mark.parametrize('path', PAPERS, ids=name_of)


@lru_cache(maxsize=None)
def read(path):
    return Config.fromfile(path)


def load(path):
    """Load a config that may be changed, by path or name."""
    path = path if isinstance(path, Path) else CONFIGS / f'{path}.py'
    return copy.deepcopy(read(path))


def frames_of(cfg):  # some models take clips of any length
    return cfg.model.backbone.get('num_frames', cfg.test_pipeline[1].clip_len)


def bases_of(path):
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == '_base_':
            return ast.literal_eval(node.value)
    return []


def build(name, **backbone):
    """Build a model without weights, on the meta device where that works."""
    cfg = load(name).model
    cfg.backbone.update(backbone)
    cfg.data_preprocessor.pop('blending', None)  # a distribution has values
    swin = cfg.backbone.type == 'BEVTVideoSwin'
    with torch.device('cpu' if swin else 'meta'):
        return MODELS.build(cfg)


@every
def test_the_header_says_what_and_how(path):
    header = ast.get_docstring(ast.parse(path.read_text())) or ''
    assert re.search(r'^ *(bash |python )?tools/\S+', header, re.M)
    if path in ROWS:
        assert f'configs/{name_of(path)}.py' in header
        assert 'https://arxiv.org/abs/' in header and 'Published: ' in header


@every
def test_inheritance_is_shallow_and_nothing_is_edited_by_position(path):
    text, bases = path.read_text(), bases_of(path)
    assert not re.search(r'(pipeline|scheduler|\bp)\[\d', text)
    if isinstance(bases, str):  # a variant of one sibling
        assert len(text.splitlines()) <= 15
        sibling = (path.parent / bases).resolve()
        assert sibling.parent == path.parent
        bases = bases_of(sibling)
    assert isinstance(bases, list)
    assert all(base.startswith('../_base_/') for base in bases)


def test_few_lines_are_repeated():
    """At most a fifth lies in blocks of eight that another config has."""
    texts = [p.read_text().splitlines() for p in CONFIGS.rglob('*.py')]
    texts = [[line.strip() for line in text] for text in texts]
    texts = [[s for s in text if s and s[0] != '#'] for text in texts]
    found = defaultdict(set)  # block -> the lines that it has, of any config
    for number, text in enumerate(texts):
        for i in range(len(text) - 7):
            lines = {(number, i + j) for j in range(8)}
            found[tuple(text[i : i + 8])] |= lines
    shared = [s for s in found.values() if len({n for n, _ in s}) > 1]
    assert len(set().union(*shared)) <= 0.2 * sum(map(len, texts))


@every_row
def test_name_and_content_agree(path):
    match = NAME.fullmatch(path.stem)
    method, arch, in21k, frames, dataset, _, vivit, kind, vivit_set = (
        match.groups()
    )
    arch, dataset = arch or vivit, dataset or vivit_set
    method = (method or (kind or '').strip('_') or path.parent.name).lower()
    method = method.replace('_', '')
    cfg = load(path)
    follow_trunk(cfg.model)
    backbone, head = cfg.model.backbone, cfg.model.cls_head
    row = trunk_of(cfg.model)
    if row:  # one word says it all
        assert not {'arch', 'dialect'} & set(backbone)
        backbone.update(arch=row.arch, dialect=row.dialect)
        backbone.setdefault('pretrained', row.weights)
    mmaction2s = backbone.type == 'TimeSformer'
    assert mmaction2s or backbone.type.lower().startswith(
        KINDS.get(method, method)
    )
    channels, dual = ARCHS[arch][1], backbone.type == 'DualPath'
    if dual:  # two paths, in the space of CLIP's projection
        channels = 2 * {768: 512, 1024: 768, 384: 384}[channels]
    channels = backbone.get('side_dims', channels)
    assert (backbone.arch, head.in_channels) == (ARCHS[arch][0], channels)
    plain = 16 if dual else 8
    plain = 32 if vivit or arch.startswith('swin') else plain
    assert frames_of(cfg) == int(frames or plain)
    assert frames is None or int(frames) != plain  # said only when needed
    for key in PIPELINES:
        assert cfg[key][1].clip_len == frames_of(cfg)
    folder = DATASETS[dataset][0]
    for split in ('train', 'val', 'test'):
        data = cfg[f'{split}_dataloader'].dataset
        assert data.type == 'CheckedVideoDataset'
        assert data.ann_file.startswith(folder)
        assert data.data_prefix.video.startswith(folder)
        assert ('train' in data.ann_file) == (split == 'train')
    assert (backbone.get('dialect') == 'imagenet') == bool(in21k)
    assert backbone.pretrained is not None
    if path in PAPERS:
        data, pre = PAPERS[path]['Metadata'], cfg.model.data_preprocessor
        assert data['Training Data'] == DATASETS[dataset][1]
        assert ARCHS[arch][2] in data['Architecture'] or mmaction2s
        weights = WEIGHTS.get(data['Pretrained'], '.*')
        assert re.fullmatch(weights, backbone.pretrained)
        sort = 'imagenet' if in21k or 'swin' in arch else path.parent.name
        assert (pre.mean, pre.std) == NORMALISED[sort]


@every
def test_pipelines_agree_with_the_loaders(path):
    cfg = read(path)
    for key in PIPELINES:
        if key in cfg:
            loader = cfg[key.replace('pipeline', 'dataloader')]
            assert cfg[key] == loader.dataset.pipeline
    # mmaction2's inferencers read it.
    assert ('test_pipeline' in cfg) != bool(PRETRAINING.fullmatch(path.stem))


@lru_cache
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
def test_every_type_is_registered_and_every_hook_stays(path):
    cfg, runtime = read(path), read(CONFIGS / '_base_/runtime.py')
    assert cfg.default_scope == 'mmaction'
    assert cfg.custom_imports == dict(
        imports=['mmvidadapt'], allow_failed_imports=False
    )
    types = set(types_in(cfg.to_dict()))
    unknown = types - known_types()
    assert not [t for t in unknown if '.' not in t or MODELS.get(t) is None]
    # decord cannot be installed everywhere, and reads some videos wrongly.
    assert not {'DecordInit', 'DecordDecode', 'NamedDecordInit'} & types
    opened = [s for s in cfg.get('test_pipeline', []) if s.type == 'VideoInit']
    assert all(step.backend == 'auto' for step in opened)
    steps = [s for key in PIPELINES[1:] for s in cfg.get(key, [])]
    # A longer clip of its would begin again where a video ends.
    assert {s.clip_len for s in steps if s.type == 'SampleFrames'} <= {1}
    hooks = [hook.type for hook in cfg.custom_hooks]
    assert {hook.type for hook in runtime.custom_hooks} <= set(hooks)
    assert len(hooks) == len(set(hooks))


@every
def test_the_flat_copy_is_the_same_config(path, tmp_path):
    cfg = read(path)
    cfg.dump(tmp_path / 'flat.py')
    text = (tmp_path / 'flat.py').read_text()
    assert '_base_ =' not in text and '_delete_' not in text
    assert Config.fromfile(tmp_path / 'flat.py').to_dict() == cfg.to_dict()


def test_configs_are_no_package():
    """mmaction2 takes an installed `configs` for its own."""
    for folder in ('configs', 'tools'):
        assert not list((ROOT / folder).rglob('__init__.py'))
    assert (
        "find_packages(include=['mmvidadapt'"
        in (ROOT / 'setup.py').read_text()
    )


def facts(cfg):
    """Return what a recipe says of a config."""
    model, wrapper = cfg.model.to_dict(), cfg.optim_wrapper.to_dict()
    backbone, head = model['backbone'], model['cls_head']
    optimizer, blending = (
        wrapper.pop('optimizer'),
        model['data_preprocessor'].get('blending'),
    )
    keys = wrapper.pop('paramwise_cfg', {}).get('custom_keys')
    runtime = read(CONFIGS / '_base_/runtime.py').custom_hooks
    hooks = [
        h
        for h in cfg.custom_hooks
        if h.type not in {hook.type for hook in runtime}
    ]
    assert wrapper.pop('type') == 'OptimWrapper'
    assert wrapper.pop('constructor') == 'TrainedParamsConstructor'
    for name in ('type', 'arch', 'dialect', 'pretrained', 'num_frames'):
        backbone.pop(name, None)
    for name in ('img_size', 'trunk'):
        backbone.pop(name, None)
    head.pop('in_channels', None)
    found = dict(
        backbone,
        model=model['type'],
        head=head.pop('type'),
        **head,
        blending=blending and word(blending),
        max_testing_views=model.get('test_cfg', {}).get('max_testing_views'),
        lr=optimizer.pop('lr'),
        optimizer=word(optimizer),
        keys='layer decay' if keys and len(keys) > 20 else keys,
        accumulate=wrapper.pop('accumulative_counts', None),
        clip_grad=wrapper.pop('clip_grad', {}).get('max_norm'),
        schedule=' '.join(map(word, cfg.param_scheduler)),
        val_interval=cfg.train_cfg.get('val_interval'),
        hooks=' '.join(map(word, hooks)) or None,
        **wrapper,
    )
    return {k: v for k, v in found.items() if v is not None}


VIEW_FACTS = [
    'sample',
    'span',
    'train',
    'images',
    'sides',
    'three',
    'finish',
    'gpus',
]
VIEW_FACTS += ['base_batch_size']


@every_paper
def test_the_recipe_is_that_of_paper_and_code(path):
    cfg, row = load(path), PAPERS[path]['Metadata']
    wanted, epochs = recipe(name_of(path)), row['Epochs']
    schedule = wanted['schedule']
    wanted['schedule'] = re.sub(r'\bE\b', str(epochs), schedule).replace(
        'T_max=R', f'T_max={epochs - 3}'
    )
    views = {name: wanted.pop(name, None) for name in VIEW_FACTS}
    wanted = {k: v for k, v in wanted.items() if v is not None}
    assert facts(cfg) == wanted
    batch = cfg.train_dataloader.batch_size * views['gpus']
    assert batch * wanted.get('accumulate', 1) == row['Batch Size']
    assert f'{views["gpus"]} GPUs' == row['Training Resources']
    base = views['base_batch_size'] or row['Batch Size']
    assert cfg.auto_scale_lr == dict(enable=False, base_batch_size=base)
    assert cfg.train_cfg.max_epochs == epochs


@every_paper
def test_the_views_are_the_published_ones(path):
    cfg, row = load(path), PAPERS[path]['Metadata']
    wanted, pixels = recipe(name_of(path)), row['Resolution'].split('x')[0]
    frames = row.get('Frames')
    span = wanted['span'] or 0
    size = {'T': frames, 'P': pixels, 'S': span // (frames or 1)}

    def steps(sample, *others, extra=''):
        text = f"VideoInit(backend='auto') {sample} VideoDecode "
        text += ' '.join(filter(None, others))
        text = re.sub(r'\b[TPS]\b', lambda m: str(size[m[0]]), text)
        return text.replace('@', extra)

    def found(key):
        return ' '.join(map(word, cfg[key]))

    sample, finish = wanted['sample'], wanted['finish']
    if path.stem.startswith('pretrain'):
        streams = wanted.get('streams', ('image', 'video'))
        if 'video' in streams:
            video = steps(sample, wanted['train'])
            assert found('video_pipeline') == video
        if 'image' in streams:
            images = wanted['images'].replace('=P', f'={pixels}')
            assert found('image_pipeline') == f'ImageDecode {images}'
        return
    _, clips, crops = map(int, row['Test Views'].split('x'))
    segments = wanted.get('num_segments', 1)  # that are read together
    read = f', num_clips={segments}, num_segments={segments}'
    read = read if segments > 1 else ''
    assert segments in (1, clips)
    train = steps(sample, wanted['train'], finish, extra=read)
    assert found('train_pipeline') == train
    clips = f', num_clips={clips}' if clips > 1 else ''
    three = wanted.get('three', 'ThreeCrop')
    for key, side, crop, extra in (
        ('val_pipeline', wanted['sides'][0], 'CenterCrop', read),
        (
            'test_pipeline',
            wanted['sides'][1],
            {1: 'CenterCrop', 3: three}[crops],
            read or clips,
        ),
    ):
        assert found(key) == steps(
            sample,
            f'Resize(scale=(-1, {side})) {crop}(crop_size=P)',
            finish,
            extra=f'{extra}, test_mode=True',
        )


def kind_of(cfg):
    """Return what the operations of a model depend on, but for classes."""
    backbone = cfg.model.backbone.to_dict()
    backbone.update(pretrained=None)
    return repr(sorted(backbone.items(), key=repr))


@pytest.fixture(scope='module')
def counts():
    """Operations of the models that were counted, as published and here."""
    return {}


@every_paper
def test_the_metafile_tells_the_truth(path, counts):
    row, cfg = PAPERS[path], read(path)
    data, method = row['Metadata'], path.parent.name
    assert row['Name'] == f'{method}_{path.stem}'
    model = build(name_of(path))
    count = count_params(model)
    assert data['Parameters'] == count.total
    assert data['Trained Parameters'] == count.trained
    if 'FLOPs' not in data:
        assert 'video' not in cfg.model.backbone.get('streams', ['video'])
        return
    key, classes = kind_of(cfg), cfg.model.cls_head.num_classes
    classes = sum(classes.values()) if isinstance(classes, dict) else classes
    if key not in counts:
        backbone = path.stem.startswith('pretrain')  # the head is for masks
        part, shape = model.backbone if backbone else model, clip_shape(cfg)
        found = [count_flops(part, shape, how) for how in (True, False)]
        counts[key] = classes, *found
    known, published, here = counts[key]
    linear = [m for m in model.cls_head.modules() if hasattr(m, 'in_features')]
    more = (classes - known) * linear[-1].in_features
    for name, counted in (('FLOPs', published), ('FLOPs Here', here)):
        wanted = data.get(name, data['FLOPs'])
        assert counted + more == pytest.approx(wanted, rel=4e-4), name
    check_published(row, method)


def check_published(row, method):
    """Compare sizes with what papers print, rounded or cut off."""
    data, printed = row['Metadata'], row.get('Published', {})
    for name in ('Parameters', 'Trained Parameters'):
        if name in printed:
            digits = len(str(printed[name]).partition('.')[2])
            off = abs(data[name] / 1e6 - printed[name])
            assert off < 10**-digits, name
    if 'GFLOPs' in printed and method not in ('evl', 'zeroi2v'):  # below
        views = data['Test Views'].split('x') if method == 'aim' else []
        times = 1
        for number in views[1:]:
            times *= int(number)
        gflops = data['FLOPs'] / 1e9 * times
        assert gflops == pytest.approx(printed['GFLOPs'], rel=0.01)


# Of ZeroI2V merged models are counted: three views.
MERGED = dict(type='ShiftedViT')
AVERAGED = dict(temporal=('conv', 'position'))  # EVL without motion
OFFICIAL = dict(variant='official')
# Models without a config: name, arguments of the backbone, what is printed:
# parameters, trained ones (millions, or exact) and GFLOPs of all views.
PRINTED = [
    ('evl/vitb16_k400', AVERAGED, 114.50, 28.70, 3 * 148),
    ('evl/vitb16_32f_k400', AVERAGED, None, None, 1776),
    ('evl/vitb16_ssv2', AVERAGED, None, 85.32, None),
    ('dualpath/vitb16_k400', OFFICIAL, 104_826_256, 18_785_680, 171.3),
    ('petl/st_adapter_vitb16_k400', dict(num_frames=32), None, None, 607),
    ('zeroi2v/vitb16_k400', MERGED, None, None, 422),
    ('zeroi2v/vitl14_k400', MERGED, None, None, 1946),
    ('zeroi2v/vitl14_32f_k400', MERGED, None, None, 7783),
    # Something-Something: 24 adapters of width 384, the last of no effect.
    (
        'petl/st_adapter_vitb16_k400',
        dict(places=('attn', 'mlp')),
        None,
        12 * 2 * (2 * 768 * 384 + 384 + 768 + 4 * 384) * 23 // 24 + 400 * 769,
        None,
    ),
]


@pytest.mark.parametrize('name, backbone, total, trained, gflops', PRINTED)
def test_variants_have_the_printed_sizes(
    name, backbone, total, trained, gflops
):
    model = build(name, **backbone)
    count = count_params(model)
    for found, wanted in ((count.total, total), (count.trained, trained)):
        if wanted and wanted < 1000:
            found = round(found / 1e6, 2)
        assert wanted in (None, found)
    if gflops:
        cfg = load(name)
        cfg.model.backbone.update(backbone)
        views = 3 if name.startswith(('evl', 'zeroi2v')) else 1
        counted = count_flops(model, clip_shape(cfg), as_published=True)
        assert views * counted / 1e9 == pytest.approx(gflops, rel=2e-3)


def test_a_merged_model_costs_what_the_trunk_costs():
    merged = build('petl/lora_vitb16_k400').backbone.merge()
    plain = build('petl/linear_probe_vitb16_k400').backbone
    assert count_params(merged).total == count_params(plain).total
    shape = (1, 3, 8, 224, 224)
    assert count_flops(merged, shape) == count_flops(plain, shape)


def dualpath_table():
    """Read the README's table of GFLOPs by number of frames."""
    page = (CONFIGS / 'dualpath/README.md').read_text()
    for arch, variant, figures in re.findall(
        r"^\| ViT-(./\d+), `variant='(\w+)'` \| (.*) \|$", page, re.M
    ):
        for frames, gflops in zip((16, 32, 48, 64), figures.split(' | ')):
            yield arch, variant, frames, gflops


@pytest.mark.parametrize('arch, variant, frames, gflops', dualpath_table())
def test_operations_by_frames_are_those_of_the_page(
    arch, variant, frames, gflops
):
    name = {'B/16': 'vitb16_k400', 'L/14': 'vitl14_k400'}[arch]
    changes = dict(variant=variant, num_frames=frames)
    model, shape = (
        build(f'dualpath/{name}', **changes),
        (1, 3, frames, 224, 224),
    )
    counted = count_flops(model, shape, as_published=True)
    assert counted / 1e9 == pytest.approx(float(gflops), abs=0.06)


def test_every_table_names_every_config():
    zoo = (ROOT / 'model_zoo.md').read_text()
    linked = re.findall(r'\]\((configs/\w+/[\w-]+\.py)\)', zoo)
    assert sorted(ROOT / path for path in linked) == sorted(PAPERS)
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    assert {ROOT / path for path in index['Import']} == set(METAFILES)
    for path in METAFILES:
        folder = path.parent
        assert {p.stem for p in folder.glob('*.py')} == {
            p.stem for p in PAPERS if p.parent == folder
        }
        page = (folder / 'README.md').read_text()
        linked = re.findall(r'\]\(([\w-]+)\.py\)', page)
        assert set(linked) == {p.stem for p in folder.glob('*.py')}


def rates_of(name):
    """Return rate and decay of every trained parameter of a config."""
    model = build(name)
    wrapper = build_optim_wrapper(model, load(name).optim_wrapper)
    names = {id(param): key for key, param in model.named_parameters()}
    found = {
        names[id(param)]: (group['lr'], group['weight_decay'])
        for group in wrapper.optimizer.param_groups
        for param in group['params']
    }
    trained = {n for n, p in model.named_parameters() if p.requires_grad}
    assert set(found) == trained
    return found, wrapper.optimizer.defaults


# Rates and decays: of the backbone, and what is not decayed.
@pytest.mark.parametrize(
    'name, factor, spared',
    [
        ('aim/vitb16_k400', 1, 'ln_post'),
        ('aim/vitl14_k400', 0.1, None),
        ('aim/swinb_k400', 0.1, None),
        ('evl/vitb16_k400', 1, None),
        ('dualpath/vitb16_k400', 1, None),
        ('petl/vpt_vitb16_k400', 1, None),
        ('petl/full_finetune_vitb16_k400', 0.1, r'class_emb|\.positional'),
    ],
)
def test_rates_and_decays_by_parameter(name, factor, spared):
    found, base = rates_of(name)
    for key, (rate, decay) in found.items():
        slow = factor if key.startswith('backbone.') else 1
        assert rate == pytest.approx(base['lr'] * slow), key
        free = spared and re.search(spared, key)
        assert decay == (0.0 if free else base['weight_decay']), key


@pytest.mark.parametrize('path', goldens('bevt_paramwise*.pt'))
@pytest.mark.parametrize(
    'name, key',
    [
        ('pretrain_swinb_in1k_k400', 'pretrain'),
        ('swinb_k400', 'k400'),
        ('swinb_ssv2', 'ssv2'),
    ],
)
def test_rates_and_decays_are_those_of_bevts_code(path, name, key):
    golden = load_golden(path)
    found, base = rates_of(f'bevt/{name}')
    found = {
        k.replace('backbone.norm3.', 'backbone.norm.'): v
        for k, v in found.items()
    }
    assert set(found) == set(golden[key])
    for param, wanted in golden[key].items():
        assert found[param] == pytest.approx(wanted), param
    assert [base['lr'], base['weight_decay']] == golden[f'{key}_base']


def curve(cfg, length):
    """Learning rates of all iterations, stepped as mmengine's hooks do."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=3e-4)
    schedulers = [
        PARAM_SCHEDULERS.build(
            scheduler,
            default_args=dict(optimizer=optimizer, epoch_length=length),
        )
        for scheduler in cfg.param_scheduler
    ]
    rates = []
    for _ in range(cfg.train_cfg.max_epochs):
        for _ in range(length):
            rates.append(optimizer.param_groups[0]['lr'])
            for scheduler in schedulers:
                if not scheduler.by_epoch:
                    scheduler.step()
        for scheduler in schedulers:
            if scheduler.by_epoch:
                scheduler.step()
    return rates


def cosine(share):
    return (1 + math.cos(math.pi * share)) / 2


# Epochs, iterations of an epoch, warm-up in epochs; the published curve of
# iteration i of n and of epoch e, w being the warm-up; how far mmengine's,
# which counts one iteration less, is off.
CURVES = {
    'aim/vitb16_k400': (
        *(30, 269, 2.5, 3e-3),
        lambda i, n, e, w: min(1, 0.1 + 0.9 * i / w) * cosine(e / 30),
    ),
    'bevt/swinb_k400': (
        *(60, 40, 2.5, 0.02),
        lambda i, n, e, w: min(1, 0.1 + 0.9 * i / w) * cosine(e / 60),
    ),
    'bevt/pretrain_swinb_in1k_k400': (
        *(150, 30, 10, 4e-3),
        lambda i, n, e, w: min(1, 0.1 + 0.9 * i / w) * cosine(i / n),
    ),
    'evl/vitb16_k400': (53, 7, 0, 1e-6, lambda i, n, e, w: cosine(i / n)),
    'dualpath/vitb16_k400': (
        *(50, 40, 3, 0.02),
        lambda i, n, e, w: i / w if i < w else cosine((i - w) / (n - w)),
    ),
    'vivit/b16x2_k400': (
        *(30, 40, 2.5, 0.02),
        lambda i, n, e, w: min(1, i / w) * cosine(i / n),
    ),
}


@pytest.mark.filterwarnings('ignore:Detected call of')
@pytest.mark.parametrize('name', CURVES)
def test_the_learning_rate_follows_the_published_curve(name):
    epochs, length, warm, off, published = CURVES[name]
    rates, total = curve(load(name), length), epochs * length
    assert len(rates) == total
    for i, rate in enumerate(rates):
        wanted = 3e-4 * published(i, total, i // length, warm * length or 1)
        assert rate == pytest.approx(wanted, rel=off, abs=2e-9), i


@pytest.mark.filterwarnings('ignore:Detected call of')
def test_the_learning_rate_is_that_of_a_published_log():
    """3.763e-05 at iteration 19 of 672.5; 2.960e-07 in epoch 50 of 50."""
    rates = curve(load('aim/vitb16_32f_diving48'), 269)
    assert rates[19] == pytest.approx(3.763e-05, rel=1e-3)
    assert rates[-1] == pytest.approx(2.960e-07, rel=1e-3)


def test_the_baselines_share_data_and_schedule_with_aim():
    aim = read(CONFIGS / 'aim/vitb16_k400.py')
    for path in CONFIGS.glob('petl/*.py'):
        cfg = read(path)
        assert all(cfg[key] == aim[key] for key in PIPELINES)
        assert cfg.train_dataloader == aim.train_dataloader
        assert cfg.param_scheduler == aim.param_scheduler
    trunk = set(build('petl/linear_probe_vitb16_k400').state_dict())
    assert trunk < set(build('aim/vitb16_k400').state_dict())


def test_the_official_views_are_options_of_the_command_line():
    """The options of DualPath's README, as the tools read them."""
    page = (CONFIGS / 'dualpath/README.md').read_text()
    command = page.split('on the official views')[1].split('\n#')[0]
    words = shlex.split(command.replace('\\\n', ' '))
    parser = ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    given = words[words.index('--cfg-options') :]
    cfg = load('dualpath/vitb16_k400')
    cfg.merge_from_dict(parser.parse_args(given).cfg_options)
    follow_trunk(cfg.model)
    pre = MODELS.build(cfg.model.data_preprocessor)
    for found, wanted in (
        (pre.mean, [0.485, 0.456, 0.406]),
        (pre.std, [0.229, 0.224, 0.225]),
    ):
        wanted = (torch.tensor(wanted) * 255)[:, None, None, None]
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-3)
    steps = cfg.test_dataloader.dataset.pipeline
    sampling, crop = (TRANSFORMS.build(steps[i]) for i in (1, 4))
    assert sampling.official_starts
    assert repr(crop) == 'SteppedCrops(crop_size=224, num_crops=1)'


def test_vivits_rand_augment_draws_from_colours_and_the_identity():
    augment = TRANSFORMS.build(
        load('vivit/l16x2_fe_ssv2').train_pipeline[5]
    ).augment
    types = [p['type'] for p in augment.policies]
    assert len(types) == 12 and types.count('Invert') == 2
    assert not {'Rotate', 'Shear', 'Translate'} & set(types)
    assert sorted(t.prob for t in augment.transforms) == [0] + 11 * [0.5]
    solarize = augment.transforms[types.index('Solarize')]
    assert solarize.random_magnitude() == pytest.approx(256 * (1 - 20 / 30))


PRETRAINED = [p for p in PAPERS if p.stem.startswith('pretrain_')]


@pytest.fixture(scope='module')
def media(tmp_path_factory):
    folder = tmp_path_factory.mktemp('media')
    image = np.random.default_rng(0).integers(
        0, 256, (280, 300, 3), dtype=np.uint8
    )
    write_video(folder / 'video.mp4', [image] * 20, fps=10)
    cv2.imwrite(str(folder / 'image.jpg'), image)
    return folder


@pytest.mark.parametrize('path', PRETRAINED, ids=name_of)
def test_samples_of_pretraining_fit_the_model(path, media):
    cfg, model = load(path), build(name_of(path))
    backbone, others = model.backbone, cfg.train_cfg.get('other_loaders', [])
    loaders = [cfg.train_dataloader, *others]
    streams = cfg.model.backbone.get('streams', ['video', 'image'])
    assert set(streams) == set(backbone.streams)
    for loader, stream in zip(loaders, streams, strict=True):
        clips = stream == 'video'
        assert loader.batch_size == (4 if clips else 32)
        data = loader.dataset
        data = data.get('dataset', data)
        assert data.pipeline == cfg[f'{stream}_pipeline']
        file = media / ('video.mp4' if clips else 'image.jpg')
        sample = Compose(data.pipeline)(
            dict(
                filename=str(file),
                **dict(label=-1, start_index=0, modality='RGB'),
                **dict(num_clips=1, clip_len=1),
            )
        )
        x, data = sample['inputs'], sample['data_samples']
        assert backbone.stream_of(x[None]) == stream
        times = backbone.num_frames // backbone.span
        assert data.mask.shape == (times,) * clips + (*backbone.mask_grid,)
        assert data.mask.dtype == torch.bool
        size = model.tokenizer_on(torch.device('meta')).input_size
        frames = backbone.num_frames if clips else 1
        assert data.view.shape == (frames, 3, size, size)
    if others:  # an epoch ends with the clips
        assert 1_281_167 * others[0].dataset.times / 32 > 240_436 / 4


def test_stages_start_where_the_paper_says():
    stages = {path.stem for path in PRETRAINED}
    starts = dict(
        swinb_ssv2_supervised='microsoft/swin_base_patch4_window7_224',
        swinb_ssv2_image_stream='bevt/swinb_in1k',
        swinb_ssv2_video_stream='work_dirs/pretrain_swinb_k400/',
        swinb_ssv2_joint_scratch='work_dirs/pretrain_swinb_in1k_k400_scratch/',
        pretrain_timesformer_in1k_k400='work_dirs/pretrain_timesformer_in1k/',
        timesformer_k400='work_dirs/pretrain_timesformer_in1k_k400/',
    )
    for name, start in starts.items():
        cfg = load(f'bevt/{name}')
        found = cfg.load_from or cfg.model.backbone.pretrained
        assert found.startswith(start)
        if start.endswith('/'):
            stage = start.split('/')[1]
            last = load(f'bevt/{stage}').train_cfg.max_epochs
            assert stage in stages
            assert found == f'{start}epoch_{last}.pth'
    # The stages of the TimeSformer are of one model.
    image, joint = (
        load(f'bevt/pretrain_timesformer_{name}').model.backbone
        for name in ('in1k', 'in1k_k400')
    )
    joint.pop('pretrained')
    assert image == dict(joint, streams=('image',))


def test_a_pretrained_timesformer_fits_mmaction2s():
    cfg = load('bevt/timesformer_k400')
    (hook,) = [h for h in cfg.custom_hooks if h.type == 'StrictLoadHook']
    weights = build('bevt/pretrain_timesformer_in1k_k400').state_dict()
    difference = compare(build('bevt/timesformer_k400'), weights)
    assert difference
    assert not difference.without(hook.allow_missing, hook.allow_unknown, [])


def test_data_sets_have_the_names_of_the_first_edition_as_well():
    found = sorted((CONFIGS / '_base_/datasets').glob('*.py'))
    assert len(found) == 13
    for path in found:
        cfg = Config.fromfile(path)
        for part in ('train', 'val', 'test'):
            pipeline = cfg[f'{part}_dataloader'].dataset.pipeline
            assert pipeline == cfg[f'{part}_pipeline'] and len(pipeline) > 5
        size = 32 if path.stem.endswith('_evl') else 8
        assert cfg.train_dataloader.batch_size == size
