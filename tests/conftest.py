"""Tests see the registries as mmaction2's tools do, on one thread."""

import gc
import logging
import os
from typing import Iterator, List

# Small models; two processes of two threads each wait for one another for
# ever on two cores. Read when torch is imported, here and in what tests start.
os.environ.setdefault('OMP_NUM_THREADS', '1')

import pytest
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

import mmvidadapt  # noqa: F401
from tests.adapters import trunk, video
from tests.cached import videos
from tests.engine.toy_runs import quick
from tests.hosted import hosted
from tests.runs import listing
from tests.trained import trained

# Fixtures of every folder.
__all__ = ['hosted', 'listing', 'quick', 'trained', 'trunk', 'video', 'videos']


def pytest_collection_finish():
    """Spare garbage collections, one for every data set, what stays."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def mmaction_scope():
    """Make mmaction the default scope."""
    init_default_scope('mmaction')


@pytest.fixture
def logged() -> Iterator[List[str]]:
    """Collect what the current logger of mmengine gets."""
    messages: List[str] = []
    handler = logging.Handler(logging.INFO)
    handler.emit = lambda record: messages.append(record.getMessage())
    logger = MMLogger.get_current_instance()
    logger.addHandler(handler)
    yield messages
    logger.removeHandler(handler)
