"""A server to download from."""

import pytest

from mmvidadapt.weights.fetch import transfer

from .unruly import Site


@pytest.fixture
def site(monkeypatch):
    """Serve on the loopback interface."""
    monkeypatch.setenv('no_proxy', '*')
    for name in ('MMVIDADAPT_MIRROR', 'MMVIDADAPT_OFFLINE'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(transfer, 'PAUSE', 0.0)
    site = Site()
    yield site
    site.close()


@pytest.fixture
def target(tmp_path):
    """Name the file to download to."""
    return tmp_path / 'weights' / 'x.pth'
