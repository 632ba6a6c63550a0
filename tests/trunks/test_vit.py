"""The image trunk: OpenAI's CLIP, real weights, sizes, what is trained."""

import copy

import pytest
import torch
import torch.nn.functional as F
from einops import rearrange
from torch.testing import assert_close

from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.models import ImageViT
from mmvidadapt.trunks.parts.lean import use_equation_
from mmvidadapt.weights import load_pretrained, to_native
from tests.golden import SHARED, assert_output, goldens, load_golden

VIDEO = (2, 3, 4, 16, 24)  # (B, 3, T, H, W)
REAL = SHARED / 'data/weights/dinov2_vits14_as_clip_visual_fp16.pt'
DINO = dict(pre_norm=False, act='gelu', eps=1e-6, patch_bias=False)


def tiny_vit(**kwargs):
    torch.manual_seed(0)
    return ImageViT(**{**dict(arch='tiny', img_size=VIDEO[-2:]), **kwargs})


def of_golden(golden):
    official = golden['meta']['kwargs']
    width = official['vision_width']
    return ImageViT(
        arch=dict(
            embed_dims=width,
            num_layers=official['vision_layers'],
            num_heads=width // 64,  # as in all of OpenAI's models
            patch_size=official['vision_patch_size'],
        ),
        img_size=official['image_resolution'],
    ).eval()


@pytest.mark.parametrize('path', goldens('clip_visual_*.pt'))
@pytest.mark.parametrize('as_file', [True, False])
def test_matches_openais_image_tower(path, as_file, tmp_path):
    golden = load_golden(path)
    clip, images = golden['state_dict'], golden['input']
    vit = of_golden(golden)
    if as_file:
        torch.save(clip, tmp_path / 'clip.pt')
        load_pretrained(vit, str(tmp_path / 'clip.pt'))
    else:
        vit.load_state_dict(to_native(clip, 'vit'), strict=True)
    frames = vit(images[:, :, None])  # (B, C, 1, 1, 1)
    if 'intermediates' in golden:
        assert_output(
            frames.flatten(1), golden['intermediates']['ln_post_cls']
        )
    assert_output(frames.flatten(1) @ clip['visual.proj'], golden['output'])

    clips = rearrange(images, 'b c h w -> 1 c b h w')
    assert_close(vit(clips)[0, :, :, 0, 0].T, frames.flatten(1))


@pytest.mark.parametrize('dialect', ['clip', 'imagenet'])
def test_every_frame_is_encoded_by_itself(dialect):
    vit = tiny_vit(dialect=dialect)
    video = torch.randn(VIDEO)
    features = vit(video)
    assert features.shape == (2, 32, 4, 1, 1)
    for b in range(2):
        for t in range(4):
            alone = vit(video[b : b + 1, :, t : t + 1])
            assert_close(features[b : b + 1, :, t : t + 1], alone)


@pytest.mark.parametrize('dialect', ['clip', 'imagenet'])
def test_frozen_it_trains_and_keeps_nothing(dialect):
    vit = tiny_vit(dialect=dialect).train()
    assert not any(p.requires_grad for p in vit.parameters())
    video = torch.randn(VIDEO)
    assert saved_bytes(vit, lambda: vit(video)) == 0
    assert not vit(video).requires_grad


@pytest.mark.parametrize('dialect', ['clip', 'imagenet'])
def test_patches_run_row_by_row(dialect):
    vit = tiny_vit(dialect=dialect)
    assert vit.patch_grid == (2, 3)
    video = torch.randn(VIDEO)
    images = rearrange(video, 'b c t h w -> (b t) c h w')
    patches = vit.conv1(images).flatten(2).mT  # (B*T, N, C)
    tokens = vit.embed(video)
    assert_close(tokens[:, 1:], patches + vit.positional_embedding[1:])
    cls = vit.class_embedding + vit.positional_embedding[0]
    assert_close(tokens[:, 0], cls.expand(len(images), -1))


def test_sizes_of_frames():
    with torch.device('meta'):
        assert ImageViT(arch='large-p14').patch_grid == (16, 16)
        assert ImageViT(arch='large-p14-336').patch_grid == (24, 24)
        assert ImageViT(arch='base-p32', img_size=(64, 96)).patch_grid == (
            2,
            3,
        )


def test_a_random_frozen_trunk_is_pointed_out(tmp_path):
    with pytest.warns(UserWarning, match='ImageViT: the frozen trunk has ran'):
        tiny_vit().init_weights()
    source = tiny_vit()
    torch.nn.init.normal_(source.ln_post.bias)
    torch.save(source.state_dict(), tmp_path / 'tiny.pth')
    vit = tiny_vit(pretrained=str(tmp_path / 'tiny.pth'))
    vit.init_weights()
    assert torch.equal(vit.ln_post.bias, source.ln_post.bias)


@pytest.fixture(scope='module')
def picture():
    """Give a smooth picture: (1, 3, 1, 112, 112), normalised."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(1, 3, 7, 7, generator=generator)
    return F.interpolate(coarse, (112, 112), mode='bicubic')[:, :, None]


def real_vit(**traits):
    """Build the real trunk for 112 px."""
    vit = ImageViT(
        arch='small-p14', img_size=112, dialect=dict(DINO, **traits)
    ).eval()
    load_pretrained(vit, str(REAL))
    return vit


@pytest.mark.skipif(not REAL.is_file(), reason=f'{REAL} is not here')
def test_real_weights_tell_the_dialect(picture):
    vit = real_vit()
    features = vit(picture)
    equation = use_equation_(copy.deepcopy(vit))
    assert_output(features, equation(picture).detach())
    wrong = real_vit(act='quick_gelu')(picture)
    assert (wrong - features).norm() > 0.05 * features.norm()
    with pytest.raises(ValueError, match='missing.*ln_pre(.|\n)*dialect'):
        real_vit(pre_norm=True)
    for full in (False, True):  # the trunk's own parts, which were folded
        row = ImageViT(
            trunk='facebook/dinov2-small',
            pretrained=str(REAL),
            img_size=112,
            full_finetune=full,
        ).eval()
        row.init_weights()
        assert_output(row(picture).detach(), features.detach())


def test_drop_path_of_a_frozen_trunk_stays_off():
    torch.manual_seed(0)
    options = dict(arch='tiny', img_size=VIDEO[-2:], drop_path_rate=0.5)
    frozen, video = ImageViT(**options), torch.randn(VIDEO)
    assert frozen.train() is frozen
    assert_close(frozen(video), frozen(video), rtol=0, atol=0)
    trained = ImageViT(**options, full_finetune=True).train()
    assert (trained(video) != trained(video)).any()
