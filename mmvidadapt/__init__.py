"""Image models that understand video, inside OpenMMLab."""

from types import ModuleType
from typing import TYPE_CHECKING

from mmvidadapt.utils.check_installed import check_installed

check_installed()

from mmvidadapt.utils.compat import heal  # noqa: E402
from mmvidadapt.utils.registration import (  # noqa: E402
    import_submodule,
    register_with_host,
)
from mmvidadapt.version import __version__  # noqa: E402

heal()
register_with_host()

if TYPE_CHECKING:
    from mmvidadapt import datasets, engine, models, registry

__all__ = ['__version__', 'datasets', 'engine', 'models', 'registry']


def __getattr__(name: str) -> ModuleType:
    """Import ``mmvidadapt.models`` and others when they are asked for."""
    return import_submodule(__name__, name)
