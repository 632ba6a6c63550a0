"""A resumed run multiplies as the run before it."""

import logging
from types import SimpleNamespace

import pytest
import torch
from mmaction.registry import HOOKS
from mmengine.logging import MessageHub, MMLogger
from torch import nn

from mmvidadapt.utils import cpu_products as module
from mmvidadapt.utils.cpu_products import (
    VARIABLE,
    cpu_products,
    using_cpu_products,
)

KEY = 'cpu_products'
pytestmark = pytest.mark.skipif(
    not module.AVAILABLE, reason='torch was built without oneDNN'
)


@pytest.fixture(autouse=True)
def a_machine(monkeypatch):
    """Let the BLAS be the faster library of this machine."""
    monkeypatch.delenv(VARIABLE, raising=False)
    seconds = dict(blas=1.0, onednn=2.0)
    monkeypatch.setattr(module, 'measure', lambda: seconds)
    with using_cpu_products(None):
        yield


@pytest.fixture
def said():
    """Collect what goes to mmengine's log."""
    records, logger = [], MMLogger.get_current_instance()
    handler = logging.Handler()
    handler.emit = records.append
    handler.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield records
    logger.removeHandler(handler)


def run(kept=None, device='cpu'):
    """Start training; return what its checkpoints would hold."""
    hub = MessageHub('run')
    if kept is not None:  # what a checkpoint brings
        before = MessageHub('before')
        before.update_info(KEY, kept)
        hub.load_state_dict(before.state_dict())
    model = nn.Linear(1, 1).to(device)
    runner = SimpleNamespace(model=model, message_hub=hub)
    HOOKS.build(dict(type='CpuProductsHook')).before_train(runner)
    return hub.state_dict()['runtime_info'].get(KEY)


def test_a_new_run_keeps_what_was_measured(said):
    assert run() == 'blas' == cpu_products()
    assert 'Float32 products on the CPU: blas' in said[-1].getMessage()
    assert VARIABLE in said[-1].getMessage()


def test_a_resumed_run_goes_on_with_the_same_library(said):
    """Though the machine, or a moment's noise, would choose the other."""
    assert run(kept='onednn') == 'onednn' == cpu_products()
    assert all(record.levelno < logging.WARNING for record in said)


def test_another_library_on_request_is_said_aloud(said, monkeypatch):
    monkeypatch.setenv(VARIABLE, 'onednn')
    assert run(kept='blas') == 'onednn' == cpu_products()
    warning = said[0]
    assert warning.levelno == logging.WARNING
    assert 'with the float32 products of blas' in warning.getMessage()
    assert 'last bits' in warning.getMessage()


def test_a_torch_without_the_library_of_the_checkpoint(said, monkeypatch):
    monkeypatch.setattr(
        'mmvidadapt.engine.hooks.cpu_products.AVAILABLE', False
    )
    assert run(kept='onednn') == 'blas'
    assert 'built without oneDNN' in said[0].getMessage()


@pytest.mark.parametrize('kept', ['mkl', 3, ['blas']])
def test_nonsense_in_a_checkpoint_is_not_followed(kept):
    assert run(kept=kept) == 'blas'


def test_other_devices_are_left_alone():
    with using_cpu_products(None):
        assert run(device='meta') is None
        assert torch.device('meta').type == 'meta' and module._choice is None
