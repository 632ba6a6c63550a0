"""Check whether operators are recorded instead of run."""

import torch


def is_traced() -> bool:
    """Return whether a tracer, an exporter or a compiler looks on.

    They look into plain operators only: what saves memory or time when
    operators run one by one is left out then.
    """
    return torch.compiler.is_compiling() or torch.jit.is_tracing()


def is_exported() -> bool:
    """Return whether the record has no backward pass: traced or exported."""
    exporting = getattr(torch.compiler, 'is_exporting', bool)  # torch 2.7
    return exporting() or torch.jit.is_tracing()
