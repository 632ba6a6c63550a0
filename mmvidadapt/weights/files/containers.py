"""Recognize kinds of files by their content, and read each its way."""

import json
import os
import re
import zipfile
from typing import Any, Callable, Mapping, NamedTuple, Optional

from .archives import find_directory
from .arrays import read_flax, read_npz
from .msgpack import looks_like_msgpack
from .pickled_objects import MOST_DIMENSIONS
from .plain_types import allow_plain_types
from .torch_files import ZIPPED, read_archive, read_legacy
from .torchscript import read_torchscript

allow_plain_types()


def _read_safetensors(path: str, copy: bool) -> Mapping[str, Any]:
    """Read a safetensors file, which the library only maps."""
    from safetensors.torch import load_file

    tensors = load_file(path)
    return {k: v.clone() for k, v in tensors.items()} if copy else tensors


def _copying(read: Callable[[str], Any]) -> Callable[[str, bool], Any]:
    """Wrap a reader that copies whether it is asked to or not."""
    return lambda path, copy: read(path)


class Container(NamedTuple):
    """A kind of file: what it looks like, its reader or the way out."""

    looks: str
    read: Optional[Callable[[str, bool], Any]] = None  # of a path; copy?
    way_out: str = (
        'It is damaged or truncated: compare its size and sha256 '
        'with the published ones and fetch it again.'
    )


MOST_HEADER = 10 << 20  # bytes; one of 1,000 tensors has 100,000
EMPTY = Container('an empty file')
LFS = Container(
    'a Git LFS pointer, not the file it stands for',
    way_out='Fetch the file itself: git lfs pull.',
)
PAGE = Container(
    'a web page',
    way_out='Download the file itself; a sign-in or '
    'confirmation page was saved in its place.',
)
TORCHSCRIPT = Container('a TorchScript archive', read_torchscript)
ZIP = Container('a torch.save archive', read_archive)
CUT_ZIP = Container('a zip archive without a sound directory at its end')
PICKLE = Container('a torch.save file of the old format', read_legacy)
SAFETENSORS = Container('a safetensors file', _read_safetensors)
CUT_SAFETENSORS = Container('a safetensors file whose header is damaged')
FLAX = Container('a flax checkpoint (msgpack)', _copying(read_flax))
NPZ = Container('a NumPy archive', _copying(read_npz))
STRANGE = Container(
    'no container of weights that is known',
    way_out='Give a TorchScript archive, a torch.save file, '
    'a safetensors file, a flax checkpoint or an .npz file.',
)
OTHER_ZIP = Container('a zip archive of something else', None, STRANGE.way_out)
# Whole models as others release them, which mmengine does not read.
FOREIGN = (SAFETENSORS, FLAX)


def recognize(path: str) -> Container:
    """Recognize the kind of a file by its first bytes, not by its name."""
    with open(path, 'rb') as file:
        head = file.read(512)
    if not head:
        return EMPTY
    if head.startswith(b'version https://git-lfs'):
        return LFS
    if re.match(rb'\s*<(!doctype|html|\?xml)', head, re.IGNORECASE):
        return PAGE
    if head.startswith(ZIPPED):
        return _recognize_zip(path)
    if head.startswith(b'\x80'):
        return PICKLE
    # First, for lengths can look like the start of a map of msgpack.
    if head[8:9] == b'{' and 1 < int.from_bytes(head[:8], 'little') < 1 << 32:
        return SAFETENSORS if has_header(path) else CUT_SAFETENSORS
    return FLAX if looks_like_msgpack(head) else STRANGE


def _recognize_zip(path: str) -> Container:
    """Distinguish TorchScript from torch.save."""
    try:
        with open(path, 'rb') as file:
            find_directory(file, os.path.getsize(path))
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except Exception:  # damaged directories raise more than BadZipFile
        return CUT_ZIP
    if any(name.endswith('/constants.pkl') for name in names):
        return TORCHSCRIPT
    if names and all(name.endswith('.npy') for name in names):
        return NPZ
    pickled = any(name.endswith('/data.pkl') for name in names)
    return ZIP if pickled else OTHER_ZIP


def has_header(path: str) -> bool:
    """Check whether a file has a safetensors header that is whole.

    Args:
        path (str): The file.

    Returns:
        bool: Whether it is a dict, no longer than ``MOST_HEADER``, that
        names shapes as tensors have them.
    """
    with open(path, 'rb') as file:
        length = int.from_bytes(file.read(8), 'little')
        if length > min(os.path.getsize(path) - 8, MOST_HEADER):
            return False
        try:
            header = json.loads(file.read(length))
        except (RecursionError, ValueError):
            return False
    if not isinstance(header, dict):
        return False
    header.pop('__metadata__', None)  # whose `shape` is anything
    return all(map(_is_entry, header.values()))


def _is_entry(entry: Any) -> bool:
    """Check whether the header's entry is of a tensor, or of none."""
    shape = entry.get('shape', []) if isinstance(entry, dict) else None
    return isinstance(shape, list) and len(shape) <= MOST_DIMENSIONS
