"""Load image Swins and BEVT's stages into a Video Swin.

An image stream, or any image Swin, is inflated: its patches are repeated over
the frames of a patch and divided by their number, its tables of relative
positions are the same for every temporal distance. A joint checkpoint is
taken as it is. Either may have been trained with windows of another size.
"""

import math
import re
from typing import Dict, Optional, Sequence

import torch.nn.functional as F
from mmengine.logging import print_log
from torch import Tensor, nn

from mmvidadapt.weights.files.readers import load_weights_file
from mmvidadapt.weights.fit import load_exactly
from mmvidadapt.weights.layouts.convert import Conversion
from mmvidadapt.weights.layouts.registry import register_names

StateDict = Dict[str, Tensor]
TABLE = 'relative_position_bias_table'
PATCH, PATCH_2D = 'patch_embed.proj.weight', 'patch_embed_2d.proj.weight'
FRAMES = 2  # that a patch spans
PREFIX = re.compile(r'^(module\.)?(backbone\.)?(encoder\.)?')
# Buffers and parts of other models around the encoder: a classifier, the
# tokenizer that the official recognizer saves with itself.
DROPPED = re.compile(
    r'.*relative_position_index|.*attn_mask|(cls_head|head|lm_head)\..*'
)
# What one model that is built on a Video Swin has and another has not.
DECODERS = r'(lm_down|fpn|lm_down_st|fpn_s|fpn_t)\..*'
PARTS = re.compile(rf'mask_token|patch_embed(_2d)?\..*|norm\..*|{DECODERS}')
MASK, JOINT = 'mask_token', 'patch_embed_2d.'  # of a stage, of the last one
LAST_NORM = re.compile(r'^norm\d*(?=\.)')


def load_video_swin(
    module: nn.Module,
    source: str,
    window: Sequence[int],
    source_window: Optional[Sequence[int]] = None,
    last_norm: str = 'norm',
) -> None:
    """Load an image or joint checkpoint into a Video Swin.

    What the module has no part for is left out; only decoders and the mask
    token may be missing. Both are logged.

    Args:
        module (nn.Module): :class:`~mmvidadapt.models.BEVTSwin` or
            mmaction2's ``SwinTransformer3D``.
        source (str): Alias, URL or path; see :func:`resolve`.
        window (Sequence[int]): Frames, height and width of its windows.
        source_window (Sequence[int], optional): Those of the checkpoint.
            Defaults to None: inferred.
        last_norm (str): What the module calls its last norm.
            Defaults to ``'norm'``.
    """
    own = set(module.state_dict())

    def read(path: str) -> StateDict:
        weights = load_weights_file(path, copy=False)  # loading copies them
        weights = to_video_swin(weights, window, source_window)
        weights = {LAST_NORM.sub(last_norm, k): v for k, v in weights.items()}
        left = {k for k in weights if PARTS.fullmatch(k) and k not in own}
        print_log(
            f'{source}: of {len(weights)} tensors, {sorted(left)} are left '
            f'out; new are {sorted(own - set(weights))}.',
            logger='current',
        )
        return {k: v for k, v in weights.items() if k not in left}

    load_exactly(module, source, new=('mask_token', DECODERS), reader=read)


def to_video_swin(
    weights: StateDict,
    window: Sequence[int],
    source_window: Optional[Sequence[int]] = None,
) -> StateDict:
    """Name and inflate the weights of an image or joint checkpoint.

    Args:
        weights (Dict[str, Tensor]): Whole checkpoint or its encoder.
        window (Sequence[int]): Frames, height and width of a window.
        source_window (Sequence[int], optional): Those of a joint checkpoint.
            Defaults to None: windows of the same height and width.

    Returns:
        Dict[str, Tensor]: Weights under the official names.
    """
    weights = {PREFIX.sub('', name): value for name, value in weights.items()}
    weights = {
        LAST_NORM.sub('norm', name): value
        for name, value in weights.items()
        if not DROPPED.fullmatch(name)
    }
    for kind in ('weight', 'bias'):  # of a model that pools its tokens
        if f'fc_norm.{kind}' in weights:
            weights[f'norm.{kind}'] = weights.pop(f'fc_norm.{kind}')
    image = PATCH not in weights or weights[PATCH].ndim == 4
    if image:
        _inflate_patches(weights)
    for name in [name for name in weights if name.endswith(TABLE)]:
        weights[name] = (
            inflate_table(weights[name], window)
            if image
            else resize_table(weights[name], window, source_window)
        )
    return weights


def _inflate_patches(weights: StateDict) -> None:
    """Make an embedding of clips, and one of images, of that of images."""
    for name in [k for k in weights if k.startswith('patch_embed.')]:
        twin = name.replace('patch_embed.', 'patch_embed_2d.')
        weights.setdefault(twin, weights[name])
    for name in [k for k in weights if k.startswith('patch_embed_2d.')]:
        twin = name.replace('patch_embed_2d.', 'patch_embed.')
        weights[twin] = weights[name]
    if PATCH in weights:
        patch = weights[PATCH].unsqueeze(2).repeat(1, 1, FRAMES, 1, 1)
        weights[PATCH] = patch / FRAMES


def inflate_table(table: Tensor, window: Sequence[int]) -> Tensor:
    """Repeat the table of an image window for all temporal distances.

    Args:
        table (Tensor): ``((2P - 1)^2, heads)``.
        window (Sequence[int]): Frames, height and width of the new window.

    Returns:
        Tensor: ``(prod(2 * window - 1), heads)``.
    """
    frames, *sides = (2 * side - 1 for side in window)
    if len(table) != sides[0] * sides[1]:
        before = math.isqrt(len(table))
        if before**2 != len(table):
            raise ValueError(
                f'A {TABLE} of {len(table)} rows is that of no square window '
                'of an image; give an image Swin or a checkpoint of BEVT.'
            )
        table = table.t().reshape(1, -1, before, before)  # (1, H, S, S)
        table = F.interpolate(table, tuple(sides), mode='bicubic')
        table = table[0].flatten(1).t()  # (H*W, heads)
    return table.repeat(frames, 1)  # (T*H*W, heads)


def resize_table(
    table: Tensor,
    window: Sequence[int],
    source_window: Optional[Sequence[int]] = None,
) -> Tensor:
    """Interpolate the table of a window of another size, trilinearly.

    Args:
        table (Tensor): ``(prod(2 * source_window - 1), heads)``.
        window (Sequence[int]): Frames, height and width of the new window.
        source_window (Sequence[int], optional): Those of the old one.
            Defaults to None: of the same height and width.

    Returns:
        Tensor: ``(prod(2 * window - 1), heads)``.
    """
    sides = tuple(2 * side - 1 for side in window)
    if source_window is None:
        before = (len(table) // math.prod(sides[1:]), *sides[1:])
    else:
        before = tuple(2 * side - 1 for side in source_window)
    if math.prod(before) != len(table) or before[0] % 2 == 0:
        raise ValueError(
            f'A {TABLE} of {len(table)} rows is not that of windows '
            f'{source_window or ("any", *window[1:])}; give those of the '
            'checkpoint as `pretrained_window_size`.'
        )
    if before == sides:
        return table
    table = table.t().reshape(1, -1, *before)  # (1, heads, ...)
    table = F.interpolate(table, sides, mode='trilinear')
    return table[0].flatten(1).t()  # (T*H*W, heads)


def claim(weights: StateDict, method: str) -> Optional[Conversion]:
    """Take the encoder of a stage of BEVT; loading it inflates the tables.

    Args:
        weights (Dict[str, Tensor]): Of any model.
        method (str): What they are for.

    Returns:
        Conversion, optional: None for other models; an image Swin is taken
        as it is for BEVT alone.
    """
    encoder = {PREFIX.sub('', name): name for name in weights}
    if PATCH not in encoder:
        return None
    image = weights[encoder[PATCH]].ndim == 4
    if MASK not in encoder and not (image and method == 'bevt'):
        return None
    kept = {k: v for k, v in encoder.items() if not DROPPED.fullmatch(k)}
    joint = any(name.startswith(JOINT) for name in kept)
    swin = 'bevt-image' if MASK in kept else 'swin-2d'
    return Conversion(
        'bevt-joint' if joint else swin,
        {own: weights[name] for own, name in kept.items()},
        {name: own for own, name in kept.items()},
        [name for name in weights if name not in kept.values()],
    )


register_names('bevt', claim=claim)
