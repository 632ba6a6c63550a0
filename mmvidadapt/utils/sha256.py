"""Hash files, texts and tensors."""

import hashlib
import os
from typing import TYPE_CHECKING, BinaryIO, Dict, Iterable, Optional, Union

if TYPE_CHECKING:
    from torch import Tensor

CHUNK = 1 << 20  # bytes


def hash_bytes(parts: Union[bytes, Iterable[bytes]]) -> str:
    """Hash bytes, or several of them one behind the other.

    Args:
        parts (bytes | Iterable[bytes]): What is hashed.

    Returns:
        str: 64 hexadecimal digits, as of the others.
    """
    digest = hashlib.sha256()
    for part in [parts] if isinstance(parts, bytes) else parts:
        digest.update(part)
    return digest.hexdigest()


def hash_file(path: Union[str, os.PathLike]) -> str:
    """Hash a file."""
    with open(path, 'rb') as file:
        return start_hash(file).hexdigest()


def start_hash(
    file: Optional[BinaryIO] = None, size: Optional[int] = None
) -> 'hashlib._Hash':
    """Hash the first bytes of a file, for others to follow.

    Args:
        file (BinaryIO, optional): At the first byte.
            Defaults to None: nothing yet.
        size (int, optional): How many. Defaults to None: all.

    Returns:
        hashlib._Hash: With ``update`` and ``hexdigest``.
    """
    digest, left = hashlib.sha256(), size
    while file and (
        block := file.read(CHUNK if left is None else min(CHUNK, left))
    ):
        digest.update(block)
        left = None if left is None else left - len(block)
    return digest


def fingerprint(tensors: Dict[str, 'Tensor'], note: str = '') -> str:
    """Hash names, types and values of tensors, and a note.

    Args:
        tensors (Dict[str, Tensor]): On any device, or sharded by FSDP2.
        note (str): Hashed first. Defaults to ''.

    Returns:
        str: The hash.

    Raises:
        ValueError: If FSDP1 has cut the tensors into shards.
    """
    import torch  # which tools that hash files do without

    digest = hashlib.sha256(note.encode())
    for name, tensor in sorted(tensors.items()):
        if '_fsdp_wrapped_module' in name:
            raise ValueError(
                f'{name} is cut into shards by FSDP, so the trunk has no hash '
                'to compare with cached features; wrap the model with DDP or '
                'with FSDP2 (fully_shard).'
            )
        if hasattr(tensor, 'full_tensor'):  # sharded by FSDP2
            tensor = tensor.full_tensor()
        digest.update(f'{name} {tensor.dtype} {tuple(tensor.shape)}'.encode())
        # A copy: FSDP2 cannot free what NumPy has looked at.
        data = tensor.detach().to('cpu', copy=True).contiguous().flatten()
        digest.update(data.view(torch.uint8).numpy().data)
    return digest.hexdigest()
