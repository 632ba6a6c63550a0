"""Clips that every run of a module reads, and what is logged."""

import logging
from typing import Iterator, List

import pytest
from mmengine.logging import MMLogger

from tests.runs import listing

__all__ = ['listing', 'logged']


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
