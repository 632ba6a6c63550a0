"""Find the names of a recognizer's classes."""

import logging
from pathlib import Path
from typing import Any, Iterator, List, Mapping, Optional, Tuple, Union

from mmengine.config import Config
from mmengine.logging import print_log

SPLITS = ('test', 'val', 'train')
FILES = ('label_file', 'label_map')  # keys with a file of names


def read_labels(path: Union[str, Path]) -> List[str]:
    """Read the names of classes, one per line."""
    lines = Path(path).read_text(encoding='utf-8').splitlines()
    return [line.strip() for line in lines if line.strip()]


def described_datasets(config: Mapping[str, Any]) -> Iterator[dict]:
    """Yield the configs of all data sets, those inside of wrappers, too.

    Args:
        config (Mapping[str, Any]): Config of a run.

    Yields:
        dict: Those of testing first.
    """
    for split in SPLITS:
        loader = config.get(f'{split}_dataloader')
        if isinstance(loader, Mapping):
            yield from _nested(loader.get('dataset'))


def _nested(described: Any) -> Iterator[dict]:
    """Yield a config and those of what it wraps."""
    if isinstance(described, Mapping):
        yield described
        for inner in (described.get('dataset'), described.get('datasets')):
            yield from _nested(inner)
    elif isinstance(described, (list, tuple)):
        for inner in described:
            yield from _nested(inner)


def class_names(
    config: Config, meta: Mapping[str, Any], num_classes: Optional[int]
) -> Optional[List[str]]:
    """Find the names of classes that a checkpoint or a config knows.

    Args:
        config (Config): Config of the run.
        meta (Mapping[str, Any]): ``meta`` of the checkpoint; its names come
            before those of the config.
        num_classes (int, optional): How many there must be.

    Returns:
        List[str] | None: The names; None if nobody knows as many.
    """
    for place, names in _known(config, meta):
        if isinstance(names, str):
            names = read_labels(names) if Path(names).is_file() else []
        if isinstance(names, (list, tuple)) and names:
            if num_classes in (None, len(names)):
                return [str(name) for name in names]
            print_log(
                f'{place} has {len(names)} names of classes, and the model '
                f'has {num_classes} classes, so they are not used.',
                logger='current',
                level=logging.WARNING,
            )
    return None


def _known(
    config: Config, meta: Mapping[str, Any]
) -> Iterator[Tuple[str, Any]]:
    """Yield where names may be, and what is there."""
    yield 'The checkpoint', _get(meta.get('dataset_meta'), 'classes')
    for key in ('dataset_meta', 'metainfo'):
        yield f'{key} of the config', _get(config.get(key), 'classes')
    for described in (config, *described_datasets(config)):
        for key in ('classes', *FILES):
            yield f'{key} of the config', described.get(key)
        metainfo = _get(described.get('metainfo'), 'classes')
        yield 'metainfo of a data set', metainfo


def _get(value: Any, key: str) -> Any:
    """Look something up where there is something to look it up in."""
    return value.get(key) if isinstance(value, Mapping) else None
