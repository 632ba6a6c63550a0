"""One library for the float32 products of a run on a CPU."""

import logging
from typing import Optional

from mmaction.registry import HOOKS
from mmengine.dist import broadcast_object_list
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner

from mmvidadapt.utils.cpu_products import (
    AVAILABLE,
    LIBRARIES,
    ONEDNN,
    VARIABLE,
    asked_for,
    cpu_products,
    use_cpu_products,
)

KEY = 'cpu_products'


@HOOKS.register_module()
class CpuProductsHook(Hook):
    """Keep the library of float32 products in checkpoints, and resume with it.

    :mod:`~mmvidadapt.utils.cpu_products` uses the library that is
    faster on this processor. The two differ in the last bits, so a resumed
    run uses that of the run before, and all processes use that of the first.
    Training on other devices is left alone.
    """

    def before_train(self, runner: Runner) -> None:
        """Choose the library; write it into what checkpoints hold."""
        if next(runner.model.parameters()).device.type != 'cpu':
            return
        chosen = [kept_library(runner) or cpu_products()]
        broadcast_object_list(chosen)
        use_cpu_products(chosen[0])
        runner.message_hub.update_info(KEY, chosen[0])
        print_log(
            f'Float32 products on the CPU: {chosen[0]}. {VARIABLE} chooses '
            'another library.',
            logger='current',
        )


def kept_library(runner: Runner) -> Optional[str]:
    """Return the library of the run that is resumed, if it can be used."""
    kept = runner.message_hub.runtime_info.get(KEY)
    asked = asked_for()
    if kept not in LIBRARIES:
        return asked
    if kept == ONEDNN and not AVAILABLE:
        asked, why = 'blas', 'this torch was built without oneDNN'
    elif asked not in (None, kept):
        why = f'{VARIABLE} asks for {asked}'
    else:
        return kept
    print_log(
        f'The checkpoint was trained with the float32 products of {kept}, '
        f'but {why}: the resumed run will differ in the last bits from an '
        'uninterrupted one.',
        logger='current',
        level=logging.WARNING,
    )
    return asked
