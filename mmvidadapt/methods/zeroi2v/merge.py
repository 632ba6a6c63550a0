"""Multiply linear adapters into the frozen layers that they touch."""

from typing import Dict, Tuple

import torch
from torch import Tensor, nn

from mmvidadapt.trunks.parts.linear import as_built
from mmvidadapt.trunks.parts.projection import LeanProjection, Projection

from .block import ZeroI2VBlock

# Adapters, and weight and bias of the layers behind or before them.
AFTER = {
    'attn_adapter_in': ('attn.in_proj_weight', 'attn.in_proj_bias'),
    'mlp_adapter_in': ('mlp.c_fc.weight', 'mlp.c_fc.bias'),
}
BEFORE = {
    'attn_adapter_out': ('attn.out_proj.weight', 'attn.out_proj.bias'),
    'mlp_adapter_out': ('mlp.c_proj.weight', 'mlp.c_proj.bias'),
}


def as_matrix(adapter: nn.Module, scale: float) -> Tuple[Tensor, Tensor]:
    """Write ``A(u)`` as a matrix (C, C) and a bias (C,), in double."""
    down, up = adapter.down, adapter.up
    rows = up.weight.double()  # (C, width)
    one = torch.eye(len(rows), dtype=rows.dtype, device=rows.device)
    bias = rows @ down.bias.double() + up.bias.double()  # (C,)
    return one + scale * rows @ down.weight.double(), scale * bias


def check_mergeable(block: ZeroI2VBlock, name: str) -> None:
    """Refuse layers that are more than a matrix and a bias.

    Args:
        block (ZeroI2VBlock): The block.
        name (str): What its names begin with, for the error.

    Raises:
        ValueError: With the name of the layer.
    """
    named = dict(block.named_modules())
    layers = 'attn.out_proj', 'mlp.c_fc', 'mlp.c_proj'
    ends = 'down', 'up'
    bottlenecks = [f'{a}.{e}' for a in (*AFTER, *BEFORE) for e in ends]
    for key in (*layers, *bottlenecks):
        layer = named[key]
        if not as_built(layer) and type(layer) not in (
            Projection,
            LeanProjection,
        ):
            raise ValueError(
                f'{name}{key} is a {type(layer).__name__}, and adapters are '
                'merged exactly into plain linear layers alone: merge before '
                'the model is quantised or wrapped.'
            )


def merge_block_(
    block: ZeroI2VBlock, weights: Dict[str, Tensor], prefix: str
) -> None:
    """Multiply the adapters of a block into weights, in place.

    ``W (M u + b_A) + b = (W M) u + (W b_A + b)`` before a layer, and
    ``M (W u + b) + b_A = (M W) u + (M b + b_A)`` behind one. What trunks have
    between layers and adapters is in the way of neither: norms come before
    the last layers, a LayerScale is folded into them first.

    Args:
        block (ZeroI2VBlock): The block.
        weights (Dict[str, Tensor]): Under our names, LayerScale folded.
        prefix (str): What the block's names begin with.
    """
    for where, pairs in (('after', AFTER), ('before', BEFORE)):
        for name, pair in pairs.items():
            keys = [f'{prefix}{key}' for key in pair]
            w, b = (weights[key].double() for key in keys)
            matrix, bias = as_matrix(getattr(block, name), block.scale)
            if where == 'after':
                merged = w @ matrix, w @ bias + b
            else:
                merged = matrix @ w, matrix @ b + bias
            for key, value in zip(keys, merged):
                weights[key] = value.to(weights[key].dtype)
