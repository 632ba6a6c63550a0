"""What is written is whole, or as it was before."""

import pytest
from mmengine.fileio import LocalBackend

from mmvidadapt.apis import adapters
from mmvidadapt.engine.hooks.adapter_checkpoint import put
from mmvidadapt.utils.whole_file import whole_file
from tests.adapters import config_of, trunk, write_adapter

__all__ = ['trunk']


def test_a_file_gets_its_name_when_it_is_complete(tmp_path):
    path = tmp_path / 'x.json'
    path.write_text('old')
    with whole_file(str(path)) as part:
        part.write_text('new')
        assert path.read_text() == 'old'
        assert part.name.startswith('x.json.') and part.suffix == '.partial'
    assert path.read_text() == 'new'
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / 'x.json'
    path.write_text('old')
    with pytest.raises(OSError, match='full'), whole_file(path) as part:
        part.write_text('half')
        raise OSError('the disk is full')
    assert path.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [path]


class Full(LocalBackend):
    """A disk that ends in the middle of a file."""

    def put(self, obj, filepath):
        """Write a half."""
        super().put(obj[: len(obj) // 2], filepath)
        raise OSError('the disk is full')


def test_adapters_beside_checkpoints_are_whole(tmp_path):
    path = tmp_path / 'run' / 'x.adapter.safetensors'
    put(LocalBackend(), b'old', str(path))
    with pytest.raises(OSError, match='full'):
        put(Full(), b'newer', str(path))
    assert path.read_bytes() == b'old'
    assert list(path.parent.iterdir()) == [path]


def test_adapters_and_merged_checkpoints_are_whole(
    tmp_path, trunk, monkeypatch
):
    path, _ = write_adapter(tmp_path, 'aim', config_of('aim', trunk))
    out = tmp_path / 'whole.pth'
    out.write_bytes(b'old')
    before = sorted(tmp_path.iterdir())

    def full(content, part):
        part.write_bytes(b'half')
        raise OSError('the disk is full')

    monkeypatch.setattr(adapters.torch, 'save', full)
    with pytest.raises(OSError, match='full'):
        adapters.merge_adapter(path, out)
    assert out.read_bytes() == b'old'
    assert sorted(tmp_path.iterdir()) == before
