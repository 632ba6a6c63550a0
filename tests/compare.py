"""Compare a function with another, gradients included."""

import torch
from torch.testing import assert_close


def leaves(*tensors):
    """Copy tensors so that gradients can be asked for."""
    return [t.detach().clone().requires_grad_() for t in tensors]


def compare(ours, theirs, *inputs, tol=1e-5):
    """Compare outputs and the gradients of all inputs."""
    results = []
    for function in (ours, theirs):
        copies = leaves(*inputs)
        output = function(*copies)
        weight = torch.linspace(-1, 1, output.numel()).to(output)
        grads = torch.autograd.grad(
            (output * weight.view_as(output)).sum(), copies
        )
        results.append((output.detach(), *grads))
    for mine, wanted in zip(*results, strict=True):
        assert_close(mine, wanted, rtol=0, atol=tol * wanted.abs().max())
