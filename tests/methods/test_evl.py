"""EVL: how it starts, the precision and the memory of its trunk, its head."""

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch.testing import assert_close

from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.models import EVL
from tests.golden import goldens, load_golden
from tests.methods.cases.evl import load_official, recognizer
from tests.methods.evl_processes import features

VIDEO = (2, 3, 4, 16, 24)  # (B, 3, T, H, W)
every_golden = pytest.mark.parametrize('path', goldens('evl_*.pt'))


def tiny_evl(**kwargs):
    torch.manual_seed(0)
    given = dict(
        arch='tiny', img_size=VIDEO[-2:], num_frames=4, decoder_num_layers=2
    )
    return EVL(**{**given, **kwargs})


def randomize(module):
    for param in module.parameters():
        if param.requires_grad:
            torch.nn.init.normal_(param, std=0.2)


@pytest.mark.parametrize('dtype', ['fp16', 'bf16'])
@every_golden
def test_half_precision_trunk(path, dtype):
    golden = load_golden(path)
    if 'output_fp16_trunk' not in golden:
        pytest.skip('this golden has no frozen trunk')
    model = recognizer(golden, trunk_dtype=dtype)
    load_official(model, golden)
    for name, param in model.backbone.trunk().items():
        half = model.backbone.trunk_dtype
        assert param.dtype == (torch.float32 if 'ln_' in name else half)
    assert all(
        p.dtype == torch.float32 for p in model.backbone.decoder.parameters()
    )
    scores = model(golden['input'][:, None], stage='head')
    assert scores.dtype == torch.float32
    # The official half-precision trunk moves the scores by 2e-3 to 5e-3;
    # bf16 has three bits less, an error about eight times as large.
    atol = dict(fp16=5e-3, bf16=6e-2)[dtype]
    assert_close(scores, golden['output_fp16_trunk'], rtol=0, atol=atol)
    assert not torch.equal(scores, golden['output'])


@pytest.mark.parametrize('lean', [True, False])
def test_autocast_leaves_a_trunk_in_half_precision_as_it_is(lean):
    evl = tiny_evl(trunk_dtype='bf16', lean=lean).eval()
    randomize(evl)
    video, taps = torch.randn(VIDEO), []
    for enabled in (False, True):
        with torch.autocast('cpu', dtype=torch.float16, enabled=enabled):
            taps.append(list(evl.taps(video)))
    for (x, attention), (y, other) in zip(*taps):
        assert x.dtype == torch.bfloat16 and attention.dtype == torch.float32
        assert torch.equal(x, y) and torch.equal(attention, other)


def test_the_frozen_trunk_adds_nothing_to_what_is_saved():
    saved = []
    for depth in (2, 6):
        arch = dict(embed_dims=32, num_layers=depth, num_heads=2, patch_size=8)
        evl = tiny_evl(arch=arch).train()
        video = torch.ones(VIDEO, requires_grad=True)
        saved.append(saved_bytes(evl, lambda m=evl, v=video: m(v)))
    tokens = 2 * 4 * 7 * 32 * 4  # bytes of a map
    assert saved[0] == saved[1]
    assert 2 * 2 * tokens <= saved[0] < 3.5 * 2 * tokens
    full = tiny_evl(full_finetune=True).train()
    assert saved_bytes(full, lambda: full(torch.ones(VIDEO))) > 5 * saved[0]
    with torch.no_grad():
        taps = list(full.taps(torch.ones(VIDEO)))
    assert not any(tensor.requires_grad for tap in taps for tensor in tap)


def test_the_trunk_is_an_ordinary_part():
    evl = tiny_evl(trunk_dtype='bf16', drop_path_rate=0.5, pretrained=None)
    assert set(evl.trunk()) < set(evl.state_dict())
    assert all(p.is_meta for p in evl.to('meta').parameters())
    evl.train()
    assert not any(
        m.training for m in evl.transformer.modules() if list(m.parameters())
    )
    assert evl.decoder.layers[0].mlp.dropout.training


@pytest.mark.parametrize('lean', [True, False])
def test_drop_path_drops_halves_of_a_trained_trunk(lean):
    evl = tiny_evl(drop_path_rate=0.5, full_finetune=True, lean=lean).train()
    randomize(evl)
    block, x = evl.transformer.resblocks[-1], torch.randn(256, 7, 32)
    kept = (block(x)[0] == x).flatten(1).all(1).float().mean()
    assert 0.15 < kept < 0.35
    assert not (block.eval()(x)[0] == x).flatten(1).all(1).any()


@pytest.mark.parametrize('cls_token', [True, False])
@torch.no_grad()
def test_cached_rows_hold_the_tokens_that_the_trunk_has(cls_token):
    evl = tiny_evl(cls_token=cls_token).eval()
    randomize(evl)
    assert evl.pack_sizes().maps == (2, 4, 6 + cls_token, 32)
    video = torch.randn(VIDEO)
    assert_close(evl(features(evl, video)), evl(video), rtol=0, atol=5e-3)


def test_pixels_that_are_not_normalised_are_named():
    with pytest.raises(ValueError, match='torch.uint8.*normalise'):
        tiny_evl()(torch.ones(1, 3, 4, 16, 24, dtype=torch.uint8))


def test_the_head_is_norm_dropout_linear():
    torch.manual_seed(0)
    head = MODELS.build(dict(type='EVLHead', num_classes=5, in_channels=8))
    before = head.fc_cls.weight.clone()
    head.init_weights()
    assert_close(head.fc_cls.weight, before)  # PyTorch's, not 0.01
    assert head.dropout.p == 0.5 and not list(head.avg_pool.parameters())
    torch.nn.init.normal_(head.norm.weight)
    x = torch.randn(3, 8, 1, 1, 1)
    wanted = head.fc_cls(head.norm(x.flatten(1)))
    assert_close(head.eval()(x), wanted)
    sample = ActionDataSample().set_gt_label(1)
    assert head.loss((x), [sample] * 3)['loss_cls'] > 0
    with pytest.raises(ValueError, match='in_channels=8 got features of 32'):
        head(tiny_evl()(torch.randn(VIDEO)))
