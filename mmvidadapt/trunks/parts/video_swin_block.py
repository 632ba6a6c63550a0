"""The block of Video Swin, under its parameter names."""

from collections import OrderedDict
from typing import Optional

from torch import Tensor, nn

from .drop_path import DropPath
from .window3d import Sides, Windows3D
from .window_attention import WindowAttention


class Swin3DBlock(nn.Module):
    """Pre-norm block: attention in windows of space and time, then MLP.

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

    # What it is made of; the lean twin has lean parts.
    Attention, Linear = WindowAttention, nn.Linear

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
        self.attn = self.Attention(embed_dims, num_heads, window, scale)
        self.norm2 = nn.LayerNorm(embed_dims)
        self.mlp = nn.Sequential(
            OrderedDict(
                fc1=self.Linear(embed_dims, hidden),
                act=nn.GELU(),
                fc2=self.Linear(hidden, embed_dims),
            )
        )
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor, windows: Windows3D) -> Tensor:
        """Transform a map of tokens, x: (B, T, H, W, C)."""
        bias = windows.bias(self.attn.bias(windows.index), self.shifted)
        h = windows.split(self.norm1(x), self.shifted)  # (B*G, N, C)
        h = windows.join(self.attn(h, bias), self.shifted)  # (B, T, H, W, C)
        x = x + self.drop_path(h)  # (B, T, H, W, C)
        return x + self.drop_path(self.mlp(self.norm2(x)))  # (B, T, H, W, C)
