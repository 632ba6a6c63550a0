"""Which library multiplies on the CPU: the faster, or the one asked for."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close
from torch.utils.flop_counter import FlopCounterMode

from mmvidadapt.trunks.parts import linear as linear_module
from mmvidadapt.trunks.parts.linear import Linear, linear
from mmvidadapt.utils import cpu_products as module
from mmvidadapt.utils.cpu_products import (
    VARIABLE,
    cpu_products,
    measure,
    use_cpu_products,
    using_cpu_products,
)

needs_onednn = pytest.mark.skipif(
    not module.AVAILABLE, reason='torch was built without oneDNN'
)


@pytest.fixture(autouse=True)
def undecided(monkeypatch):
    """Let nothing be chosen yet, by nobody."""
    monkeypatch.delenv(VARIABLE, raising=False)
    with using_cpu_products(None):
        yield


@pytest.fixture
def timings(monkeypatch):
    """Give timings in the place of measured ones; count how often."""
    given = dict(seconds=None, calls=0)

    def measured():
        given['calls'] += 1
        return given['seconds']

    monkeypatch.setattr(module, 'measure', measured)
    return given


@needs_onednn
@pytest.mark.parametrize(
    'seconds', [(2.2, 1.0), (1.0, 1.0), (1.0, 1.1), (1.0, 1.3), (1.0, None)]
)
def test_the_faster_library_multiplies(seconds, timings, monkeypatch):
    chosen = 'blas' if seconds[1] in (1.3, None) else 'onednn'  # 1.1 is noise
    seconds = dict(zip(('blas', 'onednn'), seconds))
    timings['seconds'] = {k: v for k, v in seconds.items() if v}
    called, onednn_linear = [], linear_module.onednn_linear

    def record(*args):
        called.append(args)
        return onednn_linear(*args)

    monkeypatch.setattr(linear_module, 'onednn_linear', record)
    x, weight = torch.randn(64, 96), torch.randn(192, 96)
    for _ in range(3):
        assert_close(linear(x, weight), F.linear(x, weight))
    assert cpu_products() == chosen
    assert len(called) == 3 * (chosen == 'onednn')
    assert timings['calls'] == 1  # once in a process


@needs_onednn
def test_both_libraries_give_equal_layers_and_gradients():
    torch.manual_seed(0)
    layer, x = Linear(96, 192), torch.randn(64, 96, requires_grad=True)
    results = []
    for library in ('onednn', 'blas'):
        with using_cpu_products(library):
            out = layer(x)
            inputs = (x, *layer.parameters())
            grads = torch.autograd.grad(out.square().sum(), inputs)
        results.append((out, *grads))
    for one, other in zip(*results):
        assert_close(one, other, rtol=1e-5, atol=1e-3)


def test_small_products_are_not_worth_a_measurement(timings):
    linear(torch.randn(2, 4), torch.randn(8, 4))
    assert not timings['calls']


@needs_onednn
def test_the_environment_and_a_call_have_the_last_word(timings, monkeypatch):
    timings['seconds'] = dict(blas=1.0, onednn=9.0)
    monkeypatch.setenv(VARIABLE, 'onednn')
    assert cpu_products() == 'onednn'
    use_cpu_products('blas')
    assert cpu_products() == 'blas'
    assert not timings['calls']
    monkeypatch.setenv(VARIABLE, 'auto')
    use_cpu_products(None)
    assert cpu_products() == 'blas' and timings['calls'] == 1


def test_unknown_libraries_are_refused_by_name(monkeypatch):
    with pytest.raises(ValueError, match="library='mkl': choose 'onednn'"):
        use_cpu_products('mkl')
    monkeypatch.setenv(VARIABLE, 'openblas')
    with pytest.raises(ValueError, match=f"{VARIABLE}='openblas'"):
        cpu_products()
    monkeypatch.setattr(module, 'AVAILABLE', False)
    with pytest.raises(ValueError, match="without oneDNN; use 'blas'"):
        use_cpu_products('onednn')


def test_without_onednn_there_is_no_choice(monkeypatch):
    monkeypatch.setattr(module, 'AVAILABLE', False)
    assert cpu_products() == 'blas'


@needs_onednn
def test_measuring_leaves_no_trace():
    """No random number, no counted operator, no other number of threads."""
    torch.manual_seed(0)
    wanted = torch.rand(3)
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    counter = FlopCounterMode(display=False)
    with counter, torch.device('meta'):
        seconds = measure()
    assert set(seconds) == {'blas', 'onednn'}
    assert all(0 < value < 10 for value in seconds.values())
    assert not counter.get_total_flops()
    assert torch.equal(torch.rand(3), wanted)
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize('how', ['trace', 'export', 'compile'])
def test_nothing_is_measured_while_recording(how, timings):
    """And what is recorded is torch's own product."""
    layer, x = Linear(96, 192).requires_grad_(False), torch.randn(64, 96)
    torch._dynamo.reset()
    if how == 'trace':
        run = torch.jit.trace(layer, x, check_trace=False)
    elif how == 'export':
        run = torch.export.export(layer, (x,)).module()
    else:
        run = torch.compile(layer, backend='eager', fullgraph=True)
    assert_close(run(x), F.linear(x, layer.weight, layer.bias))
    assert not timings['calls']
