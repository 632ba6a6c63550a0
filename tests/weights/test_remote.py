"""Checkpoints by URL and alias are read as carefully as local files."""

import os
import pickle
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from mmengine.runner import CheckpointLoader

from mmvidadapt.engine.checkpoints import read_checkpoint


class Quiet(SimpleHTTPRequestHandler):
    """A server that keeps no log."""

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve a folder on this machine; keep downloads in another."""
    monkeypatch.setenv('MMVIDADAPT_HOME', str(tmp_path / 'home'))
    folder = tmp_path / 'served'
    folder.mkdir()
    handler = partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield folder, f'http://127.0.0.1:{http.server_port}'
        http.shutdown()


class Trap:
    """Unpickled carelessly, it makes a folder."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize(
    'load', [read_checkpoint, CheckpointLoader.load_checkpoint]
)
def test_code_from_the_network_does_not_run(load, server, tmp_path):
    folder, url = server
    sprung = tmp_path / 'sprung'
    content = dict(state_dict=Trap(str(sprung)))
    torch.save(content, folder / 'zip.pth')
    (folder / 'plain.pth').write_bytes(pickle.dumps(content))
    for name in ('zip.pth', 'plain.pth'):
        for where in (f'{url}/{name}', f'file://{folder}/{name}'):
            with pytest.raises(Exception, match=name):
                load(where)
            assert not sprung.exists()


def test_a_good_file_comes_by_url(server):
    folder, url = server
    weights = dict(state_dict=dict(a=torch.arange(3.0)))
    torch.save(weights, folder / 'good.pth')
    for where in (f'{url}/good.pth', f'file://{folder}/good.pth'):
        found = CheckpointLoader.load_checkpoint(where)
        assert torch.equal(found['state_dict']['a'], torch.arange(3.0))


def test_an_alias_is_a_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setenv('MMVIDADAPT_HOME', str(tmp_path))
    with pytest.raises(FileNotFoundError, match='no program can fetch'):
        read_checkpoint('aim/vitb16_k400')  # by hand, and it says where
    with pytest.raises(FileNotFoundError, match='does not exist'):
        read_checkpoint('aim/vitb16_k40')
