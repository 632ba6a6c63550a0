"""ViViT from the weights of image models."""

import re

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from mmvidadapt.methods.vivit.image_weights import inflate_kernel
from mmvidadapt.models import (
    ImageViT,
    ViViT,
    ViViTFactorisedEncoder,
    ViViTFactorisedSelfAttention,
)
from mmvidadapt.weights import to_native
from tests.golden import goldens, load_golden
from tests.methods.vivit_samples import (
    KINDS,
    backbone_of,
    image_model,
    randomize,
    tiny,
)

from .foreign import hf_clip, hf_vit, mmpretrain_vit, openai_clip, timm_vit
from .samples import same

KERNELS = dict(
    central_frame_initializer='central',
    average_frame_initializer='average',
    average_arp_frame_initializer='average_arp',
)
every_init = pytest.mark.parametrize('path', goldens('vivit_init_*.pt'))


def old_names(source):
    """Number the modules as flax did before Linen."""
    numbers = {
        'LayerNorm_1': 'LayerNorm_2',
        'Attention_0': 'Attention_1',
        'MlpBlock_0': 'MlpBlock_3',
        'output_projection': 'head',
    }
    pattern = re.compile('|'.join(numbers))
    return {
        pattern.sub(lambda m: numbers[m[0]], name): value
        for name, value in source.items()
    }


def save_npz(source, path, prefix):
    arrays = {prefix + k: v.numpy() for k, v in old_names(source).items()}
    if prefix:  # a training state
        arrays['opt/state/step'] = np.zeros(())
    np.savez(path, **arrays)


WRITERS = {
    'torch': lambda source, path: torch.save(source, path),
    'npz': lambda source, path: save_npz(source, path, ''),
    'npz of a training state': lambda source, path: save_npz(
        source, path, 'opt/target/'
    ),
}


def model_of_init(golden, **given):
    """Build the backbone of a golden of initialisation."""
    meta = golden['meta']
    _, frames, *size, _ = meta['x_shape']
    config = backbone_of(meta['kwargs'], frames, size)
    kind = KINDS[meta['kwargs']['attention_config']['type']]
    rules = dict(kernel=KERNELS[meta['kernel_init_method']])
    if kind is ViViTFactorisedEncoder:
        rules['class_token'] = False
    if kind is ViViTFactorisedSelfAttention:
        copied = meta['init_from'].get('init_temporal_transformer', True)
        rules['temporal_attention'] = 'copy' if copied else 'zero'
    config.pop('type')
    return kind(**config, inflation=rules, **given)


# Shares of the frames of a tubelet, worked out by hand.
SHARES = {
    ('central', 2): [0, 1],
    ('central', 3): [0, 1, 0],
    ('average', 2): [1 / 2, 1 / 2],
    ('average', 4): [1 / 4, 1 / 4, 1 / 4, 1 / 4],
    ('average_arp', 2): [-1 / 4, 1 / 4],
    ('average_arp', 4): [-29 / 48, 7 / 48, 13 / 48, 9 / 48],
}


@pytest.mark.parametrize('rule, depth', SHARES)
def test_kernels_are_repeated_over_the_frames_of_a_tubelet(rule, depth):
    kernel = torch.randn(8, 3, 4, 4)
    inflated = inflate_kernel(kernel, depth, rule)
    assert inflated.shape == (8, 3, depth, 4, 4)
    for frame, share in zip(inflated.unbind(2), SHARES[rule, depth]):
        assert_close(frame, kernel * share, rtol=1e-6, atol=1e-6)
    one = inflate_kernel(kernel, 1, rule)
    assert torch.equal(one, kernel.unsqueeze(2))


def test_a_rule_of_the_kernel_by_name(tmp_path):
    vit, path = image_model(tmp_path)
    for rule in ('average', 'average_arp'):
        model = tiny(ViViT, pretrained=path, inflation=dict(kernel=rule))
        model.init_weights()
        wanted = inflate_kernel(vit.conv1.weight.detach(), 2, rule)
        assert torch.equal(model.conv1.weight, wanted)
    with pytest.raises(ValueError, match="average_rap.*'average_arp'"):
        tiny(ViViT, inflation=dict(kernel='average_rap'))


@every_init
@pytest.mark.parametrize('container', WRITERS)
def test_image_weights_are_mapped_as_by_the_official_code(
    path, container, tmp_path
):
    golden = load_golden(path)
    name = tmp_path / ('weights.npz' if 'npz' in container else 'weights.pth')
    WRITERS[container](golden['source'], name)
    model = model_of_init(golden, pretrained=str(name))
    fresh = {k: v.clone() for k, v in model.state_dict().items()}
    model.init_weights()
    actual, wanted = model.state_dict(), to_native(golden['state_dict'])
    assert set(actual) == set(wanted)
    new = [k for k in wanted if k.startswith('temporal.')]
    for name, value in wanted.items():
        if name in new:  # drawn at random
            assert torch.equal(actual[name], fresh[name]), name
        else:
            assert torch.equal(actual[name], value), name


def test_zero_output_projection_is_an_identity_that_learns(tmp_path):
    _, path = image_model(tmp_path)
    video = torch.randn(2, 3, 4, 16, 24)
    for rule, learning in (('zero_output', True), ('zero', False)):
        model = tiny(
            ViViTFactorisedSelfAttention,
            pretrained=path,
            inflation=dict(temporal_attention=rule),
        )
        model.init_weights()
        block = model.transformer.resblocks[0]
        x = torch.randn(2, 2, 6, 32)
        assert not block.over_time(x).any()
        if learning:
            assert torch.equal(
                block.attn_time.in_proj_weight, block.attn.in_proj_weight
            )
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            model(video).square().mean().backward()
            optimizer.step()
        moved = bool(block.over_time(x).std(1).any())
        assert moved == learning  # a bias alone tells no time from another
        assert bool(block.attn_time.in_proj_weight.grad.any()) == learning


@pytest.mark.parametrize(
    'out_type, side, columns, given, message',
    [
        ('cls_token', 24, [0, 1, 2], {}, 'positions of 9 tokens.*of 2x3'),
        ('avg_featmap', 24, [0, 1, 2], {}, 'positions of 9 tokens.*of 2x3'),
        # 4 x 4 patches of an image are not 4 steps of 2 x 2.
        (
            *('cls_token', 32, [0, 3]),
            *(dict(img_size=16, num_frames=8), '16 tokens.*grid of 2x2'),
        ),
    ],
)
def test_positions_of_another_grid(
    out_type, side, columns, given, message, tmp_path
):
    torch.manual_seed(0)
    vit = ImageViT(arch='tiny', dialect='imagenet', img_size=side)
    torch.save(vit.state_dict(), tmp_path / 'vit.pth')
    given = dict(given, pretrained=str(tmp_path / 'vit.pth'))
    given['out_type'] = out_type
    with pytest.raises(ValueError, match=f'{message}.*resize'):
        tiny(ViViT, **given).init_weights()
    model = tiny(ViViT, **given, inflation=dict(positions='resize'))
    model.init_weights()
    image = vit.positional_embedding[1:].unflatten(0, (side // 8, -1))
    corners = image[[0, -1]][:, columns].flatten(0, 1)
    pos = model.positional_embedding
    if out_type == 'cls_token':
        assert_close(pos[0], vit.positional_embedding[0])
    steps = given.get('num_frames', 4) // 2
    assert_close(pos[len(pos) % 2 :], corners.repeat(steps, 1))


def test_the_class_token_of_model_2(tmp_path):
    vit, path = image_model(tmp_path)
    for copied in (True, False):
        model = tiny(
            ViViTFactorisedEncoder,
            pretrained=path,
            tubelet_size=1,  # its kernel has no more time than an image's
            inflation=dict(class_token=copied),
        )
        model.init_weights()
        wanted = vit.class_embedding * copied
        assert torch.equal(model.class_embedding, wanted)
        pos = model.positional_embedding
        assert torch.equal(pos, vit.positional_embedding)


def test_clip_and_its_dialect(tmp_path):
    torch.manual_seed(0)
    clip = ImageViT(arch='tiny', img_size=(16, 24)).eval()
    randomize(clip)
    torch.save(clip.state_dict(), tmp_path / 'clip.pth')
    model = tiny(
        ViViTFactorisedEncoder,
        dialect='clip',
        temporal_num_layers=0,
        pretrained=str(tmp_path / 'clip.pth'),
    ).eval()
    model.init_weights()
    frame = torch.randn(2, 3, 1, 16, 24)
    assert_close(
        model(frame.expand(-1, -1, 4, -1, -1)).flatten(1),
        clip(frame).flatten(1),
        rtol=1e-4,
        atol=1e-5,
    )
    with pytest.raises(ValueError, match="ln_pre.*'imagenet' the reverse"):
        tiny(ViViT, pretrained=str(tmp_path / 'clip.pth')).init_weights()


@pytest.mark.parametrize(
    'source', [timm_vit, mmpretrain_vit, openai_clip, hf_vit, hf_clip]
)
def test_image_models_of_every_library(source, tmp_path):
    theirs, ours = source()
    torch.save(theirs, tmp_path / 'image.pth')
    model = ViViT(
        arch=dict(embed_dims=8, num_layers=2, num_heads=2, patch_size=4),
        dialect=dict(
            pre_norm='ln_pre.weight' in ours,
            act='gelu',
            eps=1e-6,
            patch_bias='conv1.bias' in ours,
        ),
        img_size=12,
        num_frames=4,
        pretrained=str(tmp_path / 'image.pth'),
    )
    model.init_weights()
    cls, patches = ours['positional_embedding'].split([1, 9])
    kernel = ours['conv1.weight']
    wanted = dict(
        ours,
        positional_embedding=torch.cat([cls, patches, patches]),
        **{'conv1.weight': torch.stack([0 * kernel, kernel], dim=2)},
    )
    same(model.state_dict(), wanted)
