"""Weights are mapped where they are copied at once, and copied elsewhere."""

import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mmvidadapt.apis.use.inference import load_strictly
from mmvidadapt.engine.checkpoints import read_checkpoint
from mmvidadapt.models import ImageViT
from mmvidadapt.weights import load_weights_file
from mmvidadapt.weights.damage import count_not_finite, has_nan

from .loaders import ARCH
from .samples import same, vit
from .test_readers import WRITERS as EVERY
from .test_readers import save_torchscript

WRITERS = {k: v for k, v in EVERY.items() if k != 'legacy'}
every_writer = pytest.mark.parametrize('write', WRITERS.values(), ids=WRITERS)


def spoil(path):
    """Overwrite a file in place."""
    with path.open('r+b') as file:
        file.write(b'\x7f' * path.stat().st_size)
        file.flush()


def is_mapped(tensor, path):
    """Whether a tensor lies in the pages of a file."""
    for line in Path('/proc/self/maps').read_text().splitlines():
        if line.rstrip().endswith(str(path)):
            start, end = (int(x, 16) for x in line.split()[0].split('-'))
            if start <= tensor.data_ptr() < end:
                return True
    return False


@pytest.mark.parametrize(
    'read, write',
    [
        *((load_weights_file, write) for write in WRITERS.values()),
        # Its optimizer state mmengine keeps as it is read.
        (read_checkpoint, torch.save),
        (read_checkpoint, save_file),
    ],
)
def test_what_is_read_does_not_follow_the_file(tmp_path, read, write):
    path = tmp_path / 'x'
    write(vit(), path)
    found = read(str(path))
    spoil(path)
    same(dict(found), vit())


@every_writer
@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
def test_what_is_copied_at_once_is_mapped(tmp_path, write):
    path = tmp_path / 'x'
    write(vit(), path)
    for copy in (True, False):
        found = load_weights_file(path, copy=copy)
        assert {is_mapped(v, path) for v in found.values()} == {not copy}
        same(found, vit())


@every_writer
def test_a_loaded_model_does_not_follow_the_file(tmp_path, write):
    path = tmp_path / 'x'
    write(vit(), path)
    model = ImageViT(arch=ARCH, img_size=12, pretrained=str(path))
    model.init_weights()
    other = ImageViT(arch=ARCH, img_size=12)
    if write is not save_torchscript:  # no checkpoint for mmengine
        load_strictly(other, str(path))
    else:
        other.load_state_dict(model.state_dict())
    spoil(path)
    path.unlink()
    for loaded in (model, other):
        same(dict(loaded.state_dict()), vit())


@pytest.mark.parametrize('write', [torch.save, save_torchscript])
def test_a_wrong_bit_is_noticed_in_what_is_mapped(tmp_path, write):
    path = tmp_path / 'x'
    write(vit(), path)
    data = bytearray(path.read_bytes())
    name = 'transformer.resblocks.1.mlp.c_fc.weight'
    data[data.index(vit()[name].numpy().tobytes()) + 5] ^= 4
    path.write_bytes(data)
    with pytest.raises(ValueError, match='checksum'):
        load_weights_file(path, copy=False)


FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@pytest.mark.parametrize('dtype', FLOATS)
def test_what_is_not_finite_is_counted(dtype):
    most = torch.finfo(dtype).max
    for values in (
        [],
        [1.0, -2.0],
        [most] * 9,  # whose sum is infinite
        [-most, most, most, most],
        [float('nan')],
        [float('inf'), float('-inf'), 1.0],
        [float('inf')] * 3,
        [most, most, float('nan'), float('-inf')],
    ):
        x = torch.tensor(values, dtype=dtype)
        assert count_not_finite(x) == int((~torch.isfinite(x)).sum())
        assert has_nan(x) == bool(x.isnan().any())
    assert count_not_finite(torch.empty(3, device='meta')) == 0
    assert count_not_finite(torch.arange(3)) == 0
    eight = torch.tensor([1.0, float('nan')]).to(torch.float8_e5m2)
    assert count_not_finite(eight) == 1 and has_nan(eight)
