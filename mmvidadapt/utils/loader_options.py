"""Options of data loaders that only make sense with workers."""

import functools
from typing import Any

from mmengine.logging import print_log

ONLY_WITH_WORKERS = ('persistent_workers', 'prefetch_factor')


def no_workers() -> str:
    """Make mmengine load data without workers, whatever a config says.

    Affected: mmengine <= 0.10.7 and all torch. Symptoms: ``ValueError:
    persistent_workers option needs num_workers > 0`` and ``prefetch_factor
    option could only be specified in multiprocessing`` for
    ``train_dataloader.num_workers=0``. Delete when mmengine leaves them out.
    """
    from mmengine.runner import Runner

    host = Runner.build_dataloader

    @functools.wraps(host)
    def build_dataloader(dataloader: Any, *args: Any, **kwargs: Any) -> Any:
        return host(without_workers(dataloader), *args, **kwargs)

    Runner.build_dataloader = staticmethod(build_dataloader)
    return 'taught mmengine which options a loader without workers has'


def without_workers(loader: Any) -> Any:
    """Leave out of a loader's config what wants workers, if it has none.

    Args:
        loader (Any): A config, or a loader that was built.

    Returns:
        Any: The same, or a copy of the config.
    """
    if not isinstance(loader, dict) or loader.get('num_workers', 0) > 0:
        return loader
    dropped = [key for key in ONLY_WITH_WORKERS if loader.get(key)]
    if not dropped:
        return loader
    print_log(
        'A data loader with num_workers=0 does without '
        + ' and '.join(f'{key}={loader[key]}' for key in dropped)
        + ', which is for workers.',
        logger='current',
    )
    kept = loader.copy()
    for key in dropped:
        kept.pop(key)
    return kept
