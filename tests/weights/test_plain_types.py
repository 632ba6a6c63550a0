"""Old checkpoints: plain types of other packages are read as plain data."""

import argparse
import datetime
import pathlib
import sys
import types

import numpy as np
import pytest
import torch

from mmvidadapt.engine.checkpoints import read_checkpoint
from mmvidadapt.weights import load_weights_file
from mmvidadapt.weights.files.plain_types import DICTS, plain_types

from .samples import same, vit


def written(path, zipped=True, **content):
    torch.save(
        {'state_dict': vit(), **content},
        path,
        _use_new_zipfile_serialization=zipped,
    )
    same(load_weights_file(path), vit())
    return read_checkpoint(str(path))


@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize('name', DICTS)
def test_dicts_of_packages_that_are_not_there(
    tmp_path, monkeypatch, name, zipped
):
    module, _, cls = name.rpartition('.')
    place = types.ModuleType(module)
    kind = type(cls, (dict,), {'__module__': module})
    setattr(place, cls, kind)
    given = kind(model=kind(type='AIM', lr=3e-4), names=['a', 'b'])
    given.frozen = True  # an attribute beside the entries
    path = tmp_path / 'x.pth'
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, module, place)
        torch.save(
            {'state_dict': vit(), 'meta': given},
            path,
            _use_new_zipfile_serialization=zipped,
        )
    monkeypatch.setitem(sys.modules, module, None)
    same(load_weights_file(path), vit())
    found = read_checkpoint(str(path))['meta']
    assert found == dict(model=dict(type='AIM', lr=3e-4), names=['a', 'b'])
    assert kind not in (type(found), type(found['model']))


@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize(
    'value',
    [
        argparse.Namespace(lr=3e-4, data='/data', tubelet=[2, 4, 4]),
        datetime.datetime(2022, 11, 1, 12, 30, 5),
        datetime.timedelta(days=2, seconds=3),
        pathlib.PurePosixPath('/data/k400'),
        np.arange(3, dtype='i1'),
        np.array(['walk', 'run']),
        np.array([{'a': 1}, None], dtype=object),
        np.complex64(1 + 2j),
        np.bool_(True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_plain_values_come_back(tmp_path, value, zipped):
    found = written(tmp_path / 'x.pth', zipped, args=value)['args']
    assert np.all(found == value) and type(found) is type(value)


def test_paths_become_pure_ones(tmp_path):
    found = written(tmp_path / 'x.pth', output=tmp_path)['output']
    assert found == pathlib.PurePath(tmp_path)
    assert not hasattr(found, 'unlink')


def test_nothing_on_the_list_can_run_or_write():
    allowed = {kind for kind, _ in plain_types()}
    assert not {k for k in allowed if not isinstance(k, type)}
    for kind in allowed:
        assert not issubclass(kind, (pathlib.Path, type(print))), kind
