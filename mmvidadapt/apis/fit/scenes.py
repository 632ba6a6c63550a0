"""Find clips that look like one recording, by a trunk's features.

Clips of one place, light and clothing are alike in what does not move. Where
some of them are trained on and others tested, a model is praised for knowing
the room.
"""

from typing import Dict, List, Sequence, Tuple

import numpy as np
import torch
from scipy.sparse.csgraph import connected_components
from torch import Tensor, nn

from mmvidadapt.datasets.prepare.video_folders import Clip

from .intervals import number_groups

# Measured on five sets of videos, see docs/own_videos.md, Groups.
JOIN, WARN = 0.7, 0.8
STEP, HIGHEST = 0.05, 0.9  # where JOIN leaves too little to divide
LEAST, LARGEST = 5, 0.5  # number of groups; what the largest may have
SHOWN = 3  # pairs of groups in a warning


@torch.no_grad()
def scene_features(backbone: nn.Module, video: Tensor) -> np.ndarray:
    """Encode frames by what a block in the middle of a trunk makes of them.

    The last blocks tell actions and lose the place; there, its patches are
    averaged over each frame.

    Args:
        backbone (nn.Module): A backbone whose trunk is a ViT, in evaluation.
        video (Tensor): Normalised frames ``(B, 3, T, H, W)``.

    Returns:
        np.ndarray: Features, ``(B, T, C)``; ``(B, 1, C)`` of a trunk that
        sees all frames at once.
    """
    blocks, seen = backbone.transformer.resblocks, []
    middle = blocks[max(len(blocks) // 2 - 1, 0)]
    hook = middle.register_forward_hook(lambda *call: seen.append(call[-1]))
    try:
        backbone(video)
    finally:
        hook.remove()
    x = seen[0][0] if isinstance(seen[0], tuple) else seen[0]  # (B*T, P+N, C)
    x = x[:, getattr(backbone, 'num_prefix_tokens', 0) :].mean(1)  # (B*T, C)
    return x.unflatten(0, (len(video), -1)).float().cpu().numpy()  # (B, T, C)


def similarity(features: np.ndarray) -> np.ndarray:
    """Compare what stands still in clips, all with all.

    The mean over all clips is taken out: what they share does not count.

    Args:
        features (np.ndarray): Features of clips, ``(N, D)``, or of their
            frames, ``(N, T, D)``, which are averaged: what moves is blurred.
            See :func:`scene_features`.

    Returns:
        np.ndarray: Cosines, -1 to 1, ``(N, N)``.

    Raises:
        ValueError: If they have another shape, or are not finite.
    """
    mean = np.asarray(features, dtype=np.float32)
    if mean.ndim not in (2, 3) or not np.isfinite(mean).all():
        raise ValueError(
            f'Features of shape {mean.shape}: give finite ones of clips, '
            '(N, D), or of their frames, (N, T, D).'
        )
    mean = mean.mean(1) if mean.ndim == 3 else mean  # (N, D)
    mean = mean - mean.mean(0)
    length = np.linalg.norm(mean, axis=1, keepdims=True)  # (N, 1)
    mean = mean / np.maximum(length, np.finfo(np.float32).tiny)
    return mean @ mean.T  # (N, N)


def find_scenes(alike: np.ndarray) -> List[str]:
    """Group clips that look like one recording, from clip to clip.

    Two clips are in one group where a chain of clips, each like the next by
    0.7, leads from one to the other. Where that leaves less than five groups,
    or one with more than half of the clips, more likeness is asked for, up to
    0.9.

    Args:
        alike (np.ndarray): What :func:`similarity` gives, ``(N, N)``.

    Returns:
        List[str]: The names of the groups, ``'scene 1'`` and so on, by their
        first clips.
    """
    most = LARGEST * len(alike)
    for threshold in np.arange(JOIN, HIGHEST + STEP / 2, STEP):
        number, found = connected_components(alike > threshold)
        if number >= LEAST and np.bincount(found).max() <= most:
            break
    return [f'scene {place + 1}' for place in found]


def pair_groups(
    clips: Sequence[Clip], alike: np.ndarray
) -> List[Tuple[int, int]]:
    """List the pairs of groups that look like one recording.

    Args:
        clips (Sequence[Clip]): The clips, with their groups.
        alike (np.ndarray): What :func:`similarity` gives, ``(N, N)``.

    Returns:
        List[Tuple[int, int]]: For each pair the places of the two clips that
        are most alike, by 0.8 at least; the most alike first.
    """
    index = number_groups([clip.group for clip in clips])  # (N,)
    apart = index[:, None] != index  # (N, N)
    rows, columns = np.nonzero(np.triu(apart & (alike > WARN)))
    order = np.argsort(-alike[rows, columns], kind='stable')
    pairs: Dict[frozenset, Tuple[int, int]] = {}
    for i, j in zip(rows[order].tolist(), columns[order].tolist()):
        pairs.setdefault(frozenset((index[i], index[j])), (i, j))
    return list(pairs.values())


def warn_of_likeness(clips: Sequence[Clip], alike: np.ndarray) -> List[str]:
    """Name clips of different groups that look like one recording.

    Args:
        clips (Sequence[Clip]): The clips, with their groups.
        alike (np.ndarray): What :func:`similarity` gives, ``(N, N)``.

    Returns:
        List[str]: A warning, or nothing.
    """
    pairs = pair_groups(clips, alike)
    if not pairs:
        return []
    named = '; '.join(
        f"{clips[i].path} of '{clips[i].group}' and {clips[j].path} of "
        f"'{clips[j].group}' ({alike[i, j]:.2f})"
        for i, j in pairs[:SHOWN]
    )
    more = len(pairs) - SHOWN
    return [
        f'Clips of {len(pairs)} pairs of groups look like one recording: '
        f'{named}{f"; and {more} more pairs" if more > 0 else ""}. Do they '
        'show one person, or one place on one day? Then give them one group '
        '(--group-pattern, --group-column): tested on such clips, a model '
        'seems better than it is.'
    ]
