"""Runners that wait."""

import pytest
from mmengine.runner import Runner


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
