"""A resumed run multiplies as the run before it."""

import logging
import re
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


# What a checkpoint says, what is asked for, whether torch has oneDNN; what
# multiplies, whether that is a warning, and what is said.
CASES = dict(
    new=(None, None, True, 'blas', False, f': blas.*{VARIABLE}'),
    # Though the machine, or a moment's noise, would choose the other.
    resumed=('onednn', None, True, 'onednn', False, ''),
    asked=('blas', 'onednn', True, 'onednn', True, 'products of blas.*t bits'),
    missing=('onednn', None, False, 'blas', True, 'built without oneDNN'),
    unknown=('mkl', None, True, 'blas', False, ''),
    number=(3, None, True, 'blas', False, ''),
    names=(['blas'], None, True, 'blas', False, ''),
)


@pytest.mark.parametrize('case', CASES)
def test_the_library_of_a_run(case, said, monkeypatch):
    kept, asked, has_onednn, used, warns, words = CASES[case]
    if asked:
        monkeypatch.setenv(VARIABLE, asked)
    hook = 'mmvidadapt.engine.hooks.cpu_products.AVAILABLE'
    monkeypatch.setattr(hook, has_onednn)
    assert run(kept) == used == cpu_products()
    assert any(r.levelno >= logging.WARNING for r in said) == warns
    text = ' '.join(record.getMessage() for record in said)
    assert re.search(words, text, re.S), text


def test_other_devices_are_left_alone():
    with using_cpu_products(None):
        assert run(device='meta') is None
        assert torch.device('meta').type == 'meta' and module._choice is None
