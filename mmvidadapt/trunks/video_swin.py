"""Parts of Video Swin under its parameter names."""

import math
from collections import OrderedDict
from typing import Dict, Iterator, Optional, Tuple

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from .parts.drop_path import DropPath
from .parts.lean_attention import Made, project
from .parts.lean_block import lean_mlp
from .parts.lean_swin_block import LeanPatchMerging as PatchMerging
from .parts.lean_window_attention import window_attention
from .parts.linear import Linear, as_built, linear, renorm
from .parts.tracing import is_traced
from .parts.window3d import Sides, Windows3D


class WindowAttention3D(nn.Module):
    """Parameters of an attention in windows with a relative bias.

    Args:
        embed_dims (int): Number of channels C.
        num_heads (int): Number of heads.
        window (Tuple[int, int, int]): Frames, height and width of a window.
        scale (float, optional): Factor of the scores.
            Defaults to None: ``(C / heads) ** -0.5``.
    """

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        window: Sides,
        scale: Optional[float] = None,
    ) -> None:
        super().__init__()
        self.num_heads, self.scale = num_heads, scale
        rows = math.prod(2 * side - 1 for side in window)
        self.relative_position_bias_table = nn.Parameter(
            torch.empty(rows, num_heads)
        )
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        self.qkv = Linear(embed_dims, 3 * embed_dims)
        self.proj = Linear(embed_dims, embed_dims)


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
        attn (nn.Module): :class:`WindowAttention3D`, or mmaction2's.
        norm (nn.LayerNorm): The norm before it.
        x (Tensor): Map ``(B, T, H, W, C)``.
        windows (Windows3D): How the map is cut.
        shifted (bool): Whether the windows are shifted.
        index (Tensor): Row of the table for every pair of tokens, ``(N, N)``.

    Returns:
        Tensor: Map ``(B, T, H, W, C)``.
    """
    again, apart = renorm(norm), not is_traced()
    h = windows.split(norm(x), shifted, apart)  # (S, N, G, C)
    made = (x, lambda source: windows.split(again(source), shifted, True))
    q, k, v = _project(attn, h, made)
    table = attn.relative_position_bias_table
    if not apart:  # exporters look into plain operators only
        bias = windows.bias(table, shifted, index).to(q.dtype)
        out = F.scaled_dot_product_attention(q, k, v, bias, scale=attn.scale)
        out = out.transpose(1, 2)
    else:
        regions = windows.regions if windows.forbids(shifted) else None
        out = window_attention(q, k, v, table, index, regions, attn.scale)
    out = out.reshape(h.shape)
    if as_built(attn.proj):
        out = linear(out, attn.proj.weight, attn.proj.bias)
    else:
        out = attn.proj(out)
    return windows.join(out, shifted, apart)


def _project(attn: nn.Module, h: Tensor, made: Made) -> Tuple[Tensor, ...]:
    """Project windows (S, N, G, C) to q, k, v: (S, G * heads, N, C / heads).

    A layer that was quantised or wrapped since is called, not read.
    """
    heads = attn.num_heads
    if as_built(attn.qkv):
        return project(h, attn.qkv.weight, attn.qkv.bias, heads, made=made)
    return tuple(
        part.reshape(*h.shape[:2], -1, h.shape[-1] // heads).transpose(1, 2)
        for part in attn.qkv(h).chunk(3, dim=-1)
    )


class Swin3DBlock(nn.Module):
    """Attention in windows of space and time, then MLP.

    From `Video Swin Transformer <https://arxiv.org/abs/2106.13230>`_. How a
    map is cut into windows comes with it, so that one block serves clips and
    single frames.

    Args:
        embed_dims (int): Number of channels C.
        num_heads (int): Number of heads.
        window (Tuple[int, int, int]): Frames, height and width of a window.
        shifted (bool): Whether the windows are shifted by half their sides.
        mlp_ratio (float): Width of the MLP relative to C. Defaults to 4.0.
        scale (float, optional): Factor of the scores. Defaults to None.
        drop_path (float): Drop-path rate. Defaults to 0.0.
    """

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        window: Sides,
        shifted: bool,
        mlp_ratio: float = 4.0,
        scale: Optional[float] = None,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.shifted = shifted
        hidden = int(embed_dims * mlp_ratio)
        self.norm1 = nn.LayerNorm(embed_dims)
        self.attn = WindowAttention3D(embed_dims, num_heads, window, scale)
        self.norm2 = nn.LayerNorm(embed_dims)
        self.mlp = nn.Sequential(
            OrderedDict(
                fc1=Linear(embed_dims, hidden),
                act=nn.GELU(),
                fc2=Linear(hidden, embed_dims),
            )
        )
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor, windows: Windows3D) -> Tensor:
        """Transform a map of tokens (B, T, H, W, C)."""
        h = attend_windows(
            self.attn, self.norm1, x, windows, self.shifted, windows.index
        )
        x = x + self.drop_path(h)
        return x + self.drop_path(lean_mlp(self.mlp, self.norm2, x))


class Swin3DStage(nn.Module):
    """Blocks on maps of one size, and what merges them into smaller ones.

    Args:
        embed_dims (int): Number of channels C.
        num_heads (int): Number of heads.
        windows (Dict[str, Windows3D]): How the maps of each stream are cut.
        window (Tuple[int, int, int]): Frames, height and width of a window.
        rates (Iterator[float]): Drop-path rates of the blocks.
        depth (int): Number of blocks.
        mlp_ratio (float): Width of the MLPs relative to C. Defaults to 4.0.
        scale (float, optional): Factor of the scores. Defaults to None.
        merge (bool): Whether another stage follows. Defaults to True.
    """

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        windows: Dict[str, Windows3D],
        window: Sides,
        rates: Iterator[float],
        depth: int,
        mlp_ratio: float = 4.0,
        scale: Optional[float] = None,
        merge: bool = True,
    ) -> None:
        super().__init__()
        self.windows = nn.ModuleDict(windows)
        self.blocks = nn.ModuleList(
            Swin3DBlock(
                embed_dims,
                num_heads,
                window,
                shifted=i % 2 == 1,
                mlp_ratio=mlp_ratio,
                scale=scale,
                drop_path=next(rates),
            )
            for i in range(depth)
        )
        self.downsample = None
        if merge:
            grid = next(iter(windows.values())).grid[1:]
            self.downsample = PatchMerging(embed_dims, grid)

    def merge(self, x: Tensor) -> Tensor:
        """Merge (B, T, H, W, C) into (B, T, H / 2, W / 2, 2C)."""
        b, _, h, _, _ = x.shape
        x = rearrange(x, 'b t h w c -> (b t) (h w) c')
        x = self.downsample(x)  # (B*T, H/2 * W/2, 2C)
        return rearrange(x, '(b t) (h w) c -> b t h w c', b=b, h=h // 2)
