"""Linear layers against F.linear, whichever library computes them."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.trunks.parts import linear as linear_module
from mmvidadapt.trunks.parts.linear import Linear, linear
from mmvidadapt.utils.cpu_products import AVAILABLE, using_cpu_products
from tests.compare import compare

C, D = 96, 192  # with 64 tokens a product is worth oneDNN's while


@pytest.fixture
def calls(monkeypatch):
    """Record the products that oneDNN is asked for."""
    made, fast = [], linear_module._fast

    def record(x, weight):
        made.append(fast(x, weight))
        return made[-1]

    monkeypatch.setattr(linear_module, '_fast', record)
    with using_cpu_products('onednn'):
        yield made


needs_onednn = pytest.mark.skipif(
    not AVAILABLE, reason='torch was built without oneDNN'
)


@needs_onednn
@pytest.mark.parametrize('shape', [(64, C), (4, 16, C), (2, 2, 16, C)])
@pytest.mark.parametrize('bias', [True, False])
def test_fast_products_equal_torchs(shape, bias, calls):
    torch.manual_seed(0)
    inputs = [torch.randn(shape), torch.randn(D, C)]
    inputs += [torch.randn(D)] * bias
    compare(linear, F.linear, *inputs)
    # asked once by linear, then by three products: forward, x, weight
    assert calls == [True] * 4


@needs_onednn
def test_fast_products_of_strided_tensors(calls):
    torch.manual_seed(0)
    tokens, weights = torch.randn(64, 3, C), torch.randn(C, 3 * D)

    def run(function):
        return lambda x, w: function(x[:, 1], w.chunk(3, dim=1)[1].mT)

    compare(run(linear), run(F.linear), tokens, weights)
    frames = torch.randn(80, 7, C)  # only the first token of each is read
    compare(
        lambda x, w: linear(x[:, :1], w),
        lambda x, w: F.linear(x[:, :1], w),
        frames,
        torch.randn(D, C),
    )
    assert calls == [True] * 8


@needs_onednn
@pytest.mark.parametrize('trained', ['x', 'weight', 'bias'])
def test_only_what_is_asked_for_is_differentiated(trained, calls):
    layer = Linear(C, D).requires_grad_(False)
    x = torch.randn(4, 16, C)
    wanted = dict(x=x, weight=layer.weight, bias=layer.bias)[trained]
    wanted.requires_grad_()
    layer(x).square().sum().backward()
    grad, wanted.grad = wanted.grad, None
    F.linear(x, layer.weight, layer.bias).square().sum().backward()
    assert_close(grad, wanted.grad, rtol=1e-4, atol=1e-3)
    assert [
        t is None or t.grad is None for t in (x, layer.weight, layer.bias)
    ].count(False) == 1
    # two for the forward pass, one more if x or the weight needs a product
    assert len(calls) == (2 if trained == 'bias' else 3)


@needs_onednn
def test_a_frozen_layer_keeps_no_input(calls):
    layer = Linear(C, D).requires_grad_(False)
    x = torch.randn(64, C, requires_grad=True)
    assert saved_bytes(layer, lambda: layer(x)) == 0
    layer.weight.requires_grad_()
    assert saved_bytes(layer, lambda: layer(x)) == x.nbytes


class Special(torch.Tensor):
    """A tensor that brings products of its own."""


@pytest.mark.parametrize(
    'case', ['small', 'f64', 'meta', 'autocast', 'subclass', 'blas']
)
def test_everything_else_gets_torchs_own_product(case, monkeypatch):
    def refuse(*args):
        raise AssertionError('the fast path was taken')

    monkeypatch.setattr(linear_module._Linear, 'apply', refuse)
    library = 'onednn' if AVAILABLE and case != 'blas' else 'blas'
    layer = Linear(C, D)
    x = torch.randn(8 if case == 'small' else 64, C)
    if case in ('f64', 'meta'):
        to = torch.float64 if case == 'f64' else 'meta'
        layer, x = layer.to(to), x.to(to)
    if case == 'subclass':  # such as a quantised or a distributed one
        layer.weight = torch.nn.Parameter(layer.weight.as_subclass(Special))
    with (
        using_cpu_products(library),
        torch.autocast('cpu', torch.bfloat16, enabled=case == 'autocast'),
    ):
        out, expected = layer(x), F.linear(x, layer.weight, layer.bias)
    assert out.dtype == expected.dtype and out.device == expected.device
    assert (out.dtype == torch.bfloat16) == (case == 'autocast')
    if case != 'meta':
        assert torch.equal(out, expected)
