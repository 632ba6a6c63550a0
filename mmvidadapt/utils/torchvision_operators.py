"""Declare the operators that torchvision expects of its compiled part."""

import sys

import torch

OPERATORS = ('nms', 'qnms')
LIBRARIES = []  # the operators live as long as the library object does


def declare() -> None:
    """Declare them, and forget what was imported of torchvision so far."""
    for name in [k for k in sys.modules if k.startswith('torchvision.')]:
        del sys.modules[name]
    library = torch.library.Library('torchvision', 'FRAGMENT')
    LIBRARIES.append(library)
    for operator in OPERATORS:
        if not hasattr(torch.ops.torchvision, operator):
            library.define(
                f'{operator}(Tensor dets, Tensor scores, '
                'float iou_threshold) -> Tensor'
            )
