"""Random numbers as a function of seed, epoch, rank and worker."""

import random
from typing import Optional

import numpy as np
import torch
from mmengine.registry import FUNCTIONS


def seed_everything(*entropy: int) -> None:
    """Seed python, numpy and torch (all devices) from several integers."""
    python, numpy, low, high = (
        np.random.SeedSequence(entropy).generate_state(4).tolist()
    )
    random.seed(python)
    np.random.seed(numpy)
    torch.manual_seed(low | high >> 1 << 32)  # 63 bits


# mmengine looks ``worker_init_fn`` up in its own root registry, which does
# not search the registries of mmaction2.
@FUNCTIONS.register_module()
def seed_worker(worker_id: int, _scope_: Optional[str] = None) -> None:
    """Seed a data loading worker from what the main process drew.

    PyTorch gives every worker a new ``torch.initial_seed()`` in every epoch,
    drawn from the random state of the main process. mmengine's own function
    overwrites it by (seed, rank, worker), so that all epochs see the same
    "random" crops; this one spreads it to python and numpy. With
    ``EpochSeedHook`` the draw depends on (seed, epoch, rank), so epochs
    differ and a resumed run agrees with an uninterrupted one.

    In a config: ``train_dataloader = dict(persistent_workers=False,
    worker_init_fn=dict(type='seed_worker'), ...)``. ``EpochSeedHook`` also
    puts it in the place of mmengine's where no function is configured.

    Args:
        worker_id (int): Index of the worker, unused: the seed contains it.
        _scope_ (str, optional): Unused; mmengine leaves this key in dicts
            that were inherited from ``mmvidadapt::``. Defaults to None.
    """
    seed = torch.initial_seed()
    seed_everything(seed >> 32, seed & 0xFFFFFFFF)
