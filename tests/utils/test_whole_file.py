"""What is written is whole, or as it was before."""

import errno
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.fileio import get_file_backend
from mmengine.runner import save_checkpoint

from mmvidadapt.apis.use import adapters
from mmvidadapt.utils.whole_file import whole_file
from tests.adapters import config_of, write_adapter


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


def test_what_mmengine_writes_is_whole(tmp_path, monkeypatch):
    """Its checkpoints, and whatever else goes through its backends."""
    path = tmp_path / 'run' / 'x.pth'
    arguments = (dict(), dict(file_client_args=dict(backend='disk')))
    for how in arguments:
        save_checkpoint(dict(x=1), str(path), **how)
    before = path.read_bytes()

    def full(part, content):
        with open(part, 'wb') as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(Path, 'write_bytes', full)
    for how in arguments:
        with pytest.raises(OSError, match='disk full'):
            save_checkpoint(dict(x=2), str(path), **how)
    with pytest.raises(OSError, match='disk full'):
        get_file_backend(str(path)).put_text('y', path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_is_told_with_file_and_space(tmp_path, monkeypatch):
    path = tmp_path / 'best.pth'
    usage = SimpleNamespace(free=3_000_000)
    monkeypatch.setattr(shutil, 'disk_usage', lambda folder: usage)
    with pytest.raises(OSError) as error, whole_file(path, 7_500_000) as part:
        part.write_bytes(bytes(2_000_000))
        raise OSError(errno.ENOSPC, 'No space left on device')
    assert error.value.errno == errno.ENOSPC
    for word in (str(path), '7.5 MB are needed', '5.0 MB are free', 'Make'):
        assert word in str(error.value)
    assert not list(tmp_path.iterdir())
    path.touch()
    with (
        pytest.raises(OSError, match='file of before is still') as error,
        whole_file(path) as part,
    ):
        part.write_bytes(bytes(2_000_000))
        raise OSError(errno.EDQUOT, 'Disk quota exceeded')
    assert 'quota used up): more than 2.0 MB' in str(error.value)


def test_content_is_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    done = []
    for name in ('fsync', 'replace'):
        true = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *a, n=name, f=true: (done.append(n), f(*a))
        )
    get_file_backend(str(tmp_path)).put(b'x', tmp_path / 'x.pth')
    assert done == ['fsync', 'replace', 'fsync']  # file, name, folder


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
