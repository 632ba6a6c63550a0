"""What the paths are made of: adapters before and after, sums of slices."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from mmvidadapt.methods.dualpath.block import split_paths
from mmvidadapt.methods.dualpath.lean import LeanPathAdapter, add_paths
from tests.compare import compare
from tests.trunks.test_adapter import plain, whole


@pytest.mark.parametrize('trained_norm', [False, True])
@pytest.mark.parametrize('tokens', [3, 50])  # the limit is at 2 * 4
def test_adapter_before_a_projection(tokens, trained_norm):
    torch.manual_seed(0)
    adapter, norm = LeanPathAdapter(8, 4).double(), nn.LayerNorm(8).double()
    norm.requires_grad_(trained_norm)
    weight, bias = torch.randn(12, 8).double(), torch.randn(12).double()
    for param in (*adapter.up.parameters(), *norm.parameters()):
        nn.init.normal_(param)
    ours, params = whole(
        adapter, lambda a, x, w, b: a.before(w, b, norm(x), x, norm)
    )
    theirs, _ = whole(
        adapter, lambda a, x, w, b: F.linear(plain(a, norm(x)), w, b)
    )
    x = torch.randn(tokens, 8).double()
    compare(ours, theirs, *params, x, weight, bias, tol=1e-12)


def test_the_bottleneck_is_a_width_or_a_ratio():
    assert LeanPathAdapter(22, 15).down.out_features == 15
    assert LeanPathAdapter(22, 0.5).down.out_features == 11
    bound = 22**-0.5  # of PyTorch's linear layers
    weight = LeanPathAdapter(22, 15).down.weight
    assert 0.9 * bound < weight.abs().max() <= bound


def test_images_are_split_into_framesets_and_frames():
    x = torch.arange(2 * 5)
    for images, cut in (((1, 4), 2), ((3, 2), 6), ((5, 0), 10), ((0, 5), 0)):
        temporal, spatial = split_paths(x, images)
        assert torch.equal(temporal, x[:cut])
        assert torch.equal(spatial, x[cut:])


def test_paths_are_added_as_if_concatenated():
    torch.manual_seed(0)
    x, a, b = (torch.randn(n, 3, 4) for n in (5, 2, 3))
    compare(add_paths, lambda x, *d: x + torch.cat(d), x, a, b)
    before = x.clone()
    add_paths(x, a, b)
    assert torch.equal(x, before)


def test_dropout_inside_the_adapters():
    torch.manual_seed(0)
    adapter = LeanPathAdapter(8, 4, dropout=0.5).double()
    nn.init.normal_(adapter.up.weight)
    x = torch.randn(64, 8).double().requires_grad_()
    assert torch.autograd.gradcheck(adapter.eval(), x)
    adapter.train()
    torch.manual_seed(1)
    mask = adapter.dropout(torch.ones(64, 4).double())
    assert set(mask.unique().tolist()) == {0.0, 2.0}
    hidden = F.gelu(adapter.down(x)) * mask
    torch.manual_seed(1)
    assert_close(adapter(x), adapter.up(hidden))

    def repeated(x):
        torch.manual_seed(1)
        return adapter(x)

    assert torch.autograd.gradcheck(repeated, x)
