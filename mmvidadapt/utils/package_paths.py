"""mmengine's search for installed packages, without pkg_resources."""

import importlib.util
import os.path as osp
import sys
from importlib.metadata import (
    PackageNotFoundError,
    distribution,
    packages_distributions,
)


def is_installed(package: str) -> bool:
    """Check whether a distribution or module of this name is installed."""
    try:
        distribution(package)
        return True
    except PackageNotFoundError:
        spec = importlib.util.find_spec(package)
        return spec is not None and spec.origin is not None


def package2module(package: str) -> str:
    """Infer the module that a distribution installs."""
    for name in (
        distribution(package).read_text('top_level.txt') or ''
    ).split():
        return name
    wanted = package.lower().replace('_', '-')
    for module, owners in packages_distributions().items():
        if wanted in (owner.lower().replace('_', '-') for owner in owners):
            return module
    raise ValueError(f"Cannot infer the module name of package '{package}'.")


def get_installed_path(package: str) -> str:
    """Find the folder a package is imported from, editable or not."""
    spec = importlib.util.find_spec(package)
    if spec is None:
        spec = importlib.util.find_spec(package2module(package))
    if spec is None or spec.origin is None:
        raise RuntimeError(
            f"Package '{package}' has no folder to import "
            'from; is it a namespace package?'
        )
    return osp.dirname(spec.origin)


def install() -> None:
    """Put these functions wherever mmengine has its own.

    What is imported later takes them from ``mmengine.utils``.
    """
    import mmengine.config.config
    import mmengine.utils
    import mmengine.utils.package_utils

    places = [
        mmengine.utils,
        mmengine.utils.package_utils,
        mmengine.config.config,
        sys.modules.get('mmengine.hub.hub'),
    ]
    for module in places:
        for function in (is_installed, package2module, get_installed_path):
            if hasattr(module, function.__name__):
                setattr(module, function.__name__, function)
