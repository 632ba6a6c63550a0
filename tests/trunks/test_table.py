"""One word names a trunk, and what it brings and refuses."""

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope

from mmvidadapt.methods.follow_trunk import follow_trunk
from mmvidadapt.trunks.table import CLIP, HALF, IMAGENET, TRUNKS
from mmvidadapt.weights.fetch.sources import SOURCES

VIT = 'openai/ViT-B-16'
KINDS = dict(
    vit=(
        'ImageViT AIM EVL DualPath VPT AdaptFormer STAdapter LoRA ViViT '
        'ViViTFactorisedEncoder ViViTFactorisedSelfAttention '
        'ViViTFactorisedDotProduct'
    ),
    swin='AIMSwin',
    vivit='ViViT ViViTFactorisedDotProduct',
    vivit_fe='ViViTFactorisedEncoder',
    video_swin='',
)
NOT_TRUNKS = ('dalle/', 'openmmlab/', 'aim/', 'evl/')


def build(**config):
    """Build without memory."""
    scope = DefaultScope.overwrite_default_scope('mmaction')
    with scope, torch.device('meta'):
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


@pytest.mark.parametrize('name', TRUNKS)
def test_every_row_fits_every_method_of_its_family(name):
    row = TRUNKS[name]
    weights = {} if row.weights else dict(pretrained=None)
    for kind in KINDS[row.family].split():
        backbone = build(type=kind, trunk=name, **weights)
        assert backbone.pretrained == row.weights
        sizes = getattr(backbone, 'patch_grid', None)
        if sizes:
            side = sizes[0] * backbone.patch_size
            assert (side, backbone.embed_dims) == (row.img_size, row.width)
        else:
            assert backbone.img_size == (row.img_size, row.img_size)
            assert backbone.norm.weight.shape == (row.width,)


def test_every_alias_of_a_trunk_has_a_row():
    aliases = {n for n in SOURCES if not n.startswith(NOT_TRUNKS)}
    assert aliases == {row.weights for row in TRUNKS.values()} - {None}
    for row in filter(lambda row: row.weights, TRUNKS.values()):
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


def test_without_a_trunk_nothing_is_filled_in():
    config = dict(backbone=dict(type='AIM', arch='tiny'), cls_head={})
    assert follow_trunk(dict(config)) == config


def test_what_stands_beside_a_trunk():
    own = build(type='AIM', trunk=VIT, pretrained='mine.pth', img_size=112)
    assert own.pretrained == 'mine.pth' and own.patch_grid == (7, 7)
    assert build(type='AIM', trunk=VIT, pretrained=None).pretrained is None
    assert build(type='AIM', trunk=VIT, arch='base-p16', dialect='clip')
    assert model(pixels=dict(mean=[122.769, 116.74, 104.04]))  # AIM's own


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
        (dict(trunk='facebook/dinov2-small'), ['no download', 'pretrained=']),
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
