"""Draw the attention of DualPath's class tokens onto the frames."""

from pathlib import Path
from typing import List, NamedTuple, Optional, Tuple, Union

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from mmaction.apis import init_recognizer
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from torch import Tensor, nn

from mmvidadapt.methods.dualpath.block import split_paths
from mmvidadapt.methods.dualpath.framesets import sample_frames
from mmvidadapt.models import DualPath
from mmvidadapt.utils.video import name_video

from ..use.inference import auto_device, load_strictly

PER_ROW = 8  # frames side by side
GAP = 4  # white pixels between frames
STRENGTH = 0.5  # of the colours over a frame


class PathAttention(NamedTuple):
    """Attention of the class tokens to the patches, frame by frame.

    ``temporal`` is ``(B, T, h, w)``, ``spatial`` ``(B, S, h, w)``; None where
    a path is missing.
    """

    temporal: Optional[Tensor]
    spatial: Optional[Tensor]


def _find_block(backbone: DualPath, layer: int) -> nn.Module:
    """Return a block of a model with class tokens; others are refused."""
    blocks = backbone.transformer.resblocks
    if not -len(blocks) <= layer < len(blocks):
        raise ValueError(
            f'layer={layer}: the model has {len(blocks)} blocks; choose '
            f'{-len(blocks)} to {len(blocks) - 1}.'
        )
    if backbone.class_embedding is None:
        raise ValueError(
            'The trunk has no class token whose attention could be drawn; '
            'give the config of one that has.'
        )
    return blocks[layer]


@torch.no_grad()
def class_attention(
    backbone: DualPath, video: Tensor, layer: int = -1
) -> PathAttention:
    """Compute where the class tokens look, heads averaged.

    A frameset's map is cut into the cells of its frames.

    Args:
        backbone (DualPath): The model, in evaluation mode.
        video (Tensor): Normalised frames ``(B, 3, T, H, W)``.
        layer (int): Which block. Defaults to -1: the last.

    Returns:
        PathAttention: Maps of each frame.
    """
    block, maps = _find_block(backbone, layer), []
    x = _input_of(block, backbone, video)  # (B*(G+S), P+N, C)
    paths = zip(split_paths(x, backbone.images), backbone.images)
    for (part, number), adapter in zip(paths, (block.t_adapter_attn_b, None)):
        if not number:
            continue
        h = block.ln_1(part)
        q, k, _ = block.attn.qkv(h if adapter is None else adapter(h))
        q = q[:, :, :1]  # of the class token
        scores = q @ k.mT * q.shape[-1] ** -0.5  # (images, heads, 1, P+N)
        maps.append(
            scores.softmax(-1).mean(1)[:, 0, backbone.num_prefix_tokens :]
        )
    maps = torch.cat(maps).unflatten(-1, backbone.patch_grid)
    temporal, spatial = (
        part.unflatten(0, (-1, number)) if number else None
        for part, number in zip(
            split_paths(maps, backbone.images), backbone.images
        )
    )  # (B, images, h, w)
    if temporal is not None:
        temporal = cut_framesets(temporal, *backbone.grid)
    return PathAttention(temporal, spatial)


def _input_of(block: nn.Module, model: nn.Module, video: Tensor) -> Tensor:
    """Run a model and give what one of its blocks reads."""
    seen = []
    hook = block.register_forward_pre_hook(
        lambda _, args: seen.append(args[0])
    )
    try:
        model(video)
    finally:
        hook.remove()
    return seen[0]


def cut_framesets(maps: Tensor, rows: int, columns: int) -> Tensor:
    """Cut framesets (B, G, h, w) into frames (B, T, h, w)."""
    h, w = maps.shape[-2:]
    large = F.interpolate(maps, (rows * h, columns * w), mode='bilinear')
    return rearrange(
        large, 'b g (r h) (c w) -> b (g r c) h w', r=rows, c=columns
    )


def draw_maps(frames: np.ndarray, maps: np.ndarray) -> List[np.ndarray]:
    """Colour frames by maps, from the least (blue) to the most (red).

    Args:
        frames (np.ndarray): RGB, uint8, ``(T, H, W, 3)``.
        maps (np.ndarray): ``(T, h, w)``, all on one scale.

    Returns:
        List[np.ndarray]: T frames ``(H, W, 3)``.
    """
    maps = maps - maps.min()
    scaled = (255 * maps / max(maps.max(), 1e-12)).astype(np.uint8)
    drawn = []
    for frame, level in zip(frames, scaled):
        size = frame.shape[1::-1]
        level = cv2.resize(level, size, interpolation=cv2.INTER_CUBIC)
        colours = cv2.applyColorMap(level, cv2.COLORMAP_JET)[..., ::-1]
        blend = frame * (1 - STRENGTH) + colours * STRENGTH
        drawn.append(blend.round().astype(np.uint8))
    return drawn


def lay_out(frames: List[np.ndarray]) -> np.ndarray:
    """Lay frames out row by row, with white between them."""
    edges = ((GAP, 0), (GAP, 0), (0, 0))
    cells = [np.pad(f, edges, constant_values=255) for f in frames]
    cells += [np.full_like(cells[0], 255)] * (-len(cells) % PER_ROW)
    rows = [
        np.concatenate(cells[i : i + PER_ROW], axis=1)
        for i in range(0, len(cells), PER_ROW)
    ]
    return np.concatenate(rows)


def _load_model(
    config: Config, checkpoint: Optional[str], device: Optional[str]
) -> nn.Module:
    """Build a recognizer with ``DualPath``, with or without a checkpoint."""
    _check_drawable(config)
    model = init_recognizer(config, device=device or auto_device())
    if checkpoint is None:
        model.init_weights()
    else:
        load_strictly(model, checkpoint)
    return model


def attention_picture(
    config: Config,
    checkpoint: Optional[str],
    video: Union[str, Path],
    layer: int = -1,
    device: Optional[str] = None,
) -> np.ndarray:
    """Draw where a model looks in the middle view of a video.

    First come all frames, coloured by the class token of the framesets, then
    the sparse frames, coloured by their own.

    Args:
        config (Config): Config of a recognizer with ``DualPath``.
        checkpoint (str, optional): What it learned; None draws the adapters
            as they start.
        video (str | Path): The video.
        layer (int): Which block. Defaults to -1: the last.
        device (str, optional): Such as 'cpu' or 'cuda:0'. Defaults to None:
            the first GPU if there is one.

    Returns:
        np.ndarray: RGB, uint8, ``(H, W, 3)``.
    """
    model = _load_model(config, checkpoint, device)
    clip, inputs = _middle_view(model, config, video)
    maps = class_attention(model.backbone, inputs, layer)
    sparse = (
        clip
        if maps.spatial is None
        else sample_frames(clip[None], maps.spatial.shape[1])[0]
    )
    drawn = []
    for frames, path in ((clip, maps.temporal), (sparse, maps.spatial)):
        if path is not None:
            frames = rearrange(frames, 'k t h w -> t h w k').cpu().numpy()
            drawn.append(lay_out(draw_maps(frames, path[0].cpu().numpy())))
    return np.concatenate(drawn)


def _check_drawable(config: Config) -> None:
    """Raise unless a model sees the frames that it is drawn on."""
    backbone = config.model.backbone
    built = backbone.get('framesets_from') == 'pipeline'
    if backbone.type != 'DualPath' or built:
        raise ValueError(
            'Only a DualPath that builds its framesets itself can be drawn, '
            f'not {dict(backbone)}; give the config of one.'
        )


def _middle_view(
    model: nn.Module, config: Config, video: Union[str, Path]
) -> Tuple[Tensor, Tensor]:
    """Read the middle view of a video, plain and normalised.

    The plain one is ``(3, T, H, W)``, the normalised one ``(1, 3, T, H, W)``.
    """
    with name_video(video):
        data = Compose(config.test_pipeline)(
            dict(filename=str(video), label=-1, start_index=0, modality='RGB')
        )
    middle = len(data['inputs']) // 2
    batch = model.data_preprocessor(pseudo_collate([data]))
    return data['inputs'][middle], batch['inputs'][0, middle][None]
