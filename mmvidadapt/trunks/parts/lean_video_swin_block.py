"""The block of Video Swin, keeping little for the backward pass."""

from typing import Tuple

from torch import Tensor, nn

from .lean import Lean
from .lean_attention import Made, project
from .lean_block import lean_mlp
from .lean_window_attention import LeanWindowAttention, window_attention
from .linear import Linear, as_built, linear, renorm
from .tracing import is_traced
from .video_swin_block import Swin3DBlock
from .window3d import Windows3D
from .window_attention import WindowAttention


def attend_windows(
    attn: nn.Module,
    norm: nn.LayerNorm,
    x: Tensor,
    windows: Windows3D,
    shifted: bool,
    index: Tensor,
) -> Tensor:
    """Attend within the windows of a normed map.

    Args:
        attn (nn.Module): :class:`WindowAttention`, or mmaction2's.
        norm (nn.LayerNorm): The norm before it.
        x (Tensor): Map ``(B, T, H, W, C)``.
        windows (Windows3D): How the map is cut.
        shifted (bool): Whether the windows are shifted.
        index (Tensor): Row of the table for every pair of tokens, ``(N, N)``.

    Returns:
        Tensor: Map ``(B, T, H, W, C)``.
    """
    h = windows.split(norm(x), shifted)  # (B*G, N, C)
    table = attn.relative_position_bias_table
    if is_traced():  # exporters look into plain operators only
        bias = windows.bias(table[index].permute(2, 0, 1), shifted)
        return windows.join(WindowAttention.forward(attn, h, bias), shifted)
    again = renorm(norm)
    made = (x, lambda source: windows.split(again(source), shifted))
    q, k, v = _project(attn, h, made)  # (B*G, heads, N, d) each
    regions = windows.regions if windows.forbids(shifted) else None
    out = window_attention(q, k, v, table, index, regions, attn.scale)
    out = out.reshape(h.shape)  # (B*G, N, C)
    if as_built(attn.proj):
        out = linear(out, attn.proj.weight, attn.proj.bias)
    else:
        out = attn.proj(out)
    return windows.join(out, shifted)


def _project(attn: nn.Module, h: Tensor, made: Made) -> Tuple[Tensor, ...]:
    """Project windows (S, N, C) to q, k, v: (S, heads, N, C / heads).

    A layer that was quantised or wrapped since is called, not read.
    """
    heads = attn.num_heads
    if as_built(attn.qkv):
        return project(h, attn.qkv.weight, attn.qkv.bias, heads, made=made)
    return tuple(
        part.unflatten(-1, (heads, -1)).transpose(1, 2)
        for part in attn.qkv(h).chunk(3, dim=-1)
    )


class LeanSwin3DBlock(Lean, Swin3DBlock):
    """Lean twin of :class:`Swin3DBlock`: keeps no scores and no norms."""

    Attention, Linear = LeanWindowAttention, Linear

    def forward(self, x: Tensor, windows: Windows3D) -> Tensor:
        """Transform a map of tokens, x: (B, T, H, W, C)."""
        if is_traced():
            return super().forward(x, windows)
        h = attend_windows(
            self.attn, self.norm1, x, windows, self.shifted, windows.index
        )  # (B, T, H, W, C)
        x = x + self.drop_path(h)  # (B, T, H, W, C)
        return x + self.drop_path(lean_mlp(self.mlp, self.norm2, x))
