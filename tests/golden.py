"""Goldens: inputs, weights, outputs and gradients of the official models.

A subset lies in ``tests/reference``. The whole set is read from the folder
that ``MMVIDADAPT_GOLDENS`` names, else from ``../shared/goldens``.
"""

import os
from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / 'shared'


def goldens(pattern: str) -> List[Any]:
    """List the goldens whose file name matches a glob, as test parameters."""
    folders = [ROOT / 'tests' / 'reference', SHARED / 'goldens']
    if 'MMVIDADAPT_GOLDENS' in os.environ:
        folders[1] = Path(os.environ['MMVIDADAPT_GOLDENS'])
    found = {p.name: p for folder in folders for p in folder.glob(pattern)}
    if not found:
        reason = f'no golden {pattern} in {[str(f) for f in folders]}'
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason))]
    return [
        pytest.param(path, id=path.stem) for _, path in sorted(found.items())
    ]


def load_golden(path: Path) -> Dict[str, Any]:
    """Read one golden."""
    return torch.load(path, weights_only=True)


def assert_output(actual: Tensor, expected: Tensor) -> None:
    """Compare outputs: 2e-5 in float32, 1e-10 in float64."""
    assert actual.dtype == expected.dtype
    scale = max(1.0, expected.abs().max().item())
    atol = (2e-5 if expected.dtype == torch.float32 else 1e-10) * scale
    torch.testing.assert_close(actual, expected, rtol=0, atol=atol)


def assert_gradients(module: nn.Module, expected: Dict[str, Tensor]) -> None:
    """Compare all gradients, each with its own maximum as the scale.

    Args:
        module (nn.Module): After backward.
        expected (dict): Name of a trained parameter -> gradient.
    """
    actual = {
        name: param.grad
        for name, param in module.named_parameters()
        if param.requires_grad
    }
    assert set(actual) == set(expected)
    for name, grad in expected.items():
        assert actual[name] is not None, name
        tol = 1e-4 if grad.dtype == torch.float32 else 1e-10
        floor = 1e-6 if grad.dtype == torch.float32 else 1e-10
        atol = max(tol * grad.abs().max().item(), floor)
        torch.testing.assert_close(
            actual[name],
            grad.view_as(actual[name]),
            rtol=0,
            atol=atol,
            msg=lambda m, name=name: f'{name}: {m}',
        )
