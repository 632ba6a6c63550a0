"""Fit the weights of an image or a video model to a video transformer."""

import math
import re
from typing import Any, Dict, List, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor

StateDict = Dict[str, Tensor]
CLS, POS, PATCH = 'class_embedding', 'positional_embedding', 'conv1.weight'
TEMPORAL_POS = f'temporal.{POS}'
SPATIAL_ATTENTION = re.compile(r'(transformer\.resblocks\.\d+\.)attn\.(.*)')
OVER_TIME = re.compile(r'temporal\..*|.*\.(ln|attn)_time\..*')


def fit_(
    weights: StateDict,
    own: StateDict,
    grid: Tuple[int, int],
    num_positions: int,
    rules: Dict[str, Any],
) -> str:
    """Fit weights to a model, in place.

    The rules are ``kernel`` and ``positions``, and, where the model has such
    a part, ``class_token`` and ``temporal_attention``; see
    :class:`mmvidadapt.methods.vivit.trunk.ViViTTrunk`.

    Args:
        weights (Dict[str, Tensor]): Weights under our names.
        own (Dict[str, Tensor]): Weights of the model.
        grid (Tuple[int, int]): Its patches along height and width.
        num_positions (int): Its tokens, without class token.
        rules (Dict[str, Any]): How it is done.

    Returns:
        str: What was done, for the log.
    """
    if PATCH not in weights or POS not in weights:
        raise ValueError(f'The weights have no {PATCH} or no {POS}.')
    steps = num_positions // math.prod(grid)
    video = _is_video(weights, own, steps)
    if video:
        _check_time(weights, own)
    else:
        _inflate(weights, own, rules)
    steps = 1 if video else steps
    _fit_positions(weights, own, grid, steps, rules['positions'])
    _fit_times(weights, own, rules['positions'])
    if CLS not in own or not (video or rules.get('class_token', True)):
        weights.pop(CLS, None)
    return '' if video else f'; image weights were inflated by {rules}'


def _is_video(weights: StateDict, own: StateDict, steps: int) -> bool:
    """Detect video weights, and add the axis of time to their kernel.

    Scenic's kernel of uniform frame sampling is that of an image.
    """
    kernel = weights[PATCH]
    sampled = kernel.ndim == 4 and own[PATCH].shape[2] == 1
    patches, wanted = (len(w[POS]) - (CLS in w) for w in (weights, own))
    video = (
        kernel.ndim == 5
        or any(map(OVER_TIME.fullmatch, weights))
        or (sampled and steps > 1 and patches == wanted)
    )
    if video and sampled:
        weights[PATCH] = kernel.unsqueeze(2)
    return video


def _check_time(weights: StateDict, own: StateDict) -> None:
    """Reject video weights without what looks over time."""
    missing = [
        name
        for name in own
        if OVER_TIME.fullmatch(name) and name not in weights
    ]
    if missing:
        raise ValueError(
            f'These weights of a video model lack {missing[:3]} and '
            f'{max(len(missing) - 3, 0)} more. Give the model the temporal '
            'layers of the weights, which for ViViTFactorisedEncoder '
            'temporal_num_layers=None counts.'
        )


def _inflate(weights: StateDict, own: StateDict, rules: Dict) -> None:
    """Inflate an image's kernel, and add attention over time."""
    kernel = weights[PATCH]  # (C, 3, p, p)
    depth = own[PATCH].shape[2]
    weights[PATCH] = inflate_kernel(kernel, depth, rules['kernel'])
    rule = rules.get('temporal_attention')
    for name in list(weights) if rule else ():
        match = SPATIAL_ATTENTION.fullmatch(name)
        if match:
            zero = rule == 'zero' or (
                rule == 'zero_output' and match[2].startswith('out_proj')
            )
            value = weights[name]
            weights[f'{match[1]}attn_time.{match[2]}'] = (
                torch.zeros_like(value) if zero else value.clone()
            )


def inflate_kernel(kernel: Tensor, depth: int, rule: str) -> Tensor:
    """Repeat the patch kernel of an image model over the frames of a tubelet.

    Args:
        kernel (Tensor): Kernel of an image, ``(C, 3, p, p)``.
        depth (int): Frames of a tubelet, T.
        rule (str): ``'central'``: frame T // 2 has the kernel, the others
            have zeros. ``'average'``, filter inflation: the kernel is
            averaged and repeated, every frame has 1 / T of it.
            ``'average_arp'``, approximate rank pooling: frame i has
            c_i / T of it, where c_1 .. c_T rise from before to after and
            sum to zero. One frame has the kernel by any rule.

    Returns:
        Tensor: Kernel of a tubelet, ``(C, 3, T, p, p)``.

    Raises:
        KeyError: If there is no such rule.
    """
    if depth == 1:
        return kernel.unsqueeze(2)  # (C, 3, 1, p, p)
    return torch.stack(KERNELS[rule](kernel, depth), dim=2)


def _central(kernel: Tensor, depth: int) -> List[Tensor]:
    """Inflate a kernel: the central frame is the image, the rest zero."""
    frames = [torch.zeros_like(kernel) for _ in range(depth)]
    frames[depth // 2] = kernel
    return frames


def _average(kernel: Tensor, depth: int) -> List[Tensor]:
    """Filter inflation: let every frame of a tubelet be a share of it."""
    return [kernel / depth] * depth


def _average_arp(kernel: Tensor, depth: int) -> List[Tensor]:
    """Weigh the frames as approximate rank pooling does.

    ``c_i = 2 (T - i + 1) - (T + 1) (H_T - H_{i - 1})``, H the harmonic
    numbers.
    """
    harmonic = [sum(1 / k for k in range(1, n + 1)) for n in range(depth + 1)]
    coefficients = (
        2 * (depth - i + 1) - (depth + 1) * (harmonic[depth] - harmonic[i - 1])
        for i in range(1, depth + 1)
    )
    return [kernel * (c / depth) for c in coefficients]


KERNELS = dict(central=_central, average=_average, average_arp=_average_arp)


def _split(pos: Tensor, has_cls: bool) -> Tuple[Optional[Tensor], Tensor]:
    """Split the row of the class token off."""
    return (pos[:1], pos[1:]) if has_cls else (None, pos)


def _fit_positions(
    weights: StateDict,
    own: StateDict,
    grid: Tuple[int, int],
    steps: int,
    rule: str,
) -> None:
    """Repeat the positions of the image at every time step."""
    cls, patches = _split(weights[POS], CLS in weights)
    own_cls, own_patches = _split(own[POS], CLS in own)
    if len(patches) * steps != len(own_patches):
        patches = _resized(patches, grid, len(own_patches) // steps, rule)
    patches = patches.repeat(steps, 1)  # (T*N, C)
    if own_cls is not None:
        patches = torch.cat([own_cls if cls is None else cls, patches])
    weights[POS] = patches


def _resized(
    patches: Tensor, grid: Tuple[int, int], wanted: int, rule: str
) -> Tensor:
    """Resize a square grid of positions, corner on corner."""
    side, count = math.isqrt(len(patches)), len(patches)
    whole = wanted == math.prod(grid) and side**2 == count
    if rule != 'resize' or not whole:
        raise ValueError(
            f'The weights have positions of {count} tokens, the model has '
            f'{wanted}, with a grid of {grid[0]}x{grid[1]} patches. Choose '
            'the img_size, num_frames and tubelet_size of the weights'
            + (
                ", or inflation=dict(positions='resize') to resize the grid."
                if whole
                else '.'
            )
        )
    image = patches.T.reshape(1, -1, side, side)
    image = F.interpolate(image, grid, mode='bilinear', align_corners=True)
    return image[0].flatten(1).T  # (N, C)


def _fit_times(weights: StateDict, own: StateDict, rule: str) -> None:
    """Resize the positions of a temporal encoder, if they differ."""
    if TEMPORAL_POS not in weights or TEMPORAL_POS not in own:
        return
    name = f'temporal.{CLS}'
    cls, times = _split(weights[TEMPORAL_POS], name in weights)
    own_cls, own_times = _split(own[TEMPORAL_POS], name in own)
    if (cls is None) != (own_cls is None) or len(times) == len(own_times):
        return
    if rule != 'resize':
        raise ValueError(
            f'The weights have {len(times)} time steps, the model has '
            f'{len(own_times)}. Choose the num_frames and tubelet_size of '
            "the weights, or inflation=dict(positions='resize')."
        )
    times = F.interpolate(
        times.T[None], len(own_times), mode='linear', align_corners=True
    )[0].T
    weights[TEMPORAL_POS] = times if cls is None else torch.cat([cls, times])
