"""ZeroI2V's blocks in less memory and time: the same numbers."""

from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from mmvidadapt.trunks.parts.lean_adapter import LeanAdapter
from mmvidadapt.trunks.parts.lean_attention import join_heads
from mmvidadapt.trunks.parts.lean_block import LeanViTBlock, learns
from mmvidadapt.trunks.parts.linear import renorm

from .block import ShiftedBlock, ZeroI2VBlock


class LeanShiftedBlock(LeanViTBlock, ShiftedBlock):
    """Lean twin of :class:`ShiftedBlock`."""

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of all frames, x: (B*T, P+N, C)."""
        h = self.attend_lean(self.ln_1(x), x)  # (B*T, 1 or P+N, C)
        x = self.keep_read(x) + self.drop_path(self.attn.out_proj(h))
        return x + self.drop_path(self.run_mlp(x))

    def attend_lean(self, h: Tensor, made_of: Optional[Tensor]) -> Tensor:
        """Attend from what is read, without the output projection.

        Args:
            h (Tensor): What is attended to, ``(B*T, P+N, C)``.
            made_of (Tensor, optional): What the first norm made h of.

        Returns:
            Tensor: ``(B*T, 1 or P+N, C)``.
        """
        query = self.keep_read(h) if self.only_readout else None
        made = (None, None)
        if query is None and made_of is not None:
            made = (made_of, renorm(self.ln_1))
        q, k, v = self.attn.project(h, query, made)  # (B*T, heads, P+N, d)
        out = F.scaled_dot_product_attention(q, self.shift(k), self.shift(v))
        return join_heads(out, self.keep_read(h))


class LeanZeroI2VBlock(LeanShiftedBlock, ZeroI2VBlock):
    """Lean twin of :class:`ZeroI2VBlock`.

    The adapter behind the attention is folded into its last layer; the others
    keep what the norms were given, not what they gave.
    """

    Adapter = LeanAdapter

    def forward(self, x: Tensor) -> Tensor:
        """Adapt the tokens of all frames, x: (B*T, P+N, C)."""
        h = self.ln_1(x)  # (B*T, P+N, C)
        adapted = self.attn_adapter_in(h, x, self.ln_1)  # (B*T, P+N, C)
        h = torch.add(h, adapted, alpha=self.scale)
        h = self.attend_lean(h, None)  # (B*T, 1 or P+N, C)
        adapted = self.attn_adapter_out.after(self.attn.out_proj, h)
        h = torch.add(self.attn.out_proj(h), adapted, alpha=self.scale)
        x = self.keep_read(x) + self.drop_path(h)  # (B*T, 1 or P+N, C)
        return x + self.drop_path(self.run_mlp(x))

    def norm_mlp(self, x: Tensor, normed: Optional[Tensor] = None) -> Tensor:
        """Run the adapted MLP on the second norm of x, (B*T, P+N, C)."""
        h = self.ln_2(x) if normed is None else normed  # (B*T, P+N, C)
        adapted = self.mlp_adapter_in(h, x, self.ln_2)  # (B*T, P+N, C)
        h = self.mlp(torch.add(h, adapted, alpha=self.scale))
        return torch.add(h, self.mlp_adapter_out(h), alpha=self.scale)

    def run_mlp(self, x: Tensor, normed: Optional[Tensor] = None) -> Tensor:
        """Run :meth:`norm_mlp`, computed again with the same dropout."""
        if self.recompute_mlp and learns(self, x):
            return checkpoint(self.norm_mlp, x, use_reentrant=False)
        return self.norm_mlp(x, normed)  # (B*T, P+N, C)
