"""Checkpoints by URL and alias are read as carefully as local files."""

import pickle

import pytest
import torch
from mmengine.runner import CheckpointLoader

from mmvidadapt.engine.checkpoints import read_checkpoint

from .test_malice import Malice


@pytest.fixture
def served(site, tmp_path, monkeypatch):
    """Write a file, and give its addresses on a server and on a disk."""
    monkeypatch.setenv('MMVIDADAPT_HOME', str(tmp_path / 'home'))

    def serve(content, write=torch.save, name='x.pth'):
        write(content, tmp_path / name)
        site.data = (tmp_path / name).read_bytes()
        url = site.url.replace('x.pth', name)
        return url, (tmp_path / name).as_uri()

    return serve


def pickled(content, path):
    """Write a pickle that no torch.save wrote."""
    path.write_bytes(pickle.dumps(content))


@pytest.mark.parametrize(
    'load', [read_checkpoint, CheckpointLoader.load_checkpoint]
)
def test_code_from_the_network_does_not_run(load, served, tmp_path):
    sprung = tmp_path / 'sprung'
    content = dict(state_dict=Malice(sprung, 'system'))
    for name, write in (('zip.pth', torch.save), ('plain.pth', pickled)):
        for where in served(content, write, name):
            with pytest.raises(Exception, match=name):
                load(where)
            assert not sprung.exists()


def test_a_good_file_comes_by_url(served):
    for where in served(dict(state_dict=dict(a=torch.arange(3.0)))):
        found = CheckpointLoader.load_checkpoint(where)
        assert torch.equal(found['state_dict']['a'], torch.arange(3.0))


def test_an_alias_is_a_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setenv('MMVIDADAPT_HOME', str(tmp_path))
    with pytest.raises(FileNotFoundError, match='no program can fetch'):
        read_checkpoint('aim/vitb16_k400')  # by hand, and it says where
    with pytest.raises(FileNotFoundError, match='does not exist'):
        read_checkpoint('aim/vitb16_k40')
