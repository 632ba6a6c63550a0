"""Tests see the registries as mmaction2's tools do, on one thread."""

import os

# Small models; two processes of two threads each wait for one another for
# ever on two cores. Read when torch is imported, here and in what tests start.
os.environ.setdefault('OMP_NUM_THREADS', '1')

import pytest
from mmengine.registry import init_default_scope

import mmvidadapt  # noqa: F401


@pytest.fixture(autouse=True)
def mmaction_scope():
    """Make mmaction the default scope."""
    init_default_scope('mmaction')
