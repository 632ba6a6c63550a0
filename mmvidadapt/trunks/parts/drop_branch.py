"""Stochastic depth that does not compute what it drops."""

from typing import Callable, Optional

import torch
from torch import Tensor, nn


class DropBranch(nn.Module):
    """A residual branch, computed for the clips that keep it alone.

    :class:`DropPath` multiplies the branches of dropped clips by
    zero; here these clips are left out before the branch runs, which saves
    the share of the work that is dropped.

    Args:
        rate (float): Probability of dropping. Defaults to 0.0.
        num_frames (int): Rows of the batch that belong to one clip and share
            its fate. Defaults to 1.
        rescale (bool): Whether branches that are kept are divided by the
            probability of keeping them. Defaults to True.
    """

    def __init__(
        self, rate: float = 0.0, num_frames: int = 1, rescale: bool = True
    ) -> None:
        super().__init__()
        if not 0 <= rate < 1:
            raise ValueError(f'drop path rate {rate} is not in [0, 1).')
        self.rate, self.num_frames = rate, num_frames
        self.scale = 1 / (1 - rate) if rescale else 1.0

    def forward(
        self,
        x: Tensor,
        branch: Callable[[Tensor], Tensor],
        source: Optional[Tensor] = None,
    ) -> Tensor:
        """Add a branch to x.

        Args:
            x (Tensor): Tokens ``(B * num_frames, ..., C)``.
            branch (Callable): Maps ``source`` to what is added.
            source (Tensor, optional): What the branch reads, as many rows as
                x. Defaults to None: ``x``.

        Returns:
            Tensor: Of the shape of x.
        """
        source = x if source is None else source
        if not self.training or self.rate == 0:
            return x + branch(source)
        # Drawn on the CPU: the number of rows must be known there.
        clips = torch.rand(len(x) // self.num_frames) >= self.rate
        scale = self.scale if clips.any() else 0.0
        clips[0] |= scale == 0  # DDP wants every parameter to take part
        rows = clips.repeat_interleave(self.num_frames).nonzero().flatten()
        rows = rows.to(x.device)  # (R,) rows of what is kept
        out = branch(source.index_select(0, rows)).to(x.dtype)
        return x.index_add(0, rows, out, alpha=scale)

    def extra_repr(self) -> str:
        """Show the settings when printed."""
        return f'{self.rate:.3f}, scale={self.scale:.3f}'
