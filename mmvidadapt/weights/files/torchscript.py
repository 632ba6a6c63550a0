"""The tensors of a TorchScript archive, read without its program.

``torch.jit.load`` compiles what an archive brings along, and runs its
``__setstate__`` methods, which may write files. Only the attributes of the
modules are read here.
"""

import collections
import os
import pickle
import zipfile
from mmap import ACCESS_COPY, mmap
from typing import Any, Dict, Iterator, Tuple

import torch
from torch import Tensor

from .archives import check_entries, stored_bytes
from .pickles import check_pickle
from .torch_files import find_folder

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


class Shell:
    """Stands where a module was; keeps its attributes and does nothing."""

    def __setstate__(self, state: Any) -> None:
        """Keep attributes; other states are for the program to restore."""
        if not isinstance(state, dict):
            raise pickle.UnpicklingError(
                'Can only keep attributes, not run a __setstate__'
            )
        self.__dict__.update(state)


def _tensor(
    storage: Tensor, offset: int, size: Tuple[int], stride: Tuple[int], *_: Any
) -> Tensor:
    """Cut a tensor out of a storage; torch checks the bounds."""
    return torch.as_strided(storage, size, stride, offset)


def _first(value: Any, *_: Any) -> Any:
    """Give a list or dict without the type that TorchScript notes."""
    return value


NAMES = {
    ('collections', 'OrderedDict'): collections.OrderedDict,
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


class ArchiveUnpickler(pickle.Unpickler):
    """Unpickles tensors, plain types and shells of modules.

    Args:
        archive (zipfile.ZipFile): The open archive.
        folder (str): Where its entries lie.
        copy (bool): Whether the numbers are copied out of the file.
    """

    def __init__(
        self, archive: zipfile.ZipFile, folder: str, copy: bool
    ) -> None:
        super().__init__(archive.open(f'{folder}data.pkl'))
        self.archive, self.folder, self.copy = archive, folder, copy
        self.data = memoryview(
            mmap(archive.fp.fileno(), 0, access=ACCESS_COPY)
        )
        self.storages: Dict[str, Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Give what is on the list, a shell for a module, or refuse."""
        if (module, name) in NAMES:
            return NAMES[module, name]
        if module.split('.')[0] == '__torch__':  # a class of the archive
            return Shell
        raise pickle.UnpicklingError(f'GLOBAL {module}.{name} is not allowed')

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
    return dict(_walk(module, ''))


def _walk(shell: Any, prefix: str) -> Iterator[Tuple[str, Tensor]]:
    """Yield the tensors of a shell, and of those inside, by their names."""
    for name, value in vars(shell).items():
        if isinstance(value, Tensor):
            yield prefix + name, value
        elif isinstance(value, Shell):
            yield from _walk(value, f'{prefix}{name}.')
