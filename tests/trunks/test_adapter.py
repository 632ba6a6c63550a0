"""The adapter against down, GELU, up, in each of its ways to compute it."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from mmvidadapt.trunks.parts import lean_adapter as module
from mmvidadapt.trunks.parts.adapter import Adapter
from mmvidadapt.trunks.parts.lean_adapter import LeanAdapter, bottleneck
from tests.compare import compare, leaves


def random_adapter(dims=8, ratio=0.5):
    torch.manual_seed(0)
    adapter = LeanAdapter(dims, ratio).double()
    for param in adapter.parameters():
        nn.init.normal_(param, std=0.5)
    return adapter


def whole(adapter, function):
    """Make a function of the inputs and of all its parameters."""
    names = [name for name, _ in adapter.named_parameters()]

    def run(*args):
        params, inputs = args[: len(names)], args[len(names) :]
        return torch.func.functional_call(
            Caller(adapter, function),
            {f'adapter.{n}': p for n, p in zip(names, params, strict=True)},
            inputs,
        )

    return run, [p.detach() for p in adapter.parameters()]


class Caller(nn.Module):
    """Calls a function of an adapter, whose parameters can be replaced."""

    def __init__(self, adapter, function):
        super().__init__()
        self.adapter, self.function = adapter, function

    def forward(self, *inputs):
        return self.function(self.adapter, *inputs)


def plain(adapter, x):
    """Down, GELU, up."""
    return adapter.up(F.gelu(adapter.down(x)))


@pytest.mark.parametrize('shape', [(5, 8), (2, 3, 8), (2, 2, 3, 8)])
def test_adapter_is_down_gelu_up(shape):
    adapter = random_adapter()
    ours, params = whole(adapter, lambda a, x: a(x))
    theirs, _ = whole(adapter, plain)
    x = torch.randn(shape, dtype=torch.float64)
    compare(ours, theirs, *params, x, tol=1e-12)
    assert torch.autograd.gradcheck(ours, leaves(*params, x))


@pytest.mark.parametrize('tokens', [3, 50])  # the limit is at 2 * 4
def test_adapter_after_a_projection(tokens):
    adapter, projection = random_adapter(), nn.Linear(8, 8).double()
    nn.init.normal_(projection.weight)
    called = []
    projection.register_forward_hook(lambda *args: called.append(1))
    ours, params = whole(adapter, lambda a, x: a.after(projection, x))
    theirs, _ = whole(
        adapter,
        lambda a, x: plain(a, F.linear(x, projection.weight, projection.bias)),
    )
    x = torch.randn(tokens, 8, dtype=torch.float64)
    compare(ours, theirs, *params, x, tol=1e-12)
    assert bool(called) == (tokens == 3)


def test_a_projection_before_an_adapter_can_be_trained():
    adapter, grads = random_adapter(), []
    x = torch.randn(50, 8, dtype=torch.float64)
    for folded in (True, False):
        torch.manual_seed(1)
        projection = nn.Linear(8, 8).double()
        out = (
            adapter.after(projection, x)
            if folded
            else plain(adapter, projection(x))
        )
        out.square().sum().backward()
        grads.append([p.grad for p in projection.parameters()])
    assert_close(grads[0], grads[1], rtol=1e-10, atol=1e-10)


def test_adapter_recomputes_its_normed_input():
    adapter, norm = random_adapter(), nn.LayerNorm(8, eps=1e-3).double()
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    norm.requires_grad_(False)
    ours, params = whole(adapter, lambda a, x: a(norm(x), x, norm))
    theirs, _ = whole(adapter, lambda a, x: plain(a, norm(x)))
    source = torch.randn(5, 8, dtype=torch.float64)
    compare(ours, theirs, *params, source, tol=1e-12)

    x = norm(source)
    run = [lambda: adapter(x), lambda: adapter(x, source, norm)]
    kept = [kept_storages(adapter, f) for f in run]
    assert x.data_ptr() in kept[0] and x.data_ptr() not in kept[1]
    assert source.data_ptr() in kept[1] and len(kept[1]) == 2

    # A norm that learns needs x itself: its weights change meanwhile.
    norm.requires_grad_()
    assert source.data_ptr() not in kept_storages(
        adapter, lambda: adapter(x.detach(), source, norm)
    )


def kept_storages(module, run):
    """Addresses of what is saved for backward, parameters excluded."""
    own, kept = {p.data_ptr() for p in module.parameters()}, set()
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: kept.add(t.data_ptr()) or t.detach(), lambda t: t
    ):
        run()
    return kept - own


def test_a_new_adapter_adds_nothing_and_learns():
    adapter = LeanAdapter(96)
    out = adapter(torch.randn(4, 96))
    assert not out.any() and adapter.down.out_features == 24
    out.sum().backward()
    assert adapter.up.weight.grad.any() and adapter.up.bias.grad.any()
    with pytest.raises(ValueError, match='ratio=0.01.*embed_dims=96'):
        LeanAdapter(96, 0.01)


@pytest.mark.parametrize('kind', [Adapter, LeanAdapter])
@pytest.mark.parametrize('traced', [False, True])
def test_dropout_comes_behind_the_activation(kind, traced, monkeypatch):
    monkeypatch.setattr(module, 'is_traced', lambda: traced)
    adapter = kind(8, 0.5, dropout=0.5).double()
    for param in adapter.parameters():
        nn.init.normal_(param, std=0.5)

    def seeded(a, x):
        torch.manual_seed(1)
        return a(x)

    def by_hand(a, x):
        torch.manual_seed(1)
        return a.up(F.dropout(F.gelu(a.down(x)), 0.5, a.training))

    ours, params = whole(adapter, seeded)
    theirs, _ = whole(adapter, by_hand)
    x = torch.randn(5, 8, dtype=torch.float64)
    compare(ours, theirs, *params, x, tol=1e-12)
    dropped = adapter(x)
    adapter.eval()
    compare(ours, theirs, *params, x, tol=1e-12)
    assert not torch.allclose(adapter(x), dropped)


@pytest.mark.parametrize('act', ['gelu', 'relu', 'none'])
@pytest.mark.parametrize('bias', [True, False])
def test_bottlenecks_of_every_kind(act, bias):
    torch.manual_seed(0)
    sizes = [(5, 8), (3, 8), (8, 3), (3,), (8,)]
    inputs = [torch.randn(s, dtype=torch.float64) for s in sizes]
    function = dict(
        gelu=torch.nn.functional.gelu, relu=torch.relu, none=lambda x: x
    )[act]

    def plain(x, w1, w2, b1=None, b2=None):
        hidden = function(torch.nn.functional.linear(x, w1, b1))
        return torch.nn.functional.linear(hidden, w2, b2)

    def ours(x, w1, w2, b1=None, b2=None):
        return bottleneck(x, (w1, b1), (w2, b2), act)

    compare(ours, plain, *inputs[: 5 if bias else 3], tol=1e-12)
