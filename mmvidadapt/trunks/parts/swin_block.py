"""The block of the image Swin, under Microsoft's parameter names."""

from collections import OrderedDict
from typing import Tuple

from einops import rearrange
from torch import Tensor, nn

from .drop_path import DropPath
from .window import join_windows, shift_mask, split_windows
from .window_attention import WindowAttention, relative_index


class SwinBlock(nn.Module):
    """Pre-norm block: attention in windows, then MLP.

    Proposed in `Swin Transformer <https://arxiv.org/abs/2103.14030>`_.

    Args:
        embed_dims (int): Number of channels C.
        num_heads (int): Number of heads.
        window_size (int): Side of a window in tokens.
        grid (Tuple[int, int]): Height and width of a frame in tokens.
        shifted (bool): Whether the windows are shifted by half their side.
        drop_path (float): Drop-path rate. Defaults to 0.0.

    Raises:
        ValueError: If the windows do not divide the grid.
    """

    # What it is made of; the lean twin has lean parts.
    Attention, Linear = WindowAttention, nn.Linear

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        window_size: int,
        grid: Tuple[int, int],
        shifted: bool,
        drop_path: float = 0.0,
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
        sides = (self.window, self.window)
        self.attn = self.Attention(embed_dims, num_heads, sides)
        self.norm2 = nn.LayerNorm(embed_dims)
        self.mlp = nn.Sequential(
            OrderedDict(
                fc1=self.Linear(embed_dims, 4 * embed_dims),
                act=nn.GELU(),
                fc2=self.Linear(4 * embed_dims, embed_dims),
            )
        )
        self.drop_path = DropPath(drop_path)
        index = relative_index(sides, sides)  # (P*P, P*P)
        self.register_buffer('index', index, persistent=False)
        if self.shift:
            self.register_buffer(
                'mask',
                shift_mask(grid, self.window, self.shift),
                persistent=False,
            )

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of all frames, x: (F, H*W, C)."""
        x = x + self.drop_path(self.attend_windows(self.norm1(x)))
        return x + self.drop_path(self.mlp(self.norm2(x)))  # (F, H*W, C)

    def attend_windows(self, x: Tensor) -> Tensor:
        """Attend in each of the G windows of a frame, x: (F, H*W, C)."""
        cut = (self.grid, self.window, self.shift)
        h = split_windows(x, *cut)  # (F*G, P*P, C)
        h = self.attn(h, self.window_bias())  # (F*G, P*P, C)
        return join_windows(h, *cut)  # (F, H*W, C)

    def window_bias(self) -> Tensor:
        """Add up what is added to the scores of each window.

        Returns:
            Tensor: ``(G, heads, P*P, P*P)``, or ``(1, heads, P*P, P*P)``
            where the windows are not shifted.
        """
        bias = self.attn.bias(self.index)[None]  # (1, heads, P*P, P*P)
        return bias + self.mask[:, None] if self.shift else bias


class PatchMerging(nn.Module):
    """Join 2 x 2 tokens: a quarter of the tokens, twice the channels.

    Args:
        embed_dims (int): Number of input channels C.
        grid (Tuple[int, int]): Height and width of the input in tokens.
    """

    Linear = nn.Linear

    def __init__(self, embed_dims: int, grid: Tuple[int, int]) -> None:
        super().__init__()
        self.grid = grid
        self.norm = nn.LayerNorm(4 * embed_dims)
        self.reduction = self.Linear(
            4 * embed_dims, 2 * embed_dims, bias=False
        )

    def forward(self, x: Tensor) -> Tensor:
        """Merge (F, H*W, C) into (F, H*W/4, 2C)."""
        x = rearrange(
            x,
            'f (h p w q) c -> f (h w) (q p c)',
            p=2,
            q=2,
            h=self.grid[0] // 2,
        )  # (F, H*W/4, 4C): columns vary slowest, as in the weights
        return self.reduction(self.norm(x))  # (F, H*W/4, 2C)
