"""Image models that understand video, inside OpenMMLab."""

from mmvidadapt.utils.installed import check_installed

check_installed()

from mmvidadapt.utils.compat import heal  # noqa: E402

heal()

# Importing these registers their classes in mmaction2's registries.
from mmvidadapt import datasets, engine, models, registry  # noqa: E402
from mmvidadapt.version import __version__  # noqa: E402

__all__ = ['__version__', 'datasets', 'engine', 'models', 'registry']
