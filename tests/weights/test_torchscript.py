"""TorchScript archives: what torch reads out of them, and nothing run."""

import pickle
import zipfile

import pytest
import torch
from torch import nn

from mmvidadapt.weights import load_weights_file
from mmvidadapt.weights.files.torchscript import read_torchscript

from .loaders import repack, with_pickle
from .samples import Node, same, vit


class Strange(nn.Module):
    """Attributes of every kind, tied and sliced tensors, buffers."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
        self.inner[0].half()
        self.tied = self.inner[0].weight
        self.sliced = nn.Parameter(torch.arange(24.0).view(4, 6)[1:3, ::2].T)
        self.brain = nn.Parameter(torch.ones(2, dtype=torch.bfloat16))
        self.register_buffer('size', torch.tensor(224))
        self.register_buffer('flags', torch.tensor([True, False]))
        self.register_buffer('none', torch.empty(0, 3))
        self.names, self.numbers, self.reals = ['a', 'b'], [1, 2], [0.5]
        self.table, self.pair, self.rate = {'a': 1.0}, (1, 'x'), 0.1

    def forward(self, x):
        """Use every attribute, so that it is kept."""
        use = self.numbers[0] + self.reals[0] + self.table['a'] + self.rate
        return x * use * len(self.names) * self.pair[0]


def scripted(module, path):
    torch.jit.save(torch.jit.script(module), str(path))
    return str(path)


def test_all_that_torch_reads_is_read(tmp_path):
    path = scripted(Strange(), tmp_path / 'x.pt')
    expected = torch.jit.load(path).state_dict()
    assert len(expected) == 10
    found = read_torchscript(path)
    same(found, {k: v.detach() for k, v in expected.items()})
    found['size'] += 1  # may be written to


def test_openais_name_of_the_folder_does_not_matter(tmp_path):
    path = scripted(Node(vit()), tmp_path / 'ViT-B-16.pt')
    (tmp_path / 'ViT-B-16.pt').rename(tmp_path / 'renamed.pt')
    same(load_weights_file(tmp_path / 'renamed.pt'), vit())
    assert path.endswith('ViT-B-16.pt')


def without_end(name, data):
    """Cut a storage."""
    return name, data[:-4] if name.endswith('data/1') else data


def renamed(name, data):
    """Call a storage by another name."""
    return name.replace('data/1', 'data/x'), data


def beyond(name, data):
    """Let a tensor reach beyond its storage."""
    return name, data.replace(b'(K\x08K\x08t', b'(K\x7fK\x08t')


PROGRAM = b'\x80\x02c__torch__.x\nNode\n)\x81K\x01K\x02\x86b.'
COMPRESSED = 'is compressed|packed by method 14'  # may stand for gigabytes


@pytest.mark.parametrize(
    'change, method, reason',
    [
        (without_end, zipfile.ZIP_STORED, 'damaged or truncated'),
        (renamed, zipfile.ZIP_STORED, 'damaged or truncated'),
        (lambda *entry: entry, zipfile.ZIP_DEFLATED, COMPRESSED),
        (lambda *entry: entry, zipfile.ZIP_LZMA, COMPRESSED),
        (beyond, zipfile.ZIP_STORED, 'out of bounds'),
        (with_pickle(PROGRAM), zipfile.ZIP_STORED, 'not run a __setstate__'),
    ],
    ids=['cut', 'renamed', 'deflated', 'lzma', 'beyond', 'program'],
)
def test_what_was_changed_is_refused(tmp_path, change, method, reason):
    path = tmp_path / 'x.pt'
    scripted(Node(vit()), path)
    repack(path, change, method)
    with pytest.raises(ValueError, match=reason) as error:
        load_weights_file(path)
    assert str(path) in str(error.value)
    if '__setstate__' in reason:
        assert 'refused' in str(error.value)
        with pytest.raises(pickle.UnpicklingError):
            read_torchscript(str(path))
