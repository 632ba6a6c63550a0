"""Adapter files: equal to the bit, and refused unless whole."""

import json
import os
import struct

import pytest
import torch
from safetensors.torch import save_file

from mmvidadapt.version import __version__
from mmvidadapt.weights.adapter_file import (
    FORMAT,
    KEY,
    AdapterFile,
    digest,
    is_adapter,
    literal,
    read_adapter,
)

CONFIG = dict(
    model=dict(type='Recognizer3D', adapt=('spatial',), rate=0.1, init=None),
    flip_label_map={4: 5, 5: 4},
    test_pipeline=[dict(type='Resize', scale=(-1, 36))],
)


def tensors():
    torch.manual_seed(0)
    return {
        'half': torch.randn(3, 4).bfloat16(),
        'turned': torch.randn(4, 3).t(),
        'table': torch.randn(5, dtype=torch.float64),
        'steps': torch.tensor(7),
    }


def adapter(**changes):
    values = dict(
        tensors=tensors(),
        config=CONFIG,
        trunk=dict(source='openai/ViT-B-16', sha256='0' * 64),
        classes=['run', 'jump'],
        metrics={'acc/top1': 0.8390000000000001},
    )
    return AdapterFile(**{**values, **changes})


def header(data):
    (length,) = struct.unpack('<Q', data[:8])
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def described(path, change):
    """Change the description of a file, with a hash that fits again."""
    head, body = header(path.read_bytes())
    said = json.loads(head['__metadata__'][KEY])
    del said['sha256']
    change(said)
    said['sha256'] = digest(tensors(), said)
    head['__metadata__'][KEY] = json.dumps(said)
    text = json.dumps(head).encode()
    path.write_bytes(struct.pack('<Q', len(text)) + text + body)


def test_what_is_read_is_what_was_written(tmp_path):
    path = tmp_path / 'x.adapter.safetensors'
    written = adapter()
    written.write(path)
    found = read_adapter(path)
    assert list(tmp_path.iterdir()) == [path]  # no partial file stays
    for name, value in tensors().items():
        assert found.tensors[name].dtype == value.dtype
        assert torch.equal(found.tensors[name], value), name
    assert len(found.tensors) == 4
    assert found.config == CONFIG
    assert type(found.config['model']['adapt']) is tuple
    assert list(found.config['flip_label_map']) == [4, 5]
    assert found.trunk == written.trunk and found.classes == ['run', 'jump']
    assert found.metrics == written.metrics
    assert found.version == __version__
    assert found.to_bytes() == written.to_bytes() == path.read_bytes()


def test_what_is_read_does_not_follow_the_file(tmp_path):
    path = tmp_path / 'x'
    adapter().write(path)
    found = read_adapter(path)
    path.write_bytes(bytes(path.stat().st_size))
    assert torch.equal(found.tensors['table'], tensors()['table'])


def test_any_flipped_bit_is_noticed(tmp_path):
    path = tmp_path / 'x'
    adapter().write(path)
    whole = path.read_bytes()
    for at in [*range(0, len(whole), 11), len(whole) - 1]:
        damaged = bytearray(whole)
        damaged[at] ^= 4
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=str(path)):
            read_adapter(path)


def test_any_lost_end_is_noticed(tmp_path):
    path = tmp_path / 'x'
    adapter().write(path)
    whole = path.read_bytes()
    for size in [0, 7, 8, 9, *range(20, len(whole), 37), len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=f'{path} is no safetensors'):
            read_adapter(path)
        assert not is_adapter(path)


def test_other_files_are_told_apart(tmp_path):
    path = tmp_path / 'x'
    with pytest.raises(FileNotFoundError, match=f'no adapter file {path}'):
        read_adapter(path)
    save_file(dict(x=torch.zeros(1)), path)
    with pytest.raises(ValueError, match='but no adapter file'):
        read_adapter(path)
    assert not is_adapter(path) and not is_adapter(tmp_path)
    torch.save(dict(x=torch.zeros(1)), path)
    with pytest.raises(ValueError, match='no safetensors file'):
        read_adapter(path)
    adapter().write(path)
    assert is_adapter(path)


@pytest.mark.parametrize('bad', [float('nan'), float('inf')])
def test_values_that_are_not_finite_are_refused(tmp_path, bad):
    path = tmp_path / 'x'
    broken = tensors()
    broken['half'][1, 2] = bad
    adapter(tensors=broken).write(path)
    with pytest.raises(ValueError, match=r"not finite, in \['half'\]"):
        read_adapter(path)


def test_no_code_of_a_description_runs(tmp_path):
    path, mark = tmp_path / 'x', tmp_path / 'mark'
    code = f'__import__("os").mkdir({str(mark)!r})'
    for config in (code, f'dict(model={code})', f'{{"model": {code}}}'):
        adapter().write(path)
        described(path, lambda said, text=config: said.update(config=text))
        with pytest.raises(ValueError, match=str(path)):
            read_adapter(path)
    assert not os.path.exists(mark)


@pytest.mark.parametrize(
    'change, reason',
    [
        (lambda s: s.update(format=FORMAT + 1), 'is newer than'),
        (lambda s: s.pop('format'), 'description is damaged'),
        (lambda s: s.pop('trunk'), 'description is damaged'),
        (lambda s: s.update(more=1), 'description is damaged'),
        (lambda s: s.update(config='[' * 5000), 'x: '),
    ],
)
def test_descriptions_that_make_no_sense_are_refused(tmp_path, change, reason):
    path = tmp_path / 'x'
    adapter().write(path)
    described(path, change)
    with pytest.raises(ValueError, match=reason):
        read_adapter(path)


@pytest.mark.parametrize(
    'value', [torch.float16, float('inf'), float('nan'), {2, 3}, os.path]
)
def test_what_is_no_plain_value_is_named(value):
    with pytest.raises(ValueError, match='config.a.1'):
        literal(dict(a=[0, value]))
