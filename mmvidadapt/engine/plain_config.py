"""Rewrite configs that hold classes to names and plain values."""

import sys
from pathlib import PurePath
from types import FunctionType, ModuleType
from typing import Any, Dict, Tuple

import mmengine.registry
import numpy as np
from mmengine.config import Config
from mmengine.config.lazy import LazyAttr, LazyObject
from mmengine.registry import Registry

SCOPES = ('mmengine', 'mmaction')  # where names are looked up by themselves


def plain_config(config: Config) -> Config:
    """Rewrite a config so that it holds plain values only.

    mmengine's pure Python configs hold classes and functions where others
    have their names, as ``type=AIM``. Such a config runs, but what is written
    of it cannot be read again, and parts of mmaction2 want names.

    Args:
        config (Config): Any config; it stays as it is.

    Returns:
        Config: The same where nothing has to be changed, else a new one with
        the names under which classes are registered, texts for paths, and
        Python's numbers for NumPy's.
    """
    if not _foreign(config._to_lazy_dict()):
        return config
    return Config(plain_dict(config), filename=config.filename)


def plain_dict(config: Config) -> Dict[str, Any]:
    """Return what :func:`plain_config` holds, as dicts of Python."""
    found = config._to_lazy_dict()
    plain = _plain(found, _registered())
    # Classes need no scope to be found in, names do.
    if _foreign(found) or 'default_scope' in plain:
        plain['default_scope'] = plain.get('default_scope') or 'mmaction'
    return plain


def _plain(value: Any, names: Dict[Any, str]) -> Any:
    """Rewrite a nested value with the names of registered objects."""
    if isinstance(value, (LazyAttr, LazyObject)):
        value = value.build()
    if isinstance(value, dict):
        return {
            _plain(key, names): _plain(item, names)
            for key, item in dict.items(value)
        }
    if isinstance(value, (list, tuple)):
        items = [_plain(item, names) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, (type, FunctionType)):
        return names.get(value) or f'{value.__module__}.{value.__qualname__}'
    return _plain_leaf(value)


def _plain_leaf(value: Any) -> Any:
    """Rewrite what holds no other values."""
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, _dtypes()):
        return str(value).replace('torch.', '')
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (str, PurePath)):
        return str.__str__(value) if isinstance(value, str) else str(value)
    return value


def _foreign(value: Any) -> bool:
    """Check whether a nested value holds anything to be rewritten."""
    if isinstance(value, dict):
        return any(map(_foreign, dict.values(value)))
    if isinstance(value, (list, tuple)):
        return any(map(_foreign, value))
    kinds = (LazyAttr, LazyObject, type, FunctionType, ModuleType)
    return isinstance(value, (*kinds, *_dtypes(), np.generic, PurePath))


def _dtypes() -> Tuple[type, ...]:
    """Return the type of torch's dtypes, if torch has been imported."""
    torch = sys.modules.get('torch')
    return () if torch is None else (torch.dtype,)


def _registered() -> Dict[Any, str]:
    """Map what is registered to its name, with a scope where it needs one."""
    import mmaction.registry

    names: Dict[Any, str] = {}
    for module in (mmaction.registry, mmengine.registry):
        for registry in vars(module).values():
            if isinstance(registry, Registry):
                _collect(registry, names)
    return names


def _collect(registry: Registry, names: Dict[Any, str]) -> None:
    """Add what a registry and its children hold."""
    prefix = '' if registry.scope in SCOPES else f'{registry.scope}.'
    for name, kind in registry.module_dict.items():
        names.setdefault(kind, prefix + name)
    for child in registry.children.values():
        _collect(child, names)
