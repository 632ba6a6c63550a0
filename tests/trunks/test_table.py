"""One word names a trunk, and what it brings and refuses."""

import sys
from argparse import ArgumentParser
from subprocess import run

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config, ConfigDict
from mmengine.registry import DefaultScope

from mmvidadapt.__main__ import main
from mmvidadapt.apis.inspect.complexity import count_params
from mmvidadapt.apis.inspect.trunk_cost import trunk_cost
from mmvidadapt.apis.train.config import load_config
from mmvidadapt.apis.train.image_size import (
    change_trunk,
    check_crops,
    image_size,
    last_size,
    pipelines,
)
from mmvidadapt.apis.train.options import add_common_arguments, read_config
from mmvidadapt.engine.adapters import make_adapter
from mmvidadapt.trunks.follow_trunk import follow_trunk
from mmvidadapt.trunks.listing import weights_at
from mmvidadapt.trunks.row import CLIP, FLAX, HALF, IMAGENET
from mmvidadapt.trunks.rows.figures import FIGURES
from mmvidadapt.trunks.table import MIRRORS, TRUNKS, find_trunk
from mmvidadapt.weights.fetch.sources import SOURCES
from tests.tools.processes import call

VIT = 'openai/ViT-B-16'
SWIN = 'microsoft/swin_base_patch4_window7_224'
KINDS = dict(
    vit=(
        'ImageViT AIM EVL DualPath VPT AdaptFormer STAdapter LoRA ViViT '
        'ViViTFactorisedEncoder ViViTFactorisedSelfAttention '
        'ViViTFactorisedDotProduct'
    ),
    swin='AIMSwin BEVTSwin',
    vivit='ViViT ViViTFactorisedDotProduct',
    vivit_fe='ViViTFactorisedEncoder',
    video_swin='BEVTSwin BEVTVideoSwin',
    vjepa='VJEPA2',
)
NOT_TRUNKS = ('dalle/', 'openmmlab/', 'aim/', 'evl/')


def build(**config):
    """Build without memory."""
    scope = DefaultScope.overwrite_default_scope('mmaction')
    # mmaction2's Video Swin reads values of tensors that it makes.
    device = 'cpu' if config['type'] == 'BEVTVideoSwin' else 'meta'
    with scope, torch.device(device):
        return MODELS.build(ConfigDict(config))


def model(trunk=VIT, head=None, pixels=None, kind='Adapted', **backbone):
    """Build a recognizer of AIM."""
    backbone = dict(type='AIM', trunk=trunk, pretrained=None) | backbone
    head = dict(type='Float32I3DHead', num_classes=3) | (head or {})
    config = dict(backbone=backbone, cls_head=head)
    if pixels is not None:
        config['data_preprocessor'] = dict(
            type='ActionDataPreprocessor', format_shape='NCTHW', **pixels
        )
    kind = f'{kind}Recognizer' if kind == 'Adapted' else kind
    return build(type=kind, **config)


def test_every_row_fits_a_backbone_and_plain_ones_every_method():
    """Methods on the other families are the matrix's."""
    rows = {}
    for name, row in TRUNKS.items():  # equal ones once
        key = row.family, str(row.arch), str(row.dialect), row.img_size
        rows.setdefault(key, (name, row))
    dialects = 'clip', 'imagenet', FLAX, None
    plain = {(f, str(d)) for f in KINDS for d in dialects}
    for name, row in rows.values():
        kinds = KINDS[row.family].split()
        key = row.family, str(row.dialect)
        for kind in kinds if key in plain else kinds[:1]:
            backbone = build(type=kind, trunk=name)
            assert backbone.pretrained == row.weights == name
            sizes = getattr(backbone, 'patch_grid', None)
            if sizes:
                side = sizes[0] * backbone.patch_size
                assert (side, backbone.embed_dims) == (row.img_size, row.width)
            else:
                assert backbone.img_size == (row.img_size, row.img_size)
                last = getattr(backbone, 'norm', None) or backbone.norm3
                assert last.weight.shape == (row.width,)
            if kind == 'ImageViT':
                params = count_params(backbone).total
                assert FIGURES[name, row.img_size][0] == params, name
        plain.discard(key)
    assert not {('vit', 'clip'), ('swin', 'None')} & plain


def test_counts_are_the_published_ones():
    """GMACs of all but norms, softmax and activations."""
    for name, row in TRUNKS.items():
        if row.published is None or row.published.img_size is None:
            continue
        params, macs = FIGURES[name, row.published.img_size]
        whole = (params + row.published.extra) / 1e6
        assert abs(whole / row.published.params - 1) < 1e-3, name
        assert -6e-3 < macs / 1e9 / row.published.gmacs - 1 <= 0, name


@pytest.mark.parametrize(
    'name, size',
    [
        (VIT, 224),
        (SWIN, 224),
        ('facebook/dinov2-small', 518),
        ('facebook/PE-Core-T16-384', 384),
        ('google/siglip2-base-patch32-256', 256),
        ('timm/eva02_base_patch16_clip_224.merged2b', 224),
    ],
)
def test_figures_are_counted_again(name, size):
    assert trunk_cost(name, size) == FIGURES[name, size]


def test_other_names_of_a_trunk():
    mirror = 'timm/vit_base_patch16_dinov3_qkvb.lvd1689m'
    long = 'facebook/dinov3-vitb16-pretrain-lvd1689m'
    row, other = find_trunk('facebook/dinov3-vitb16'), find_trunk(mirror)
    assert row == find_trunk(long) == TRUNKS[long]
    assert other == row._replace(name=mirror, weights=mirror)
    assert build(type='AIM', trunk=mirror).pretrained == mirror
    assert SOURCES[mirror].hub.repo == mirror
    assert SOURCES[long].hub.gated and SOURCES[long].hub.instead == mirror
    assert len({*TRUNKS, *MIRRORS}) == len(TRUNKS) + len(MIRRORS)


def test_trunks_are_listed_without_pytorch(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv('MMVIDADAPT_HOME', str(tmp_path))
    (tmp_path / 'weights').mkdir()
    for file in ('facebook_dinov2-base.pth', 'facebook_dinov2-small.lock'):
        (tmp_path / 'weights' / file).touch()
    assert main(['trunks', 'DINOv2', 'apache']) == 0
    lines = capsys.readouterr().out.splitlines()
    table = {line.split()[0]: line.split() for line in lines[1:9]}
    base = table['facebook/dinov2-base']
    assert base[1:4] + base[-1:] == ['85.7', '23.2', '224', 'kept']
    assert table['facebook/dinov2-small'][-1] == 'download'
    assert not lines[9]
    states = {row.name: weights_at(row) for row in TRUNKS.values()}
    assert states['facebook/dinov3-vitl16-pretrain-sat493m'] == 'gated'
    by_hand = {name for name, state in states.items() if state == 'by hand'}
    assert by_hand == {n for n in TRUNKS if SOURCES[n].by_hand}
    assert main(['trunks', 'nothing', 'like it']) == 1
    assert "'nothing' and 'like it'" in capsys.readouterr().err
    code = (
        'import sys, runpy; sys.argv[1:] = ["trunks"]\n'
        'try: runpy.run_module("mmvidadapt", run_name="__main__")\n'
        'finally: assert "torch" not in sys.modules'
    )
    run([sys.executable, '-c', code], check=True, capture_output=True)


def test_every_alias_of_a_trunk_has_a_row():
    aliases = {n for n in SOURCES if not n.startswith(NOT_TRUNKS)}
    aliases -= {n for n in aliases if n.endswith(('-ssv2', '-diving48'))}
    assert aliases == {*TRUNKS, *MIRRORS}
    for row in TRUNKS.values():
        assert row.licence == SOURCES[row.weights].licence, row.name


@pytest.mark.parametrize(
    'name, pixels',
    [
        (VIT, CLIP),
        ('timm/jx_vit_base_patch16_224_in21k', HALF),
        ('facebook/dinov2-small', IMAGENET),
        (dict(name=VIT, mean=IMAGENET[0], std=IMAGENET[1]), IMAGENET),
    ],
)
def test_what_follows_is_filled_in(name, pixels):
    config = dict(backbone=dict(type='AIM', trunk=name), cls_head={})
    follow_trunk(config)
    found = config['data_preprocessor']
    assert (found['mean'], found['std']) == tuple(map(list, pixels))
    assert found['format_shape'] == 'NCTHW'
    width = 384 if 'dino' in str(name) else 768
    assert config['cls_head']['in_channels'] == width
    built = model(name)
    assert built.cls_head.in_channels == width
    assert built.data_preprocessor.mean.shape == (3, 1, 1, 1)


def test_two_paths_are_twice_as_wide_and_projected():
    for wanted, more in ((1536, {}), (1024, dict(output_dims=512))):
        backbone = dict(type='DualPath', trunk=VIT, **more)
        for paths, factor in ((None, 1), (('spatial',), 2)):
            backbone |= {} if paths is None else dict(paths=paths)
            config = dict(backbone=backbone, cls_head={})
            assert follow_trunk(config)['cls_head']['in_channels'] == (
                wanted // factor
            )


def test_a_probe_is_as_wide_as_it_projects():
    for kind, trunk, width in (
        ('AttentiveProbe', VIT, 768),
        ('VJEPA2', 'facebook/vjepa2-vitl-fpc64-256', 1024),
    ):
        for pooler in (None, dict(num_layers=1), dict(embed_dims=512)):
            backbone = dict(type=kind, trunk=trunk, pooler=pooler)
            config = follow_trunk(dict(backbone=backbone, cls_head={}))
            wanted = (pooler or {}).get('embed_dims', width)
            assert config['cls_head']['in_channels'] == wanted


def test_without_a_trunk_nothing_is_filled_in():
    config = dict(backbone=dict(type='AIM', arch='tiny'), cls_head={})
    assert follow_trunk(dict(config)) == config


def test_what_stands_beside_a_trunk():
    own = build(type='AIM', trunk=VIT, pretrained='mine.pth', img_size=112)
    assert own.pretrained == 'mine.pth' and own.patch_grid == (7, 7)
    assert build(type='AIM', trunk=VIT, pretrained=None).pretrained is None
    assert build(type='AIM', trunk=VIT, arch='base-p16', dialect='clip')
    assert model(pixels=dict(mean=[122.769, 116.74, 104.04]))  # AIM's own


def test_other_sizes_and_weights_take_the_place_of_a_trunk():
    """So configs of the first edition were written on top of ours."""
    other = dict(arch='tiny', pretrained='mine.pth', img_size=32)
    built = model(
        head=dict(in_channels=32), pixels=dict(mean=[1] * 3), **other
    )
    assert built.backbone.embed_dims == 32 and built.backbone.published is None
    config = dict(backbone=dict(type='AIM', trunk=VIT, **other), cls_head={})
    assert follow_trunk(config)['data_preprocessor']['mean'] == list(CLIP[0])


@pytest.mark.parametrize(
    'backbone, words',
    [
        (dict(trunk='openai/ViT-B16'), ['ViT-B-16', 'Did you mean']),
        (dict(trunk=dict(mean=[0, 0, 0])), ['no trunk None']),
        (dict(trunk=dict(name=VIT, width=3)), ['width', 'cannot differ']),
        (
            dict(trunk=VIT, arch='base-p32'),
            ['patch_size=32 against 16', VIT, 'Leave arch out'],
        ),
        (
            dict(trunk=VIT, dialect='imagenet'),
            ["act='gelu' against 'quick_gelu'", VIT],
        ),
        (
            dict(trunk='bevt/swinb_in1k'),
            ["'video_swin', and AIM takes 'vit'", 'BEVTVideoSwin'],
        ),
        (
            dict(type='AIMSwin', trunk=VIT),
            ["'vit', and AIMSwin takes 'swin'", 'microsoft/', 'AIM'],
        ),
        (
            dict(type='ViViT', trunk='vivit/b16x2_fe_k400'),
            ['ViViTFactorisedEncoder'],
        ),
    ],
)
def test_a_backbone_refuses(backbone, words):
    with pytest.raises(ValueError) as error:
        build(**(dict(type='AIM') | backbone))
    assert all(word in str(error.value) for word in words), error.value


@pytest.mark.parametrize(
    'parts, words',
    [
        (dict(head=dict(in_channels=384)), ['=384', '=768', VIT]),
        (
            dict(pixels=dict(mean=list(IMAGENET[0]))),
            ['123.675', '122.771', 'backbone.trunk=dict(name='],
        ),
        (dict(pixels=dict(mean=None)), ['mean=None', '122.771']),
        (dict(pixels=dict(std=[1, 1, 1])), ['std=[1, 1, 1]', '68.501']),
        (
            dict(kind='Recognizer3D', head=dict(in_channels=768)),
            ['AdaptedRecognizer', '122.771'],
        ),
    ],
)
def test_a_recognizer_refuses(parts, words):
    with pytest.raises(ValueError) as error:
        model(**parts)
    assert all(word in str(error.value) for word in words), error.value


def test_mmaction2s_recognizer_is_checked_too():
    config = dict(
        type='Recognizer3D',
        backbone=dict(type='AIM', trunk='facebook/dinov2-small')
        | dict(pretrained=None, img_size=28),
        cls_head=dict(type='I3DHead', num_classes=3, in_channels=384),
    )
    pixels = dict(type='ActionDataPreprocessor', format_shape='NCTHW')
    with DefaultScope.overwrite_default_scope('mmaction'):
        for (mean, std), good in ((IMAGENET, True), (CLIP, False)):
            given = dict(pixels, mean=mean, std=std)
            if good:
                assert MODELS.build(dict(config, data_preprocessor=given))
                continue
            with pytest.raises(ValueError, match='122.77.*123.675'):
                MODELS.build(dict(config, data_preprocessor=given))


@pytest.mark.parametrize(
    'name, trunk, size, channels',
    [
        ('aim/vitb16_k400', 'openai/ViT-L-14-336px', 336, 1024),
        ('evl/vitl14-336_32f_k400', 'facebook/dinov2-small', 224, 384),
        ('dualpath/vitl14_k400', VIT, 224, 1024),
        ('vivit/b16x2_k400', 'scenic/ViT_L_16_ImageNet21k', 224, 1024),
        ('aim/swinb_k400', SWIN, 224, 1024),
    ],
)
def test_another_trunk_in_a_config(name, trunk, size, channels):
    """`--trunk` of the tools: all that follows is the other trunk's."""
    weights = {'model.backbone.pretrained': None}
    config = load_config(name, weights, trunk)
    check_crops(config)
    assert last_size(config.test_pipeline) == (size, size)
    assert config.model.cls_head.in_channels == channels
    mean = config.model.data_preprocessor.mean
    assert tuple(mean) == TRUNKS[trunk].mean
    backbone = build(**config.model).backbone
    assert backbone.published == TRUNKS[trunk]
    assert image_size(config.model.backbone) == (size, size)


def test_crops_must_be_as_large_as_the_trunks_images():
    config = load_config('aim/vitb16_k400', trunk=VIT)
    for steps in pipelines(config).values():
        assert last_size(steps) == (224, 224)
    assert last_size([dict(type='Resize', scale=(-1, 256))]) is None
    assert last_size(
        [dict(type='Resize', scale=(8, 6), keep_ratio=False)]
    ) == ((6, 8))
    config.model.backbone.img_size = 160
    with pytest.raises(ValueError, match=r'train.*224 x 224.*160 x 160.*=224'):
        check_crops(config)
    with pytest.raises(ValueError, match='no model.backbone'):
        change_trunk(Config(dict(model=None)), VIT)
    swin = 'microsoft/swin_base_patch4_window7_224'
    with pytest.raises(ValueError, match="'swin'.*is of 'vit'"):
        change_trunk(config, swin)


def test_a_config_is_printed_with_the_numbers_of_a_trunk(capsys):
    words = ['config', 'aim/vitb16_k400', '--trunk', 'openai/ViT-L-14']
    assert main(words) == 0
    printed = Config.fromstring(capsys.readouterr().out, '.py')
    assert printed.model.cls_head.in_channels == 1024
    assert tuple(printed.model.data_preprocessor.std) == CLIP[1]
    assert main([*words[:-1], 'openai/ViT-L-15']) == 1
    assert 'Did you mean' in capsys.readouterr().err


def test_the_docs_list_the_trunks(monkeypatch):
    call(monkeypatch, 'trunks.py', '--check')


def test_the_tools_take_a_trunk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parser = ArgumentParser()
    add_common_arguments(parser)
    parser.add_argument('config')
    words = ['aim/vitb16_k400', '--trunk', f'{VIT}=own.pt']
    backbone = read_config(parser.parse_args(words)).model.backbone
    assert (backbone.trunk, backbone.pretrained) == (VIT, 'own.pt')
    words += ['--cfg-options', 'model.backbone.img_size=160']
    with pytest.raises(ValueError, match='224 x 224.*160 x 160'):
        read_config(parser.parse_args(words))


def test_an_adapter_file_names_the_trunks_weights():
    config = dict(model=dict(backbone=dict(type='AIM', trunk=VIT)))
    state = dict(a=torch.zeros(1), b=torch.zeros(1))
    assert make_adapter((['a'], ['b']), state, config).trunk['source'] == VIT


def test_what_is_dropped_follows_the_dialect():
    jax = 'scenic/ViT_B_16_ImageNet1k'
    for trunk, per in ((VIT, 'token'), (jax, 'frame')):
        aim = build(type='AIM', trunk=trunk, drop_path_mode='official')
        assert aim.transformer.resblocks[0].drop_path.per == per


def test_other_sizes_and_weights_leave_the_dialect():
    """As configs said it that are written on top of ours."""
    own = dict(arch='tiny', pretrained=None)
    aim = build(type='AIM', trunk='scenic/ViT_B_16_ImageNet1k', **own)
    assert (aim.embed_dims, aim.published) == (32, None)
    assert isinstance(aim.ln_pre, torch.nn.Identity)
