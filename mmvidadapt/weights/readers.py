"""Read tensors out of any container, unpickling nothing else."""

import json
import os
import pickle
import re
import warnings
import zipfile
from typing import (
    Any,
    Callable,
    Dict,
    Mapping,
    NamedTuple,
    Optional,
    Tuple,
    Union,
)

import torch
from torch import Tensor

# Where checkpoints keep their weights, in this order.
NESTS = ('state_dict', 'model', 'model_state', 'state_dict_ema')
# What DistributedDataParallel and torch.compile put before every name.
WRAPPED = re.compile(r'^(module\.|_orig_mod\.)+')


def _read_torchscript(path: str) -> Mapping[str, Any]:
    """Read an archive of torch.jit.save, as OpenAI ships CLIP."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', DeprecationWarning)
        return torch.jit.load(path, map_location='cpu').state_dict()


def _read_torch(path: str) -> Any:
    """Read a file of torch.save, old or new, without running its code."""
    return torch.load(path, map_location='cpu', weights_only=True)


def _read_safetensors(path: str) -> Mapping[str, Any]:
    """Read a safetensors file."""
    from safetensors.torch import load_file

    return load_file(path)


class Container(NamedTuple):
    """A kind of file: what it looks like, its reader or the way out."""

    looks: str
    read: Optional[Callable[[str], Any]] = None
    way_out: str = (
        'It is damaged or truncated: compare its size and sha256 '
        'with the published ones and fetch it again.'
    )


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
TORCHSCRIPT = Container('a TorchScript archive', _read_torchscript)
ZIP = Container('a torch.save archive', _read_torch)
CUT_ZIP = Container('a zip archive without a sound directory at its end')
PICKLE = Container('a torch.save file of the old format', _read_torch)
SAFETENSORS = Container('a safetensors file', _read_safetensors)
STRANGE = Container(
    'no container of weights that is known',
    way_out='Give a TorchScript archive, a torch.save file '
    'or a safetensors file.',
)


def load_weights_file(path: Union[str, os.PathLike]) -> Dict[str, Tensor]:
    """Read the weights of a file.

    Nested checkpoints are opened, prefixes of wrappers (``module.``) are
    removed, and floating-point tensors become float32. Pickles that ask for
    more than tensors and plain types are refused.

    Args:
        path (str | os.PathLike): TorchScript archive, file of
            ``torch.save`` or safetensors file.

    Returns:
        Dict[str, Tensor]: Name to tensor, on the CPU.
    """
    path = os.fspath(path)
    container, content = _read(path)
    tensors = _tensors(content)
    if not tensors:
        keys = list(content)[:8] if isinstance(content, Mapping) else None
        raise ValueError(
            _complaint(
                path,
                container,
                'It holds no named tensors at the top or '
                f'under {NESTS}; its content is a {type(content).__name__}'
                + (f' with the keys {keys}.' if keys else '.'),
            )
        )
    return tensors


def load_checkpoint_file(path: Union[str, os.PathLike]) -> Mapping[str, Any]:
    """Read all that a checkpoint holds, as mmengine wants it.

    Args:
        path (str | os.PathLike): File of ``torch.save``.

    Returns:
        Mapping[str, Any]: Its content, on the CPU.
    """
    path = os.fspath(path)
    container, content = _read(path)
    if container.read is _read_torch and isinstance(content, Mapping):
        return content
    raise ValueError(
        _complaint(
            path,
            container,
            'A checkpoint is a file of torch.save that holds a dict; files '
            'with weights alone go to `pretrained` of a backbone.',
        )
    )


def _read(path: str) -> Tuple[Container, Any]:
    """Read any container, or say what the file looks like instead."""
    if not os.path.isfile(path):
        state = 'is a folder' if os.path.isdir(path) else 'does not exist'
        raise FileNotFoundError(
            f'Weights {path}: it {state}. Give the path of a file.'
        )
    container = _recognise(path)
    if container.read is None:
        raise ValueError(_complaint(path, container, container.way_out))
    try:
        return container, container.read(path)
    except Exception as error:  # readers raise a dozen types on bad bytes
        raise ValueError(
            _complaint(path, container, _reason(error, container))
        ) from error


def _recognise(path: str) -> Container:
    """Tell the kind of a file by its first bytes, not by its name."""
    size = os.path.getsize(path)
    with open(path, 'rb') as file:
        head = file.read(512)
    if not head:
        return EMPTY
    if head.startswith(b'version https://git-lfs'):
        return LFS
    if re.match(rb'\s*<(!doctype|html|\?xml)', head, re.IGNORECASE):
        return PAGE
    if head.startswith(b'PK'):
        return _recognise_zip(path)
    if head.startswith(b'\x80'):
        return PICKLE
    if head[8:9] == b'{' and int.from_bytes(head[:8], 'little') > 1:
        return (
            SAFETENSORS
            if _has_header(path, size)
            else Container('a safetensors file whose header is damaged')
        )
    return STRANGE


def _recognise_zip(path: str) -> Container:
    """Tell TorchScript from torch.save."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except Exception:  # damaged directories raise more than BadZipFile
        return CUT_ZIP
    if any(name.endswith('/constants.pkl') for name in names):
        return TORCHSCRIPT
    pickled = any(name.endswith('/data.pkl') for name in names)
    return (
        ZIP
        if pickled
        else Container(
            'a zip archive of something else', way_out=STRANGE.way_out
        )
    )


def _has_header(path: str, size: int) -> bool:
    """Say whether a safetensors header is whole."""
    with open(path, 'rb') as file:
        length = int.from_bytes(file.read(8), 'little')
        if length > size - 8:
            return False
        try:
            return isinstance(json.loads(file.read(length)), dict)
        except ValueError:
            return False


def _complaint(path: str, container: Container, reason: str) -> str:
    """Name the file and what it looks like."""
    return (
        f'Cannot read weights from {path} ({os.path.getsize(path)} '
        f'bytes): it looks like {container.looks}. {reason}'
    )


def _reason(error: Exception, container: Container) -> str:
    """Say why reading failed, and the way out."""
    text = str(error)
    found = re.search(r'GLOBAL (\S+)', text)
    if isinstance(error, pickle.UnpicklingError) and found:
        return (
            f'It is refused, because it asks to unpickle {found[1]}, '
            'which is neither a tensor nor a plain type and may run '
            'code. If you trust its author, save its `state_dict` alone '
            'once, where that type is at home.'
        )
    lines = [line for line in text.splitlines() if line.strip()]
    # torch's own first lines advise to drop the protection.
    first = next((x for x in lines if 'weights_only' not in x), '')[:200]
    return f'{container.way_out} ({type(error).__name__}: {first})'


def _tensors(content: Any) -> Dict[str, Tensor]:
    """Give the tensors of a checkpoint by their names."""
    for _ in NESTS:  # a nest may lie in another one
        if not isinstance(content, Mapping):
            return {}
        inner = [content[k] for k in NESTS if k in content]
        content = next((v for v in inner if isinstance(v, Mapping)), content)
    return {
        WRAPPED.sub('', name): _plain(value)
        for name, value in content.items()
        if isinstance(name, str) and isinstance(value, Tensor)
    }


def _plain(tensor: Tensor) -> Tensor:
    """Cut a tensor off autograd and give floats in single precision."""
    tensor = tensor.detach()
    return tensor.float() if tensor.is_floating_point() else tensor
