"""Which of torch's two CPU libraries multiplies float32 matrices.

``F.linear`` calls the BLAS that torch was built with (MKL, mostly). oneDNN,
which torch calls for convolutions and compiled code, has the same products in
the same float32 arithmetic. Which of them is faster depends on the processor,
so it is measured, once in a process, when the first large product is asked
for. The two round differently in the last bits: a choice that was made stays,
and training keeps it in its checkpoints.
"""

import os
import threading
import time
from contextlib import contextmanager
from typing import Callable, Dict, Iterator, Optional

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

ONEDNN, BLAS = LIBRARIES = ('onednn', 'blas')
VARIABLE = 'MMVIDADAPT_CPU_PRODUCTS'
AVAILABLE = torch.backends.mkldnn.is_available() and hasattr(
    torch.ops.mkldnn, '_linear_pointwise'
)
# The BLAS must be faster by this much, so that noise does not choose. Products
# of a millisecond on one thread are timed right on a busy machine, too.
MARGIN = 1.15
SIZE, REPEATS = 384, 15

_lock = threading.Lock()
_choice: Optional[str] = None


def onednn_linear(
    x: Tensor, weight: Tensor, bias: Optional[Tensor] = None
) -> Tensor:
    """Compute ``F.linear`` by oneDNN, without autograd."""
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, 'none', [], '')


def cpu_products() -> str:
    """Return the library in use, ``'onednn'`` or ``'blas'``.

    It is the one that :func:`use_cpu_products` or the environment variable
    ``MMVIDADAPT_CPU_PRODUCTS`` names; else the faster one, measured at the
    first call.

    Returns:
        str: Name of the library.

    Raises:
        ValueError: If the environment variable names no library.
    """
    global _choice
    if _choice is None:
        with _lock:
            if _choice is None:
                _choice = asked_for() or faster(measure())
    return _choice


def use_cpu_products(library: Optional[str]) -> None:
    """Use one library for the large float32 products of this process.

    Args:
        library (str, optional): ``'onednn'`` or ``'blas'``; None lets the
            environment variable or a new measurement choose.

    Raises:
        ValueError: If there is no such library, or torch lacks it.
    """
    global _choice
    _choice = None if library is None else checked(library, 'library')


@contextmanager
def using_cpu_products(library: Optional[str]) -> Iterator[None]:
    """Use one library for a while, see :func:`use_cpu_products`."""
    global _choice
    before = _choice
    use_cpu_products(library)
    try:
        yield
    finally:
        _choice = before


def asked_for() -> Optional[str]:
    """Return the library that the environment asks for, if any."""
    value = os.environ.get(VARIABLE, 'auto').lower()
    return None if value in ('', 'auto') else checked(value, VARIABLE)


def checked(library: str, name: str) -> str:
    """Return a library by its name; raise if there is none."""
    if library not in LIBRARIES:
        raise ValueError(
            f'{name}={library!r}: choose {ONEDNN!r} or {BLAS!r}, or leave '
            'it out to use the faster one.'
        )
    if library == ONEDNN and not AVAILABLE:
        raise ValueError(
            f'{name}={library!r}: this torch was built without oneDNN; use '
            f'{BLAS!r}.'
        )
    return library


def faster(seconds: Dict[str, float]) -> str:
    """Return the faster library; oneDNN where both are about as fast.

    Args:
        seconds (Dict[str, float]): Time of a product by each library.

    Returns:
        str: Name of the library.
    """
    if ONEDNN not in seconds or seconds[BLAS] * MARGIN < seconds[ONEDNN]:
        return BLAS
    return ONEDNN


def measure() -> Dict[str, float]:
    """Time a product by each library on one thread, some 30 ms in all.

    Returns:
        Dict[str, float]: Seconds, the least of several runs in turns.
    """
    runs: Dict[str, Callable] = {BLAS: F.linear}
    if not AVAILABLE:
        return {BLAS: 0.0}
    runs[ONEDNN] = onednn_linear
    seconds, threads = (
        dict.fromkeys(runs, float('inf')),
        torch.get_num_threads(),
    )
    torch.set_num_threads(1)
    try:
        # No random numbers are drawn; who counts operators does not see this.
        with _disable_current_modes(), torch.inference_mode():
            x = torch.linspace(-1, 1, SIZE**2, device='cpu').float()
            x = x.view(SIZE, SIZE)
            for _ in range(1 + REPEATS):  # the first ones warm up
                for name, run in runs.items():
                    seconds[name] = min(seconds[name], _seconds(run, x))
    finally:
        torch.set_num_threads(threads)
    return seconds


def _seconds(run: Callable, x: Tensor) -> float:
    """Time one product."""
    start = time.perf_counter()
    run(x, x)
    return time.perf_counter() - start
