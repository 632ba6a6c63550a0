"""When and where a token is, as sines and cosines.

The probe itself is :class:`~mmvidadapt.trunks.parts.attentive_pooler
.AttentivePooler`, which video trunks have, too. Letters: T steps, H rows and W
columns of tokens, L = T H W in this order, K tokens of every place.
"""

from functools import partial
from typing import Tuple

import torch
from torch import Tensor, nn

from mmvidadapt.trunks.parts.attentive_pooler import AttentivePooler
from mmvidadapt.trunks.parts.rotary3d import LeanRotary3D, positions3d
from mmvidadapt.trunks.parts.rotary_tables import RotaryTables
from mmvidadapt.utils.check_choices import check_choices

BASE = 10000.0
TIMES = ('sincos', 'rotary', 'dinov3', None)


def time_angles(num_frames: int, bands: int) -> Tensor:
    """Compute n angles for the number of every frame, (T, n) in float64."""
    scale = BASE ** -(torch.arange(bands).double() / bands)  # (n,)
    return torch.arange(num_frames).double()[:, None] * scale  # (T, n)


class TimeCode(RotaryTables):
    """Add sines, then cosines, of the number of a frame to its tokens.

    From `Attention Is All You Need <https://arxiv.org/abs/1706.03762>`_,
    section 3.5, halves instead of neighbours.

    Args:
        num_frames (int): Number of frames T.
        embed_dims (int): Number of channels C, an even one.
    """

    def __init__(self, num_frames: int, embed_dims: int) -> None:
        super().__init__(partial(time_angles, num_frames, embed_dims // 2))

    def forward(self, x: Tensor) -> Tensor:
        """Add the code to tokens (B, T, N, C)."""
        code = torch.cat([self.sin, self.cos], dim=1)  # (T, C)
        return x + code[:, None].to(x.dtype)  # (B, T, N, C)


def code_angles(size: Tuple[int, int, int], bands: int, copies: int) -> Tensor:
    """Compute as many angles for step, row and column of every token.

    Args:
        size (Tuple[int, int, int]): Steps T, rows H and columns W.
        bands (int): Number of frequencies n of each.
        copies (int): Tokens K of every place, L of each one after the other.

    Returns:
        Tensor: ``(K*L, 3n)`` in float64.
    """
    scale = BASE ** -(torch.arange(bands).double() / bands)  # (n,)
    angles = positions3d(size)[..., None] * scale  # (L, 3, n)
    return angles.flatten(1).repeat(copies, 1)  # (K*L, 3n)


class SpaceTimeCode(RotaryTables):
    """Add sines, then cosines, of step, row and column to tokens.

    Args:
        size (Tuple[int, int, int]): Steps T, rows H and columns W of tokens.
        embed_dims (int): Number of channels C, a sixth of which are sines of
            one axis; what is left over stays.
        copies (int): Tokens K of every place. Defaults to 1.
    """

    def __init__(
        self, size: Tuple[int, int, int], embed_dims: int, copies: int = 1
    ) -> None:
        super().__init__(partial(code_angles, size, embed_dims // 6, copies))

    def forward(self, x: Tensor) -> Tensor:
        """Add the code to tokens (B, K*L, C)."""
        code = torch.cat([self.sin, self.cos], dim=1)  # (K*L, 6n)
        rest = x.shape[-1] - code.shape[1]
        return x + nn.functional.pad(code, (0, rest)).to(x.dtype)


def place_tokens_(
    probe: AttentivePooler,
    positions: str,
    size: Tuple[int, int, int],
    copies: int,
) -> None:
    """Make a probe know where its tokens are, in time and in space.

    Args:
        probe (AttentivePooler): The probe, which is changed.
        positions (str): ``'rotary'``, which turns the queries and keys of its
            self-attention blocks, or ``'dinov3'``, which adds a code to the
            tokens, too.
        size (Tuple[int, int, int]): Steps T, rows H and columns W of tokens.
        copies (int): Tokens K of every place.

    Raises:
        ValueError: If the probe has no self-attention block.
    """
    check_choices('time_positions', [positions], ('rotary', 'dinov3'))
    if not len(probe.blocks):
        raise ValueError(
            f'time_positions={positions!r} is for self-attention blocks, and '
            "pooler.num_layers=0: choose 'sincos' or num_layers=1, say."
        )
    head_dims = probe.embed_dims // probe.blocks[0].attn.num_heads
    rotary = LeanRotary3D('counted', size, head_dims, copies)
    for block in probe.blocks:
        block.attn.rotary = rotary
    if positions == 'dinov3':
        probe.code = SpaceTimeCode(size, probe.embed_dims, copies)
