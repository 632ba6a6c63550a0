"""Tests see the registries as mmaction2's tools do."""

import pytest
from mmengine.registry import init_default_scope

import mmvidadapt  # noqa: F401


@pytest.fixture(autouse=True)
def mmaction_scope():
    """Make mmaction the default scope."""
    init_default_scope('mmaction')
