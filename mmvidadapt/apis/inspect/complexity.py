"""Parameters and multiply-accumulates, without computing anything."""

import copy
import math
from contextlib import contextmanager
from typing import Iterator, NamedTuple, Sequence, Tuple

import torch
from mmaction.models.backbones.swin import compute_mask
from mmaction.models.recognizers.base import BaseRecognizer
from mmengine.config import Config
from torch import nn
from torch._subclasses import FakeTensorMode
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from mmvidadapt.trunks.dialects import ARCHS
from mmvidadapt.trunks.parts.lean import use_equation_
from mmvidadapt.trunks.use_trunk import with_row

# Fused operators that torch's counter does not know, by input shapes.
FUSED = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: (
        lambda q, k, v, *args, **kwargs: sdpa_flop_count(q, k, v)
    )
}
if hasattr(torch.ops.mkldnn, '_linear_pointwise'):
    FUSED[torch.ops.mkldnn._linear_pointwise] = (
        lambda x, weight, *args, **kwargs: 2 * math.prod(x) * weight[0]
    )


class ParamCount(NamedTuple):
    """Numbers of parameters."""

    total: int
    trained: int


def count_params(model: nn.Module) -> ParamCount:
    """Count all parameters and those that are trained.

    Args:
        model (nn.Module): The model, on any device.

    Returns:
        ParamCount: ``total`` and ``trained``.
    """
    params = list(model.parameters())
    return ParamCount(
        sum(p.numel() for p in params),
        sum(p.numel() for p in params if p.requires_grad),
    )


def clip_shape(config: Config, batch_size: int = 1) -> Tuple[int, ...]:
    """Read the shape of the clips, (B, 3, T, H, W), off a config.

    Where a backbone reads several segments together, they are counted in B.
    """
    backbone = with_row(config.model.backbone)
    arch = backbone.get('arch')
    own = ARCHS.get(arch, {}) if isinstance(arch, str) else arch or {}
    size = backbone.get('img_size') or own.get('img_size', 224)
    height, width = (size, size) if isinstance(size, int) else size
    frames = backbone.get('num_frames', config.get('num_frames', 8))
    clips = batch_size * backbone.get('num_segments', 1)
    return (clips, 3, frames, height, width)


def count_flops(
    model: nn.Module, shape: Sequence[int], as_published: bool = False
) -> int:
    """Count the multiply-accumulates of one forward pass in testing.

    This is what papers call FLOPs. Matrix products, convolutions and both
    products of every attention count; norms, activations and sums do not
    (about 0.1 % in a ViT). The pass runs on tensors without data, so a
    full-size model takes a second and no memory, wherever its parameters lie,
    the meta device included.

    fvcore's counter gives the same number (a test compares), but has to
    trace and compute the model for it, and traced, no adapter is folded into
    the layer before it.

    Args:
        model (nn.Module): A backbone or a recognizer; the latter is counted
            with its head.
        shape (Sequence[int]): Shape of the clips, ``(B, 3, T, H, W)``.
        as_published (bool): Whether to count the method as its paper writes
            it, instead of what runs here. Defaults to False.

    Returns:
        int: Number of multiply-accumulates.

    Raises:
        ValueError: If the shape has not five numbers.
    """
    if len(shape) != 5:
        raise ValueError(f'shape={tuple(shape)}: give (B, 3, T, H, W).')
    recognizer = isinstance(model, BaseRecognizer)
    counter = FlopCounterMode(display=False, custom_mapping=FUSED)
    model = equation_of(model) if as_published else model
    compute_mask.cache_clear()  # real masks of mmaction2's Swin
    with _testing(model), torch.no_grad(), FakeTensorMode():
        video = torch.empty(*shape)
        tensors = {  # of modules that stand in several places once
            f'{place}.{name}'.lstrip('.'): torch.empty(
                tensor.shape, dtype=tensor.dtype
            )
            for place, module in model.named_modules()
            for named in (module.named_parameters, module.named_buffers)
            for name, tensor in named(recurse=False)
        }
        with counter:
            functional_call(
                model,
                tensors,
                (video[:, None] if recognizer else video,),
                dict(stage='head') if recognizer else {},
                tie_weights=False,
            )
    compute_mask.cache_clear()  # masks without data
    return counter.get_total_flops() // 2


@contextmanager
def _testing(model: nn.Module) -> Iterator[None]:
    """Put the model into eval mode and every part of it back afterwards."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def equation_of(model: nn.Module) -> nn.Module:
    """Build the plain twin of a model, with its very parameters.

    Args:
        model (nn.Module): The model, which stays as it is.

    Returns:
        nn.Module: Modules of the plain classes; see
        :mod:`mmvidadapt.trunks.parts.lean`.
    """
    tensors = (*model.parameters(), *model.buffers())
    shared = {id(tensor): tensor for tensor in tensors}
    return use_equation_(copy.deepcopy(model, shared))
