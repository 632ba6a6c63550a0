"""The ways by which weights come into a model, for files that should not."""

import zipfile

import pytest
import torch
from mmengine.runner import CheckpointLoader

from mmvidadapt.apis.use.convert_weights import read_conversion
from mmvidadapt.apis.use.inference import load_strictly
from mmvidadapt.models import ImageViT

from .samples import LAYERS

ARCH = dict(embed_dims=8, num_layers=LAYERS, num_heads=2, patch_size=4)


def saved(content, path, zipped=True):
    """Write a file of torch.save, new or old."""
    torch.save(content, path, _use_new_zipfile_serialization=zipped)


def repack(path, change, method=zipfile.ZIP_STORED):
    """Change the entries of an archive.

    Args:
        path (Path): The archive.
        change (Callable): Of name and data of an entry, gives what is
            written in its place, None for nothing.
        method (int): How entries are packed. Defaults to ZIP_STORED.
    """
    with zipfile.ZipFile(path) as old:
        entries = [change(i.filename, old.read(i)) for i in old.infolist()]
    with zipfile.ZipFile(path, 'w', method) as new:
        for entry in filter(None, entries):
            new.writestr(*entry)


def with_pickle(data):
    """Put another pickle into an archive, for :func:`repack`."""
    return lambda name, old: (
        name,
        data if name.endswith('/data.pkl') else old,
    )


def load_as_pretrained(path):
    """Load into a backbone, as `pretrained` of a config."""
    ImageViT(arch=ARCH, img_size=12, pretrained=str(path)).init_weights()


def load_as_checkpoint(path):
    """Load as the tools test and resume, and as `load_from`."""
    load_strictly(ImageViT(arch=ARCH, img_size=12), str(path))


def load_through_mmengine(path):
    """Load as mmengine's runner, before any hook looks at it."""
    CheckpointLoader.load_checkpoint(str(path), 'cpu')


def load_to_convert(path):
    """Load as tools/convert_weights.py."""
    read_conversion(str(path))


LOADERS = (
    load_as_pretrained,
    load_as_checkpoint,
    load_to_convert,
    load_through_mmengine,
)
every_loader = pytest.mark.parametrize('load', LOADERS)
