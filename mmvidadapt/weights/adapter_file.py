"""Read and write adapter files: what was trained, and on which trunk."""

import json
import os
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from mmvidadapt.utils.config_data import (
    MOST_TEXT,
    check_config,
    own_imports,
    read_literal,
)
from mmvidadapt.utils.sha256 import fingerprint
from mmvidadapt.utils.whole_file import whole_file
from mmvidadapt.version import __version__

from .adapter_schema import FORMAT, check_adapter_config, check_description
from .damage import count_not_finite
from .files.containers import has_header

SUFFIX = '.adapter.safetensors'
KEY = 'mmvidadapt_adapter'  # of the one entry of the metadata


@dataclass(frozen=True)
class AdapterFile:
    """Content of an adapter file.

    Args:
        tensors (Dict[str, Tensor]): What was trained, and what is frozen but
            not of the image model: buffers, random tables.
        config (Dict[str, Any]): The whole config, plain values only.
        trunk (Dict[str, Optional[str]]): ``source``, the alias, URL or path
            of the image weights, and ``sha256`` of the frozen tensors.
        classes (List[str], optional): Names of the classes.
            Defaults to None.
        metrics (Dict[str, float], optional): What was measured with these
            very weights. Defaults to None.
        version (str, optional): Of the mmvidadapt that wrote it.
            Defaults to None: the one that runs.
    """

    tensors: Dict[str, Tensor]
    config: Dict[str, Any]
    trunk: Dict[str, Optional[str]]
    classes: Optional[List[str]] = None
    metrics: Optional[Dict[str, float]] = None
    version: Optional[str] = None

    def to_bytes(self) -> bytes:
        """Serialize the file; equal content, equal bytes."""
        said = dict(
            format=FORMAT,
            version=self.version or __version__,
            config=literal(self.config),
            trunk=self.trunk,
            classes=self.classes,
            metrics=self.metrics or {},
        )
        said['sha256'] = digest(self.tensors, said)
        check_description(said)
        check_adapter_config(self.config, self.classes)
        tensors = {
            name: tensor.detach().cpu().contiguous().clone()
            for name, tensor in self.tensors.items()
        }
        return save(tensors, {KEY: json.dumps(said)})

    def write(self, path: str | os.PathLike) -> None:
        """Write the file, whole or not at all."""
        with whole_file(path) as part:
            part.write_bytes(self.to_bytes())


def read_adapter(path: str | os.PathLike) -> AdapterFile:
    """Read an adapter file, running nothing that is in it.

    Args:
        path (str | os.PathLike): The file.

    Returns:
        AdapterFile: Its content.

    Raises:
        ValueError: If it is no adapter file, damaged, or has values that are
            not finite.
    """
    path = os.fspath(path)
    text, tensors = _open(path)
    try:
        adapter = _parse(text, tensors)
    except (RecursionError, ValueError) as error:  # JSON nested too deeply
        raise ValueError(f'{path}: {error}.') from error
    check_finite(path, tensors)
    return adapter


def _parse(text: str, tensors: Dict[str, Tensor]) -> AdapterFile:
    """Read the description, and compare the hash in it."""
    said = json.loads(text)
    check_description(said)
    claimed = said.pop('sha256')
    found = digest(tensors, said)
    if found != claimed:
        raise ValueError(
            f'it is damaged: its content has the sha256 {found[:12]}, but was '
            f'written with {claimed[:12]}; copy it once more'
        )
    config = read_literal(said['config'])
    check_adapter_config(config, said['classes'])
    said['config'] = own_imports(config)
    del said['format']
    return AdapterFile(tensors, **said)


def is_adapter(path: str | os.PathLike) -> bool:
    """Check whether a file describes itself as an adapter file."""
    try:
        if not has_header(os.fspath(path)):
            return False
        with safe_open(path, 'pt') as file:
            return KEY in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False


def _open(path: str) -> Tuple[str, Dict[str, Tensor]]:
    """Read the description and copy the tensors."""
    way_out = 'Make one with tools/adapter.py extract.'
    if not os.path.isfile(path):
        raise FileNotFoundError(f'There is no adapter file {path}. {way_out}')
    try:
        if not has_header(path):
            raise SafetensorError('its header is damaged, or none')
        with safe_open(path, 'pt') as file:
            text = (file.metadata() or {}).get(KEY)
            # Else they would follow what happens to the file.
            tensors = {k: file.get_tensor(k).clone() for k in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f'{path} is no safetensors file, or it is cut off ({error}). '
            f'{way_out}'
        ) from error
    if text is None:
        raise ValueError(
            f'{path} is a safetensors file, but no adapter file: its metadata '
            f'has no {KEY}. {way_out}'
        )
    return text, tensors


def digest(tensors: Dict[str, Tensor], said: Dict[str, Any]) -> str:
    """Hash all that a file holds."""
    return fingerprint(tensors, json.dumps(said, sort_keys=True))


def check_finite(path: str, tensors: Dict[str, Tensor]) -> None:
    """Raise where a tensor holds infinite values or none at all."""
    bad = [
        name for name, tensor in tensors.items() if count_not_finite(tensor)
    ]
    if bad:
        raise ValueError(
            f'{path} holds values that are not finite, in {bad[:5]}. The '
            'training that wrote it had diverged; take an earlier one.'
        )


def literal(config: Dict[str, Any]) -> str:
    """Write a config as a Python literal, which keeps tuples and numbers.

    Unlike the text of a config file it is read without running code.

    Args:
        config (Dict[str, Any]): Plain values, nested.

    Returns:
        str: What ``ast.literal_eval`` turns back into an equal dict.
    """
    try:
        check_config(config)
    except ValueError as error:
        raise ValueError(
            f'{error}, but an adapter file holds plain values only: texts, '
            'finite numbers, lists, tuples, dicts. Write it as one of them, '
            'or drop AdapterCheckpointHook from custom_hooks.'
        ) from error
    check_adapter_config(config)
    text = repr(config)
    if len(text) > MOST_TEXT:
        raise ValueError(
            f'The config has {len(text):,} characters, more than the '
            f'{MOST_TEXT:,} of an adapter file. Move lists out of it, or drop '
            'AdapterCheckpointHook from custom_hooks.'
        )
    return text
