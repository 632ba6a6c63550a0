"""Random numbers as a function of seed, epoch, rank and worker."""

import random
from typing import Any, Dict, Optional

import numpy as np
import torch
from mmengine.registry import FUNCTIONS

from mmvidadapt.utils.random_seed import seed_everything


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


def get_random_state() -> Dict[str, Any]:
    """Read the state of python's, numpy's and torch's random numbers.

    Returns:
        Dict[str, Any]: Tensors and plain types, for a checkpoint.
    """
    version, python, gauss = random.getstate()
    _, numpy, position, has_gauss, cached = np.random.get_state()
    state = dict(
        python=(version, torch.tensor(python), gauss),
        numpy=(
            torch.from_numpy(numpy.astype(np.int64)),
            position,
            has_gauss,
            cached,
        ),
        torch=torch.get_rng_state(),
    )
    if torch.cuda.is_available():
        state['cuda'] = torch.cuda.get_rng_state()
    return state


def set_random_state(state: Dict[str, Any]) -> None:
    """Go on with random numbers where :func:`get_random_state` was called.

    Args:
        state (Dict[str, Any]): What it returned.
    """
    version, python, gauss = state['python']
    random.setstate((version, tuple(python.tolist()), gauss))
    numpy, *rest = state['numpy']
    words = numpy.cpu().numpy().astype(np.uint32)
    np.random.set_state(('MT19937', words, *rest))
    torch.set_rng_state(state['torch'].cpu())
    if 'cuda' in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'].cpu())
