"""The block of the image Swin, keeping little for the backward pass."""

from typing import Optional

from torch import Tensor

from .lean import Lean
from .lean_attention import attend
from .lean_block import MLPRunner
from .linear import Linear
from .swin_block import PatchMerging, SwinBlock
from .window import ASIDE, join_windows, split_windows
from .window_attention import WindowAttention


class LeanWindowAttention(Lean, WindowAttention):
    """Lean twin of :class:`WindowAttention`, for windows side by side."""

    Linear = Linear

    def attend(self, x: Tensor, bias: Tensor) -> Tensor:
        """Attend without the output projection.

        Args:
            x (Tensor): ``(S, L, G, C)``: G sequences side by side.
            bias (Tensor): ``(G, heads, L, L)``, or ``(1, heads, L, L)``.

        Returns:
            Tensor: ``(S, L, G, C)``.
        """
        bias = bias.expand(x.shape[2], -1, -1, -1)  # (G, heads, L, L)
        bias = bias.flatten(0, 1)[None]  # (1, G * heads, L, L)
        return attend(
            x, self.qkv.weight, self.qkv.bias, self.num_heads, mask=bias
        )


class LeanSwinBlock(Lean, MLPRunner, SwinBlock):
    """Lean twin of :class:`SwinBlock`: one bias serves all frames."""

    Attention, Linear = LeanWindowAttention, Linear

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of all frames, x: (F, H*W, C)."""
        h = self.attend_aside(self.norm1(x))  # (F, P*P, G, C)
        x = x + self.drop_path(self.join(self.attn.proj(h)))  # (F, H*W, C)
        return x + self.drop_path(self.run_mlp(x))

    def attend_aside(self, x: Tensor) -> Tensor:
        """Attend without projection: (F, H*W, C) to (F, P*P, G, C)."""
        x = split_windows(x, self.grid, self.window, self.shift, ASIDE)
        return self.attn.attend(x, self.window_bias())

    def join(self, x: Tensor) -> Tensor:
        """Put windows back: (F, P*P, G, C) to (F, H*W, C)."""
        return join_windows(x, self.grid, self.window, self.shift, ASIDE)

    def norm_mlp(self, x: Tensor, normed: Optional[Tensor] = None) -> Tensor:
        """Run the MLP on the second norm of x, ``normed`` where known."""
        return self.mlp(self.norm2(x) if normed is None else normed)


class LeanPatchMerging(Lean, PatchMerging):
    """Lean twin of :class:`PatchMerging`."""

    Linear = Linear
