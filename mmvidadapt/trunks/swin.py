"""Parts of the image Swin under Microsoft's parameter names."""

from typing import Optional, Tuple

import torch
from einops import rearrange
from torch import Tensor, nn

from .parts.lean_attention import attend
from .parts.lean_block import MLPRunner
from .parts.linear import Linear
from .parts.window import (
    join_windows,
    relative_index,
    shift_mask,
    split_windows,
)


class WindowAttention(nn.Module):
    """Attention along dimension 1 with a table of relative position bias.

    Args:
        embed_dims (int): Number of channels C.
        num_heads (int): Number of heads.
        window (int): Side P of a window.
    """

    def __init__(self, embed_dims: int, num_heads: int, window: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.relative_position_bias_table = nn.Parameter(
            torch.empty((2 * window - 1) ** 2, num_heads)
        )
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        self.register_buffer('index', relative_index(window), persistent=False)
        self.qkv = Linear(embed_dims, 3 * embed_dims)
        self.proj = Linear(embed_dims, embed_dims)

    def spatial_bias(self) -> Tensor:
        """Give the bias of every pair in a window, (heads, P*P, P*P)."""
        return self.relative_position_bias_table[self.index].permute(2, 0, 1)

    def attend(self, x: Tensor, bias: Tensor) -> Tensor:
        """Attend without the output projection.

        Args:
            x (Tensor): ``(S, L, G, C)``: G sequences side by side.
            bias (Tensor): ``(heads, L, L)`` or, one for each group,
                ``(G, heads, L, L)``.

        Returns:
            Tensor: ``(S, L, G, C)``.
        """
        bias = bias.expand(x.shape[2], *bias.shape[-3:]).flatten(0, 1)[None]
        return attend(
            x, self.qkv.weight, self.qkv.bias, self.num_heads, mask=bias
        )


class SwinBlock(MLPRunner, nn.Module):
    """Window attention and MLP; subclasses say how they are joined.

    Proposed in `Swin Transformer <https://arxiv.org/abs/2103.14030>`_.

    Args:
        embed_dims (int): Number of channels C.
        num_heads (int): Number of heads.
        window_size (int): Side of a window in tokens.
        grid (Tuple[int, int]): Height and width of a frame in tokens.
        shifted (bool): Whether the windows are shifted by half their side.
    """

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        window_size: int,
        grid: Tuple[int, int],
        shifted: bool,
    ) -> None:
        super().__init__()
        self.grid, self.window = grid, min(window_size, *grid)
        self.shift = self.window // 2 * (shifted and min(grid) > window_size)
        if any(side % self.window for side in grid):
            raise ValueError(
                f'A stage of {grid[0]} x {grid[1]} tokens cannot '
                f'be cut into windows of {self.window}; choose '
                'another img_size.'
            )
        self.norm1 = nn.LayerNorm(embed_dims)
        self.attn = WindowAttention(embed_dims, num_heads, self.window)
        self.norm2 = nn.LayerNorm(embed_dims)
        self.mlp = nn.Sequential()
        self.mlp.fc1 = Linear(embed_dims, 4 * embed_dims)
        self.mlp.act = nn.GELU()
        self.mlp.fc2 = Linear(4 * embed_dims, embed_dims)
        if self.shift:
            self.register_buffer(
                'mask',
                shift_mask(grid, self.window, self.shift),
                persistent=False,
            )

    def attend_windows(self, x: Tensor) -> Tensor:
        """Attend in windows: (F, H*W, C) to (F, P*P, windows, C)."""
        x = split_windows(x, self.grid, self.window, self.shift)
        bias = self.attn.spatial_bias()
        if self.shift:
            bias = bias + self.mask[:, None]  # (windows, heads, P*P, P*P)
        return self.attn.attend(x, bias)

    def join(self, x: Tensor) -> Tensor:
        """Put windows back: (F, P*P, windows, C) to (F, H*W, C)."""
        return join_windows(x, self.grid, self.window, self.shift)

    def norm_mlp(self, x: Tensor, normed: Optional[Tensor] = None) -> Tensor:
        """Run the MLP on the second norm of x."""
        return self.mlp(self.norm2(x) if normed is None else normed)


class PatchMerging(nn.Module):
    """Join 2 x 2 tokens: a quarter of the tokens, twice the channels.

    Args:
        embed_dims (int): Number of input channels C.
        grid (Tuple[int, int]): Height and width of the input in tokens.
    """

    def __init__(self, embed_dims: int, grid: Tuple[int, int]) -> None:
        super().__init__()
        self.grid = grid
        self.norm = nn.LayerNorm(4 * embed_dims)
        self.reduction = Linear(4 * embed_dims, 2 * embed_dims, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Merge (F, H*W, C) into (F, H*W/4, 2C)."""
        x = rearrange(
            x,
            'f (h p w q) c -> f (h w) (q p c)',
            p=2,
            q=2,
            h=self.grid[0] // 2,
        )  # columns vary slowest, as in the weights
        return self.reduction(self.norm(x))
