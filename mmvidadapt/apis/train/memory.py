"""Measure the memory of a run: saved tensors and peak of the process."""

import resource
import sys
from pathlib import Path
from typing import Any, Callable

import torch
from torch import Tensor, nn


def saved_bytes(model: nn.Module, run: Callable[[], Any]) -> int:
    """Count what autograd keeps between forward and backward.

    Every storage counts once, with its full size; parameters and buffers do
    not count. The inputs of checkpointed parts count, as they are kept.

    Args:
        model (nn.Module): Whose parameters and buffers are left out.
        run (Callable[[], Any]): The forward pass.

    Returns:
        int: Number of bytes.
    """
    own = {
        tensor.untyped_storage().data_ptr()
        for tensor in (*model.parameters(), *model.buffers())
    }
    kept = {}

    def pack(tensor: Tensor) -> Tensor:
        # Held until the end, so that no address is used twice.
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage
        return tensor.detach()

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        run()
    return sum(storage.nbytes() for storage in kept.values())


def peak_rss() -> int:
    """Return the most bytes that this process has had in memory.

    Linux hands ``ru_maxrss`` of a parent down to its children, so the kernel's
    own mark of this process is read where there is one.
    """
    status = Path('/proc/self/status')
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith('VmHWM:'):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == 'darwin' else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
