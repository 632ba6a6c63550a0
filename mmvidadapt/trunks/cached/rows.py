"""Tapped features as one row of numbers, signed by the trunk they are of."""

from typing import Iterable, List, NamedTuple, Optional, Tuple

import torch
from torch import Tensor

# What a trunk yields: tokens (B, T, P+N, C), and the attention between
# neighbouring frames (B, 2, T-1, N, N) or None.
Tap = Tuple[Tensor, Optional[Tensor]]
KEY_SIZE = 32  # bytes of a SHA-256; half precision holds each exactly


class PackSizes(NamedTuple):
    """Sizes of a row: ``layers`` maps, and attention where ``motion``."""

    layers: int
    frames: int
    patches: int
    dims: int
    motion: bool
    num_prefix_tokens: int = 1

    @property
    def maps(self) -> Tuple[int, ...]:
        """Shape of the tapped maps of a clip."""
        tokens = self.num_prefix_tokens + self.patches
        return self.layers, self.frames, tokens, self.dims

    @property
    def attention(self) -> Tuple[int, ...]:
        """Shape of the attention between neighbours of a clip."""
        pairs = 2, self.frames - 1, self.patches, self.patches
        return (self.layers if self.motion else 0, *pairs)

    @property
    def total(self) -> int:
        """Numbers of a row, its key included."""
        shapes = map(torch.Size, (self.maps, self.attention))
        return KEY_SIZE + sum(shape.numel() for shape in shapes)


def key_row(key: str) -> Tensor:
    """Write a hash as numbers, (KEY_SIZE,)."""
    return torch.tensor(list(bytes.fromhex(key)), dtype=torch.float16)


def pack(maps: Tensor, attention: Tensor, key: str) -> Tensor:
    """Lay the features of one clip out as a row.

    Args:
        maps (Tensor): ``(layers, T, P+N, C)``.
        attention (Tensor): ``(layers, 2, T-1, N, N)``; any empty tensor
            without motion.
        key (str): Hash of the trunk.

    Returns:
        Tensor: Half precision, ``(PackSizes.total,)``.
    """
    parts = (key_row(key), maps.flatten(), attention.flatten())
    return torch.cat([part.half() for part in parts])


def unpack(rows: Tensor, sizes: PackSizes, key: str) -> List[Tap]:
    """Read rows (B, total) back as what a trunk yields, layer by layer."""
    if rows.shape[1] != sizes.total:
        raise ValueError(
            f'The cached features have {rows.shape[1]} numbers a clip, but '
            f'the model reads {sizes.total}: {sizes}. Cache them again with '
            'this config.'
        )
    signatures = rows[:, :KEY_SIZE].round().to(torch.uint8).tolist()
    for theirs in (bytes(signature).hex() for signature in signatures):
        if theirs != key:
            raise ValueError(
                f'The cached features are of the trunk {theirs[:12]}, but the '
                f'model has the trunk {key[:12]}. Load the weights that they '
                'were made with, or cache them again.'
            )
    cut = KEY_SIZE + torch.Size(sizes.maps).numel()
    # Layer by layer: (B, T, P+N, C) and (B, 2, T-1, N, N).
    maps = rows[:, KEY_SIZE:cut].unflatten(1, sizes.maps).unbind(1)
    if not sizes.motion:
        return [(x, None) for x in maps]
    attention = rows[:, cut:].unflatten(1, sizes.attention).unbind(1)
    return list(zip(maps, attention))


def gather(taps: Iterable[Tap]) -> Tuple[Tensor, Tensor]:
    """Stack what a trunk yields in half precision, clip by clip.

    Args:
        taps (Iterable): Maps ``(B, T, P+N, C)`` and attention
            ``(B, 2, T-1, N, N)`` or None, layer by layer.

    Returns:
        Tuple[Tensor, Tensor]: ``(B, layers, T, P+N, C)`` and
        ``(B, layers, 2, T-1, N, N)`` or an empty tensor.
    """
    maps, attention = zip(*((x.half(), a) for x, a in taps))
    maps = torch.stack(maps, dim=1)  # (B, layers, T, P+N, C)
    if attention[0] is None:
        return maps, maps.new_zeros(len(maps), 0)
    return maps, torch.stack([a.half() for a in attention], dim=1)
