"""Side4Video's layers in less memory and time: the same numbers."""

import torch.nn.functional as F
from torch import Tensor

from mmvidadapt.trunks.parts.lean import Lean
from mmvidadapt.trunks.parts.lean_attention import LeanAttention, join_heads
from mmvidadapt.trunks.parts.lean_temporal_conv import LeanTemporalConv
from mmvidadapt.trunks.parts.linear import (
    Linear,
    as_built,
    linear,
    renorm,
)

from .block import SideLayer, SideNetwork


class LeanSideLayer(Lean, SideLayer):
    """Lean twin of :class:`SideLayer`.

    What the layer norms gave and what was activated is made again in the
    backward pass, not kept.
    """

    Linear, TemporalConv = Linear, LeanTemporalConv
    Attention = LeanAttention

    def take_in(self, x: Tensor) -> Tensor:
        """Narrow the tokens of the trunk, (B*T, P+N, D) to (B*T, P+N, d)."""
        if not as_built(self.proj_in):
            return super().take_in(x)
        weight, bias = self.proj_in.weight, self.proj_in.bias
        return linear(self.ln_in(x), weight, bias, x, renorm(self.ln_in))

    def attend(self, y: Tensor) -> Tensor:
        """Attend from patches to all, (B*T, 1+N, d) to (B*T, N, d)."""
        made = (y, renorm(self.ln))
        q, k, v = self.attn.project(self.ln(y), None, made, positions=False)
        out = F.scaled_dot_product_attention(q[:, :, 1:], k, v)
        return self.attn.out_proj(join_heads(out, y[:, 1:]))  # (B*T, N, d)

    def transform(self, h: Tensor) -> Tensor:
        """Run the MLP, (B, T, N, d)."""
        first, act, last = self.mlp
        if not as_built(first, last):
            return self.mlp(h)
        hidden = first(h)  # (B, T, N, width)
        return linear(act(hidden), last.weight, last.bias, hidden, act)


class LeanSideNetwork(Lean, SideNetwork):
    """Lean twin of :class:`SideNetwork`."""

    Layer = LeanSideLayer
