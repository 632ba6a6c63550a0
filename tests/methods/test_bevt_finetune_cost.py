"""BEVTVideoSwin against mmaction2's own blocks: equal, in half the memory."""

import pytest
import torch
from torch.testing import assert_close

from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.models import BEVTVideoSwin
from mmvidadapt.trunks.parts import lean_window_attention as module
from mmvidadapt.trunks.parts.lean_window_attention import window_attention

TOY = dict(embed_dims=16, depths=(2, 2), num_heads=(2, 4))
# Whole windows; padded maps and windows that shrink to a map.
SIZES = {
    'divided': dict(img_size=32, num_frames=8, window_size=(2, 2, 2)),
    'padded': dict(img_size=(36, 52), num_frames=6, window_size=(2, 3, 3)),
    'one frame': dict(img_size=32, num_frames=2, window_size=(2, 4, 4)),
}


def tiny(size='divided', **given):
    """Build a small model whose parameters are all random."""
    torch.manual_seed(0)
    model = BEVTVideoSwin(**{'arch': TOY, **SIZES[size], **given})
    for param in model.parameters():
        torch.nn.init.normal_(param, std=0.1)
    return model


def clip(model, batch=2):
    """Draw clips of a model's size."""
    torch.manual_seed(1)
    return torch.randn(batch, 3, model.num_frames, *model.img_size)


def outcome(model, video, lean=True, context=None):
    """Give features and gradients, with the same paths dropped."""
    model.lean = lean
    model.zero_grad()
    torch.manual_seed(2)
    if context is None:
        features = model(video)
    else:
        with context:
            features = model(video)
    weight = torch.linspace(-1, 1, features.numel()).view_as(features)
    (
        features.float() * weight if context else features * weight
    ).sum().backward()
    grads = {n: p.grad.clone() for n, p in model.named_parameters()}
    return dict(grads, features=features.detach())


def agree(found, wanted, tol):
    """Compare tensor by tensor, relative to each one's largest value."""
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        atol = tol * max(value.abs().max().item(), 1e-3)
        assert_close(found[name], value, rtol=0, atol=atol, msg=name)


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('with_cp', [False, True])
def test_values_and_gradients_are_mmaction2s(size, with_cp):
    """In float64, in training mode, with dropped paths."""
    model = tiny(size, drop_path_rate=0.4, with_cp=with_cp).double().train()
    video = clip(model).double()
    assert model.lean
    found = outcome(model, video)
    model = tiny(size, drop_path_rate=0.4).double().train()
    agree(found, outcome(model, video, lean=False), 1e-10)


def test_few_scores_at_a_time_are_all_scores(monkeypatch):
    model = tiny().double()
    video = clip(model, 3).double()
    wanted = outcome(model, video)
    monkeypatch.setattr(module, 'CHUNK', 1)
    agree(outcome(model, video), wanted, 1e-12)


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_autocast_agrees_with_float32(dtype):
    model = tiny()
    video = clip(model)
    autocast = torch.autocast('cpu', dtype)
    found = outcome(model, video, context=autocast)
    assert found['features'].dtype in (dtype, torch.float32)
    exact = outcome(model, video)
    theirs = outcome(model, video, lean=False, context=autocast)
    for name, value in exact.items():
        error, usual = (
            (run[name].float() - value).norm() / value.norm()
            for run in (found, theirs)
        )
        assert error < 1.5 * usual + 0.02, name


def test_a_model_is_used_twice_before_going_back():
    model = tiny().double()
    first, second = clip(model), clip(model).flip(0) * 0.5
    (model(first.double()) + model(second.double())).sum().backward()
    found = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    for video in (first, second):
        model(video.double()).sum().backward()
    for mine, param in zip(found, model.parameters()):
        assert_close(mine, param.grad, rtol=1e-9, atol=1e-9)


def test_evaluation_and_frozen_stages():
    model = tiny(frozen_stages=1).eval()
    video = clip(model)
    with torch.no_grad():
        lean = model(video)
        model.lean = False
        assert_close(lean, model(video), rtol=1e-5, atol=1e-5)
    model.lean = True
    model.train()(video).sum().backward()
    trained = {n for n, p in model.named_parameters() if p.grad is not None}
    assert not any(n.startswith(('patch_embed', 'layers.0')) for n in trained)
    assert any(n.startswith('layers.1') for n in trained)


def test_compiles():
    model = tiny(arch=dict(embed_dims=16, depths=(2,), num_heads=(2,)))
    video = clip(model)
    torch._dynamo.reset()
    compiled = torch.compile(model, backend='aot_eager')
    assert_close(compiled(video), model(video), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    'given', [dict(attn_drop_rate=0.1), dict(drop_rate=0.1), dict(qkv_bias=0)]
)
def test_options_that_change_a_block_are_left_to_mmaction2(given):
    model = tiny(**given)
    assert not model.lean
    assert model(clip(model)).isfinite().all()


def test_half_of_the_memory():
    """Channels and windows in the proportions of Swin-B."""
    torch.manual_seed(0)
    model = BEVTVideoSwin(
        dict(embed_dims=64, depths=(2, 2), num_heads=(2, 4)),
        img_size=112,
        num_frames=16,
        window_size=(4, 7, 7),
    ).train()
    video, kept = clip(model, 1), {}
    for lean in (True, False):
        model.lean = lean
        kept[lean] = saved_bytes(model, lambda: model(video))
    assert 0 < kept[True] <= 0.5 * kept[False]
    model.lean = True
    tokens = 8 * (28**2 * 64 + 14**2 * 128) * 4  # bytes of a map of a block
    # q, k, v, the outcome, both inputs of norms, the hidden layer: 10 maps.
    assert kept[True] <= 2 * 10.5 * tokens + 6 * tokens


def test_gradients_of_every_argument():
    """Against autograd on the formula, with regions and without."""
    torch.manual_seed(0)
    s, g, heads, n, d = 3, 2, 2, 4, 5
    given = [torch.randn(s * g, heads, n, d) for _ in range(3)]
    table = torch.randn(7, heads)
    inputs = [t.double().requires_grad_() for t in (*given, table)]
    index = torch.randint(7, (n, n))
    for regions in (None, torch.randint(2, (g, n))):
        q, k, v, bias = *inputs[:3], inputs[3][index].permute(2, 0, 1)
        if regions is not None:
            other = regions[:, :, None] != regions[:, None]
            bias = bias - 100.0 * other.repeat(s, 1, 1)[:, None]
        scores = q @ k.mT * 0.3 + bias
        wanted = (scores.softmax(-1) @ v).transpose(1, 2)
        found = window_attention(*inputs, index, regions, 0.3)
        assert_close(found, wanted)
        weight = torch.randn_like(wanted)
        for one, other in zip(
            torch.autograd.grad(found, inputs, weight),
            torch.autograd.grad(wanted, inputs, weight),
        ):
            assert_close(one, other, rtol=0, atol=1e-10)
