"""Register our classes when mmaction2 registers its own.

mmaction2's registries import what they hold when they are first asked for
it, which takes seconds. So do ours: importing mmvidadapt tells them where our
classes are, and whatever imports mmaction2's imports these, too.
"""

import sys
from contextlib import suppress
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, Dict, List, Tuple

from .import_hooks import after_import, is_imported

METHODS = Path(__file__).parents[1] / 'methods'
OF_DATA = ('dataset', 'transforms')  # how modules of data sets begin


def method_modules(of_data: bool) -> Tuple[str, ...]:
    """Find the modules of all methods that register classes.

    Args:
        of_data (bool): Whether to find those of data sets and transforms,
            ``dataset*.py`` and ``transforms*.py``, or all the others.

    Returns:
        Tuple[str, ...]: Names of modules, in alphabetical order.
    """
    found = sorted(METHODS.glob('[!_]*/[!_]*.py'))
    found += [f.parent for f in METHODS.glob('[!_]*/[!_]*/__init__.py')]
    return tuple(
        '.'.join(('mmvidadapt.methods', *place.parts))
        for file in found
        for place in [file.relative_to(METHODS).with_suffix('')]
        if file.name.startswith(OF_DATA) == of_data
    )


# What mmaction2 registers -> what registers ours beside it; methods are found.
ROOMS: Dict[str, Tuple[str, ...]] = {
    'mmaction.models': (
        'mmvidadapt.trunks.vit',
        'mmvidadapt.trunks.vjepa',
        'mmvidadapt.heads.check_head',
        'mmvidadapt.heads.float32_i3d_head',
        'mmvidadapt.heads.multi_task',
        'mmvidadapt.methods.recognizer',
        'mmvidadapt.datasets.transforms.random_erasing',
        'mmvidadapt.datasets.feature_cache.preprocessor',
        *method_modules(of_data=False),
    ),
    'mmaction.datasets': (
        'mmvidadapt.datasets.transforms',
        'mmvidadapt.datasets.checked_videos',
        'mmvidadapt.datasets.feature_cache.dataset',
        *method_modules(of_data=True),
    ),
    'mmaction.engine': (
        'mmvidadapt.engine.hooks',
        'mmvidadapt.engine.optimizers',
        'mmvidadapt.engine.seed',
    ),
    'mmaction.evaluation': (
        'mmvidadapt.engine.metrics.multi_task',
        'mmvidadapt.engine.metrics.other_class',
    ),
}
SEED = ROOMS['mmaction.engine'][-1]  # in a registry of mmengine


def register_with_host() -> None:
    """Register ours whenever mmaction2's are, now if they already are.

    And what the methods' files call their parameters, with our weights.
    """
    after_import(['mmvidadapt.weights'], import_names)
    for host, rooms in ROOMS.items():
        after_import([host], partial(_import, rooms))
    after_import(['mmaction.registry'], _locate)
    after_import(['mmengine.registry'], _locate_seed)


def import_names() -> None:
    """Import what registers with our weights.

    That is the ``names.py`` of every method, with its layouts, and where the
    trunks of the table lie.
    """
    import_module('mmvidadapt.trunks.sources')
    for file in sorted(METHODS.glob('[!_]*/names.py')):
        import_module(f'mmvidadapt.methods.{file.parent.name}.names')


def _import(rooms: Tuple[str, ...]) -> None:
    """Import modules, unless one of them is what imports mmaction2 now.

    Then the registries import the others when they are asked for a class.
    """
    prefixes = tuple({f'{room.rpartition(".")[0]}.' for room in rooms})
    ours = [name for name in sys.modules if name.startswith(prefixes)]
    if all(map(is_imported, ours)):
        for room in rooms:
            import_module(room)


def _locate() -> None:
    """Add the locations of our classes to mmaction2's registries."""
    import mmaction.registry as host
    from mmengine.registry import Registry

    for registry in vars(host).values():
        if isinstance(registry, Registry):
            places = tuple(f'{p}.' for p in registry._locations)
            found = [
                room
                for name, rooms in ROOMS.items()
                if any(place.startswith(f'{name}.') for place in places)
                for room in rooms
            ]
            _add(registry, found)


def _locate_seed() -> None:
    """Add the location of our seeding to mmengine's registry of functions."""
    from mmengine.registry import FUNCTIONS

    _add(FUNCTIONS, [SEED])


def _add(registry: Any, places: List[str]) -> None:
    """Add modules that a registry imports when first asked for a class."""
    places = [p for p in places if p not in registry._locations]
    # A new list: registries without locations share one.
    registry._locations = [*registry._locations, *places]
    if registry._imported:
        for place in places:
            import_module(place)


def lazy_attributes(
    package: str, host: str, *more: str
) -> Callable[[str], Any]:
    """Make the ``__getattr__`` of a package that imports on demand.

    Args:
        package (str): The package.
        host (str): What of mmaction2 its classes are registered with; key of
            :data:`ROOMS`.
        *more (str): Other modules whose functions belong to it.

    Returns:
        Callable: The function; it knows submodules and public classes.
    """

    def __getattr__(name: str) -> Any:
        with suppress(AttributeError):
            return import_submodule(package, name)
        if not name.startswith('_'):
            import_module(host)
            for room in (*ROOMS[host], *more):
                value = vars(import_module(room)).get(name)
                if _is_ours(value):
                    return value
        raise AttributeError(f'{package!r} has no attribute {name!r}')

    return __getattr__


def import_submodule(package: str, name: str) -> ModuleType:
    """Import a submodule that is asked for as an attribute of its package.

    Args:
        package (str): The package.
        name (str): The attribute.

    Returns:
        ModuleType: The submodule.

    Raises:
        AttributeError: If there is none of this name.
    """
    if name.startswith('__') or find_spec(f'{package}.{name}') is None:
        raise AttributeError(f'module {package!r} has no attribute {name!r}')
    return import_module(f'{package}.{name}')


def _is_ours(value: Any) -> bool:
    """Check whether a class or function is one of this package."""
    return not isinstance(value, ModuleType) and str(
        getattr(value, '__module__', '')
    ).startswith('mmvidadapt.')
