"""The tool takes adapters out, puts them back, and looks at them."""

from pathlib import Path

import pytest
import torch

from mmvidadapt.weights.adapter_file import read_adapter
from tests.adapters import config_of, trained_model, write_trunk

from .processes import call


@pytest.fixture
def saved(tmp_path):
    """Write a config, a checkpoint and names of classes."""
    trunk = write_trunk(tmp_path / 'trunk.pth')
    config = config_of('aim', trunk)
    config.dump(tmp_path / 'config.py')
    model = trained_model(config, seed=6)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'whole.pth')
    (tmp_path / 'labels.txt').write_text('run\njump\nswim\nfly\n')
    return tmp_path, model


def test_there_and_back(saved, monkeypatch, capsys):
    folder, model = saved
    out = folder / 'x.adapter.safetensors'
    files = folder / 'config.py', folder / 'whole.pth', out
    args = ('--label-file', folder / 'labels.txt', '--metrics')
    args = ('extract', *files, *args, 'acc/top1=0.839')
    call(monkeypatch, 'adapter.py', *args)
    said = capsys.readouterr().out
    assert 'classes: run, jump, swim, fly\nmetrics: acc/top1 0.839' in said
    assert read_adapter(out).classes == ['run', 'jump', 'swim', 'fly']
    call(monkeypatch, 'adapter.py', 'info', out)
    assert capsys.readouterr().out == said
    call(monkeypatch, 'adapter.py', 'merge', out, folder / 'merged.pth')
    merged = torch.load(folder / 'merged.pth', weights_only=True)
    for name, value in model.state_dict().items():
        assert torch.equal(merged['state_dict'][name], value), name


def test_verify_says_what_is_right_or_wrong(saved, monkeypatch, capsys):
    folder, _ = saved
    out = folder / 'x.adapter.safetensors'
    files = folder / 'config.py', folder / 'whole.pth', out
    call(monkeypatch, 'adapter.py', 'extract', *files)
    capsys.readouterr()
    call(monkeypatch, 'adapter.py', 'verify', out)
    assert len(capsys.readouterr().out.splitlines()) == 2
    call(monkeypatch, 'adapter.py', 'verify', out, '--trunk')
    assert 'trunk.pth is its trunk' in capsys.readouterr().out
    other = write_trunk(folder / 'other.pth', seed=1)
    with pytest.raises(SystemExit, match='error: .* gives another one'):
        call(monkeypatch, 'adapter.py', 'verify', out, '--trunk', other)
    Path(folder / 'trunk.pth').rename(folder / 'moved.pth')
    with pytest.raises(SystemExit, match='error: .*trunk.pth'):
        call(monkeypatch, 'adapter.py', 'merge', out, folder / 'm.pth')
    moved = ('--trunk', folder / 'moved.pth')
    call(monkeypatch, 'adapter.py', 'merge', out, folder / 'm.pth', *moved)
    out.write_bytes(out.read_bytes()[:-1])
    with pytest.raises(SystemExit, match='error: .* it is cut off'):
        call(monkeypatch, 'adapter.py', 'verify', out)
