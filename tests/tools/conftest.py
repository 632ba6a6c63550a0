"""Clips that every run reads, what is logged, and runners that wait."""

import pytest
from mmengine.runner import Runner

from tests.cached import videos
from tests.engine.conftest import logged
from tests.runs import listing

__all__ = ['listing', 'logged', 'videos']


@pytest.fixture
def started(monkeypatch):
    """Catch the runner that a tool builds, without running it."""
    configs = []

    class Caught:
        """Has the methods of a runner that tools call."""

        def train(self):
            """Do not train."""

        test = train

    def from_cfg(cfg):
        configs.append(cfg)
        return Caught()

    monkeypatch.setattr(Runner, 'from_cfg', from_cfg)
    return configs
