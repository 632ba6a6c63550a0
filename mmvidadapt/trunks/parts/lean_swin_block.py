"""The block of the image Swin, keeping little for the backward pass."""

from typing import Optional

from torch import Tensor

from .lean import Lean
from .lean_block import MLPRunner
from .lean_window_attention import LeanWindowAttention
from .linear import Linear
from .swin_block import PatchMerging, SwinBlock
from .window import ASIDE, join_windows, split_windows


class LeanSwinBlock(Lean, MLPRunner, SwinBlock):
    """Lean twin of :class:`SwinBlock`: one bias serves all frames."""

    Attention, Linear = LeanWindowAttention, Linear

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of all frames, x: (F, H*W, C)."""
        h = self.attend_aside(self.norm1(x))  # (F, P*P, G, C)
        x = x + self.drop_path(self.join(self.attn.proj(h)))  # (F, H*W, C)
        return x + self.drop_path(self.run_mlp(x))  # (F, H*W, C)

    def attend_aside(self, x: Tensor) -> Tensor:
        """Attend without projection: (F, H*W, C) to (F, P*P, G, C)."""
        x = split_windows(x, self.grid, self.window, self.shift, ASIDE)
        return self.attn.attend(x, self.window_bias())  # (F, P*P, G, C)

    def join(self, x: Tensor) -> Tensor:
        """Put windows back: (F, P*P, G, C) to (F, H*W, C)."""
        return join_windows(x, self.grid, self.window, self.shift, ASIDE)

    def norm_mlp(self, x: Tensor, normed: Optional[Tensor] = None) -> Tensor:
        """Run the MLP on the second norm of x, ``normed`` where known."""
        return self.mlp(self.norm2(x) if normed is None else normed)


class LeanPatchMerging(Lean, PatchMerging):
    """Lean twin of :class:`PatchMerging`."""

    Linear = Linear
