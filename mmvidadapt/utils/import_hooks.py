"""Act on modules when they are imported, instead of importing them to act."""

import sys
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Callable, Dict, List, Optional, Sequence, Set

Action = Callable[[], Any]


class _Finder(MetaPathFinder):
    """Find modules as the other finders do; load some through a function."""

    def __init__(self) -> None:
        self.through: Dict[str, Callable[[Action], Any]] = {}
        self.after: Dict[str, List[Action]] = {}
        self.executed: Set[str] = set()

    def find_spec(
        self, name: str, path: Any = None, target: Any = None
    ) -> Optional[ModuleSpec]:
        """Ask the others, for what somebody waits for only."""
        if name in self.through or name in self.after:
            others = (f for f in sys.meta_path if f is not self)
            for find in (getattr(f, 'find_spec', None) for f in others):
                spec = find and find(name, path, target)
                if spec is not None and spec.loader is not None:
                    spec.loader = _Loader(spec.loader)
                    return spec
        return None

    def execute(self, name: str, run: Action) -> None:
        """Execute a module, and do what waits for it."""
        self.through.get(name, _call)(run)
        self.executed.add(name)
        for action in self.after.get(name, ()):
            action()


def _call(run: Action) -> None:
    """Execute a module as it is."""
    run()


class _Loader(Loader):
    """Stand for a loader until the module is executed."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> Optional[ModuleType]:
        """Create the module as the loader does."""
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module, which then knows its own loader only."""
        module.__loader__ = module.__spec__.loader = self.loader
        run = partial(self.loader.exec_module, module)
        FINDER.execute(module.__name__, run)

    def __getattr__(self, name: str) -> Any:
        """Return other attributes of the loader, such as its path."""
        return getattr(self.loader, name)


FINDER = _Finder()


def is_imported(name: str) -> bool:
    """Check whether a module has been executed to its end."""
    if name in FINDER.executed:
        return name in sys.modules
    spec = getattr(sys.modules.get(name), '__spec__', None)
    return name in sys.modules and not getattr(spec, '_initializing', False)


def import_through(name: str, load: Callable[[Action], Any]) -> None:
    """Import a module through a function, unless it is imported already.

    Args:
        name (str): The module.
        load (Callable): Called with a function that executes the module, as
            often as that is needed.
    """
    _watch()
    FINDER.through[name] = load


def after_import(names: Sequence[str], action: Action) -> None:
    """Act when one of some modules has been imported, at once if it is there.

    While another of them is being imported, it is waited for. The action is
    called for each of them, so it should do no harm when repeated, but not
    while it runs, if it imports one itself.

    Args:
        names (Sequence[str]): The modules.
        action (Callable): What to do.
    """
    running: List[bool] = []

    def act() -> None:
        settled = all(n not in sys.modules or is_imported(n) for n in names)
        if settled and not running:
            running.append(True)
            try:
                action()
            finally:
                running.clear()

    _watch()
    for name in names:
        FINDER.after.setdefault(name, []).append(act)
    if any(map(is_imported, names)):
        act()


def _watch() -> None:
    """Be asked for every module that is imported from now on."""
    if FINDER not in sys.meta_path:
        sys.meta_path.insert(0, FINDER)
