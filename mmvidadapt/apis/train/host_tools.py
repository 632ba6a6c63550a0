"""Run mmaction2's own tools on a healed mmaction2."""

import importlib.util
import runpy
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Set
from unittest import mock

from mmaction.registry import DATASETS, MODELS, TRANSFORMS
from mmaction.utils import register_all_modules
from mmengine.config import Config
from mmengine.registry import Registry

from mmvidadapt.engine.plain_config import plain_config

LONG_VIDEO = '--long-video-mode'


def tools_root() -> Path:
    """Return the folder of the tools that mmaction2 was installed with."""
    spec = importlib.util.find_spec('mmaction')
    return Path(spec.submodule_search_locations[0], '.mim', 'tools')


def list_tools() -> List[str]:
    """Name mmaction2's tools, such as ``analysis_tools/check_videos.py``."""
    root = tools_root()
    return sorted(p.relative_to(root).as_posix() for p in root.rglob('*.py'))


def find_tool(name: str) -> Path:
    """Find a tool by path or name.

    Args:
        name (str): A path, or the end of one of :func:`list_tools`, with or
            without ``.py``: ``'confusion_matrix'``.

    Returns:
        Path: The file.

    Raises:
        ValueError: If there is none of this name, or several.
    """
    if Path(name).is_file():
        return Path(name)
    wanted = name if name.endswith('.py') else f'{name}.py'
    tools = list_tools()
    found = [t for t in tools if f'/{t}'.endswith(f'/{wanted}')]
    if wanted in found:
        found = [wanted]
    if len(found) != 1:
        said = f'is one of {", ".join(found)}' if found else 'is no file'
        raise ValueError(
            f"'{name}' {said}; mmaction2's tools in {tools_root()} are: "
            f'{", ".join(found or tools)}.'
        )
    return tools_root() / found[0]


def run_tool(path: Path, arguments: Sequence[str]) -> None:
    """Run a tool in this process, as ``python TOOL ARGUMENTS`` would.

    mmaction2 is healed before the tool imports it, ``tools.data`` can be
    imported, and data sets and models of ours in a config pass for those of
    mmaction2 that they extend, which some tools look for by name. So does
    frame sampling where it is replaced, for a long video.

    Args:
        path (Path): The tool.
        arguments (Sequence[str]): Its command line.
    """
    register_all_modules(init_default_scope=False)
    argv = [str(path), *arguments]
    folders = [str(path.parent), str(tools_root().parent)]
    replaced = [TRANSFORMS] if LONG_VIDEO in arguments else []
    with (
        mock.patch.object(sys, 'argv', argv),
        mock.patch.object(sys, 'path', folders + sys.path),
        host_types([DATASETS, MODELS, *replaced]),
    ):
        runpy.run_path(str(path), run_name='__main__')


class HostType(str):
    """The name of a class of ours that equals those of its bases, too."""

    bases: Set[str]

    def __eq__(self, other: object) -> bool:
        """Compare with the name and with those of the bases."""
        return str.__eq__(self, other) is True or other in self.bases

    def __ne__(self, other: object) -> bool:
        """Compare as ``==`` does."""
        return not self == other

    __hash__ = str.__hash__


@contextmanager
def host_types(registries: Sequence[Registry]) -> Iterator[None]:
    """Replace types of ours in configs by those that they extend."""
    read, names = Config.fromfile, {}
    for registry in registries:
        names.update(_extended(registry))

    def fromfile(*args: Any, **kwargs: Any) -> Config:
        config = plain_config(read(*args, **kwargs))
        _rename(config._cfg_dict, names)
        return config

    with mock.patch.object(Config, 'fromfile', staticmethod(fromfile)):
        yield


def _extended(registry: Registry) -> Dict[str, HostType]:
    """Map names of ours to names that know what the class extends."""
    known = registry.module_dict.items()
    hosts = {kind: name for name, kind in known if not _is_ours(kind)}
    names = {}
    for name, kind in known:
        bases = {hosts[b] for b in getattr(kind, '__mro__', ()) if b in hosts}
        if bases and _is_ours(kind):
            names[name] = HostType(name)
            names[name].bases = bases
    return names


def _is_ours(kind: Any) -> bool:
    """Check whether a class is defined in this package."""
    return kind.__module__.startswith('mmvidadapt.')


def _rename(value: Any, names: Dict[str, HostType]) -> None:
    """Replace the types in a nested config."""
    if isinstance(value, dict):
        kind = value.get('type')
        if isinstance(kind, str) and kind in names:
            value['type'] = names[kind]
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            _rename(item, names)
