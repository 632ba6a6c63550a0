"""Operation counts against sums written out by hand."""

import pytest
import torch
from fvcore.nn import FlopCountAnalysis
from mmaction.registry import MODELS

from mmvidadapt.apis.inspect.complexity import count_flops, count_params
from mmvidadapt.models import AIM, ImageViT
from mmvidadapt.trunks.dialects import DIALECTS

C, LAYERS, FRAMES, PATCH = 32, 2, 4, 8
SHAPE = (2, 3, FRAMES, 24, 32)
ROWS, TOKENS = 2 * FRAMES, 1 + 3 * 4  # B*T frames of 1+N tokens


def attention(sequences, length, queries=None):
    """QK' and AV of all heads."""
    return 2 * sequences * (queries or length) * length * C


def by_hand():
    """AIM as the paper writes it, one temporal adapter."""
    x = ROWS * TOKENS
    temporal = 4 * x * C * C + attention(2 * TOKENS, FRAMES)
    spatial = 4 * x * C * C + attention(ROWS, TOKENS)
    adapters, mlp = 3 * 2 * x * C * C // 4, 8 * x * C * C
    patches = ROWS * (TOKENS - 1) * 3 * PATCH**2 * C
    return patches + LAYERS * (temporal + spatial + adapters + mlp)


def saved():
    """What the code does not compute."""
    x, rest = ROWS * TOKENS, ROWS * (TOKENS - 1)
    # The temporal projection becomes one product of the matrices.
    fold = LAYERS * (x * C * C - C**3 // 4)
    # The last block is computed for class tokens only.
    last = rest * (2 + 0.5 + 8 + 0.5) * C * C + attention(
        ROWS, TOKENS, TOKENS - 1
    )
    return fold + last


def build(device='cpu', backbone=AIM, **kwargs):
    with torch.device(device):
        return backbone(arch='tiny', img_size=SHAPE[-2:], **kwargs)


@pytest.mark.parametrize('device', ['cpu', 'meta'])
def test_counts_of_aim_are_the_sums_by_hand(device):
    model = build(device, num_frames=FRAMES)
    assert count_flops(model, SHAPE, as_published=True) == by_hand()
    # The last spatial projection and adapter are too small to fold.
    assert count_flops(model, SHAPE) == pytest.approx(
        by_hand() - saved(), rel=0.02
    )


def test_counts_of_the_frame_wise_baseline():
    x = ROWS * TOKENS
    expected = ROWS * (TOKENS - 1) * 3 * PATCH**2 * C + LAYERS * (
        12 * x * C * C + attention(ROWS, TOKENS)
    )
    model = build(backbone=ImageViT)
    assert count_flops(model, SHAPE, as_published=True) == expected


def test_counts_of_gated_mlps_and_of_an_attention_pool():
    gated = dict(pre_norm=False, act='swiglu', eps=1e-6, patch_bias=True)
    pool = dict(pool='map', pool_heads=4, pool_mlp_ratio=2.0)
    dialect = dict(gated, **pool, cls_token=False, rotary='pe', sub_norm=True)
    x = ROWS * (TOKENS - 1)
    patches, rows = x * 3 * PATCH**2 * C, ROWS * C * C
    blocks = (4 + 8 + 4) * x * C * C + attention(ROWS, TOKENS - 1)
    read = 2 * x * C * C + attention(ROWS, TOKENS - 1, 1) + (2 + 4 + 2) * rows
    for lean in (True, False):
        model = build(backbone=ImageViT, dialect=dialect, lean=lean)
        assert count_flops(model, SHAPE) == patches + LAYERS * blocks + read


def test_a_large_layer_counts_whatever_library_computes_it():
    """Layers of more than a million operations may take another operator."""
    model = build(num_frames=FRAMES)
    once = count_flops(model, SHAPE, as_published=True)
    assert count_flops(model, (64, *SHAPE[1:]), True) == 32 * once


def test_a_recognizer_is_counted_with_its_head():
    recognizer = MODELS.build(
        dict(
            type='Recognizer3D',
            backbone=dict(
                type='AIM', arch='tiny', img_size=SHAPE[-2:], num_frames=FRAMES
            ),
            cls_head=dict(type='Float32I3DHead', num_classes=7, in_channels=C),
        )
    )
    alone = count_flops(recognizer.backbone, SHAPE)
    assert count_flops(recognizer, SHAPE) == alone + 2 * C * 7


@pytest.mark.parametrize('rotary', [None, 'pe'])
def test_the_model_is_left_as_it_was(rotary):
    dialect = dict(DIALECTS['clip'], rotary=rotary)
    model = build(num_frames=FRAMES, dialect=dialect).train()
    model.ln_post.eval()
    video = torch.randn(SHAPE)
    modes = [m.training for m in model.modules()]
    expected = model(video)
    for as_published in (True, False):
        count_flops(model, SHAPE, as_published)
    assert [m.training for m in model.modules()] == modes
    assert torch.equal(model(video), expected)
    assert not any(
        m._forward_hooks or m._forward_pre_hooks for m in model.modules()
    )


def test_count_params():
    model = build(backbone=ImageViT)
    assert count_params(model) == (
        sum(p.numel() for p in model.parameters()),
        0,
    )
    assert count_params(build(backbone=ImageViT, full_finetune=True)) == (
        2 * (count_params(model).total,)
    )


def test_a_wrong_shape_says_what_to_give():
    with pytest.raises(ValueError, match=r'give \(B, 3, T, H, W\)'):
        count_flops(build(num_frames=FRAMES), (3, 224, 224))


def attention_of_fvcore(inputs, outputs):
    """Both products of an attention, which fvcore does not know."""
    (batch, heads, queries, dims), (_, _, keys, _) = (
        value.type().sizes() for value in inputs[:2]
    )
    return 2 * batch * heads * queries * keys * dims


@pytest.mark.parametrize('build', [AIM, ImageViT])
def test_fvcore_counts_the_same(build):
    # fvcore counts what is traced, the equation.
    arch = dict(embed_dims=C, num_layers=LAYERS, num_heads=2, patch_size=8)
    frames = dict(num_frames=FRAMES) if build is AIM else {}
    model = build(arch=arch, img_size=SHAPE[-2:], **frames).eval()
    theirs = FlopCountAnalysis(model, torch.randn(SHAPE))
    theirs.unsupported_ops_warnings(False).tracer_warnings('none')
    theirs.set_op_handle(
        'aten::scaled_dot_product_attention', attention_of_fvcore
    )
    products = theirs.by_operator()
    del products['layer_norm']  # not a product
    counted = count_flops(model, SHAPE, as_published=True)
    assert sum(products.values()) == counted
