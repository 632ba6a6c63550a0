"""Read the tensors of a TorchScript archive without its program.

``torch.jit.load`` compiles what an archive brings along, and runs its
``__setstate__`` methods, which may write files. Only the attributes of the
modules are read here.
"""

import os
import zipfile
from mmap import ACCESS_COPY, mmap
from typing import Any, Dict, Tuple

import torch
from torch import Tensor

from .archives import check_entries, stored_bytes
from .pickles import check_pickle
from .torch_files import find_folder
from .unpickler import SafeUnpickler, walk

DTYPES = {
    'HalfStorage': torch.float16,
    'BFloat16Storage': torch.bfloat16,
    'FloatStorage': torch.float32,
    'DoubleStorage': torch.float64,
    'LongStorage': torch.int64,
    'IntStorage': torch.int32,
    'ShortStorage': torch.int16,
    'CharStorage': torch.int8,
    'ByteStorage': torch.uint8,
    'BoolStorage': torch.bool,
}


def _tensor(
    storage: Tensor, offset: int, size: Tuple[int], stride: Tuple[int], *_: Any
) -> Tensor:
    """Cut a tensor out of a storage; torch checks the bounds."""
    return torch.as_strided(storage, size, stride, offset)


def _first(value: Any, *_: Any) -> Any:
    """Drop the type that TorchScript notes beside a list or dict."""
    return value


NAMES = {
    **SafeUnpickler.names,
    ('torch._utils', '_rebuild_tensor_v2'): _tensor,
    **{
        ('torch.jit._pickle', name): _first
        for name in (
            'restore_type_tag',
            'build_intlist',
            'build_doublelist',
            'build_boollist',
            'build_tensorlist',
        )
    },
    **{('torch', name): dtype for name, dtype in DTYPES.items()},
}


class ArchiveUnpickler(SafeUnpickler):
    """Unpickles tensors, plain types and shells of modules.

    Args:
        archive (zipfile.ZipFile): The open archive.
        folder (str): Where its entries lie.
        copy (bool): Whether the numbers are copied out of the file.
    """

    names = NAMES
    modules = ('__torch__.',)  # classes of the archive

    def __init__(
        self, archive: zipfile.ZipFile, folder: str, copy: bool
    ) -> None:
        super().__init__(archive.open(f'{folder}data.pkl'))
        self.archive, self.folder, self.copy = archive, folder, copy
        self.data = memoryview(
            mmap(archive.fp.fileno(), 0, access=ACCESS_COPY)
        )
        self.storages: Dict[str, Tensor] = {}

    def persistent_load(self, pid: Tuple) -> Tensor:
        """Read a storage as a flat tensor; every byte of it is checked."""
        _, dtype, key, _, numel = pid
        if key not in self.storages:
            entry = self.archive.getinfo(f'{self.folder}data/{key}')
            if entry.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f'{entry.filename} is compressed')
            data = stored_bytes(self.data, entry)
            storage = (
                torch.frombuffer(data, dtype=dtype, count=numel)
                if numel
                else torch.empty(0, dtype=dtype)
            )
            self.storages[key] = storage.clone() if self.copy else storage
        return self.storages[key]


def read_torchscript(path: str, copy: bool = True) -> Dict[str, Tensor]:
    """Read the tensors of an archive of ``torch.jit.save``.

    Args:
        path (str): The archive, as OpenAI ships CLIP.
        copy (bool): Whether the numbers are copied out of the file; else
            they change with it. Defaults to True.

    Returns:
        Dict[str, Tensor]: Name to parameter, buffer or other tensor.
    """
    size = os.path.getsize(path)
    with zipfile.ZipFile(path) as archive:
        check_entries(archive.infolist(), size)
        folder = find_folder(archive.namelist())
        with archive.open(f'{folder}data.pkl') as file:
            check_pickle(file, size)
        module = ArchiveUnpickler(archive, folder, copy).load()
    return dict(walk(module))
