"""EVL: precision and memory of the trunk, lean against plain."""

import pytest
import torch
from torch.testing import assert_close

from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.methods.evl.lean_motion import relative_sum
from mmvidadapt.models import EVL
from tests.compare import compare
from tests.golden import load_golden
from tests.methods.test_evl import (
    SWITCHES,
    VIDEO,
    every_golden,
    load_official,
    randomize,
    recognizer,
    tiny_evl,
)
from tests.reference.plain_evl import PlainEVL


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


@pytest.mark.parametrize('grid', [(3, 4), (4, 3), (1, 5), (5, 1)])
def test_relative_sum_is_the_gathered_one(grid):
    torch.manual_seed(0)
    h, w = grid
    attention = torch.rand(6, h * w, h * w)
    table = torch.randn((2 * h - 1) * (2 * w - 1), 8)
    p = torch.arange(h * w)
    index = (p[:, None] // w - p // w + h - 1) * (2 * w - 1)
    index = index + p[:, None] % w - p % w + w - 1

    def gathered(attention, table):
        return torch.einsum('mpj,pjc->mpc', attention, table[index])

    def ours(attention, table):
        return relative_sum(attention, table, grid)

    compare(ours, gathered, attention, table)
    with torch.no_grad():  # the other path
        assert_close(ours(attention, table), gathered(attention, table))


@pytest.mark.parametrize('temporal', SWITCHES)
def test_lean_and_plain_agree(temporal):
    """A grid of 8 x 8 and 3 heads: more than the goldens have."""
    sizes = dict(embed_dims=48, num_layers=3, num_heads=3, patch_size=4)
    given = dict(
        img_size=32, num_frames=3, temporal=temporal, decoder_num_layers=2
    )
    torch.manual_seed(0)
    lean, plain = EVL(arch=sizes, **given), PlainEVL(**sizes, **given)
    randomize(lean, trained_only=False)
    plain.load_state_dict(lean.state_dict())
    video, outputs = torch.randn(2, 3, 3, 32, 32), []
    for model in (lean.eval(), plain.eval()):
        outputs.append(model(video))
        outputs[-1].square().sum().backward()
    scale = outputs[1].abs().max()
    assert_close(outputs[0], outputs[1], rtol=0, atol=1e-5 * scale.item())
    wanted = {
        n: p.grad for n, p in plain.named_parameters() if p.requires_grad
    }
    largest = max(grad.abs().max() for grad in wanted.values()).item()
    for name, param in lean.named_parameters():
        if param.requires_grad:  # key biases have no gradient but rounding
            atol = max(1e-4 * wanted[name].abs().max(), 1e-6 * largest)
            assert_close(param.grad, wanted[name], rtol=0, atol=atol)


def test_the_frozen_trunk_adds_nothing_to_what_is_saved():
    saved = []
    for depth in (2, 6):
        arch = dict(embed_dims=32, num_layers=depth, num_heads=2, patch_size=8)
        evl = tiny_evl(arch=arch).train()
        saved.append(saved_bytes(evl, lambda m=evl: m(torch.ones(VIDEO))))
    tokens = 2 * 4 * 7 * 32 * 4  # bytes of a map
    assert saved[0] == saved[1]
    assert 2 * 2 * tokens <= saved[0] < 3.5 * 2 * tokens
    full = tiny_evl(full_finetune=True).train()
    assert saved_bytes(full, lambda: full(torch.ones(VIDEO))) > 5 * saved[0]


def test_checkpointing_changes_nothing_but_memory():
    grads = []
    for with_cp in (False, True, 'mlp'):
        evl = tiny_evl(with_cp=with_cp, full_finetune=True).eval()
        evl(torch.ones(VIDEO)).square().sum().backward()
        grads.append([p.grad for p in evl.parameters()])
    for other in grads[1:]:
        assert_close(other, grads[0])


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
@pytest.mark.parametrize('trunk_dtype', [None, 'bf16'])
def test_autocast_agrees_with_float32(dtype, trunk_dtype):
    evl = tiny_evl(trunk_dtype=trunk_dtype).eval()
    randomize(evl)
    video, grads = torch.randn(VIDEO), []
    for enabled in (False, True):
        evl.zero_grad()
        with torch.autocast('cpu', dtype=dtype, enabled=enabled):
            out = evl(video)
        out.float().square().mean().backward()
        grads.append(
            {n: p.grad for n, p in evl.named_parameters() if p.requires_grad}
        )
    for name, grad in grads[0].items():
        assert grads[1][name].dtype == torch.float32
        if 'k_proj.bias' not in name:  # only rounding
            error = (grads[1][name] - grad).abs().max() / grad.abs().max()
            assert error < 0.15, name


def test_compiles():
    evl = tiny_evl().eval()
    randomize(evl)
    video = torch.randn(VIDEO)
    compiled = torch.compile(evl, backend='aot_eager')
    assert_close(compiled(video), evl(video))


def test_the_trunk_is_an_ordinary_part():
    evl = tiny_evl(trunk_dtype='bf16', drop_path_rate=0.5, pretrained=None)
    assert set(evl.trunk()) < set(evl.state_dict())
    assert all(p.is_meta for p in evl.to('meta').parameters())
    evl.train()
    assert not any(
        m.training for m in evl.transformer.modules() if list(m.parameters())
    )
    assert evl.decoder.layers[0].mlp.dropout.training
