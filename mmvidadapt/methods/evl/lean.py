"""EVL in less memory and time: the same numbers as its equations.

Keys and values of the decoder are never formed: with one query a clip it is
cheaper to carry the query into the space of the tokens than all tokens into
the query's.
"""

from typing import Optional, Tuple

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmvidadapt.trunks.parts.lean import Lean
from mmvidadapt.trunks.parts.lean_block import LeanViTBlock
from mmvidadapt.trunks.parts.lean_temporal_conv import LeanTemporalConv
from mmvidadapt.trunks.parts.linear import as_built

from .block import TappedBlock
from .decoder import DecoderLayer, QueryAttention, VideoDecoder
from .lean_motion import LeanNeighbourMotion, lean_neighbour_attention


class LeanTappedBlock(LeanViTBlock, TappedBlock):
    """Lean twin of :class:`TappedBlock`."""

    def forward(
        self, x: Tensor, num_frames: int = 0, num_prefix_tokens: int = 1
    ) -> Tuple[Tensor, Optional[Tensor]]:
        """Transform the tokens of all frames, see :class:`TappedBlock`."""
        q, k, v = self.attn.project(self.ln_1(x))  # (B*T, heads, P+N, d) each
        h = F.scaled_dot_product_attention(q, k, v)  # (B*T, heads, P+N, d)
        h = self.attn.out_proj(rearrange(h, 'f m n d -> f n (m d)'))
        x = x + self.drop_path(h)  # (B*T, P+N, C)
        x = x + self.drop_path(self.run_mlp(x))  # (B*T, P+N, C)
        if not num_frames:
            return x, None
        return x, lean_neighbour_attention(q, k, num_frames, num_prefix_tokens)


class LeanQueryAttention(Lean, QueryAttention):
    """Query attention that can do without keys and values."""

    def heads(self, x: Tensor) -> Tensor:
        """Split the channels: (..., qkv) -> (..., heads, d)."""
        return x.reshape(*x.shape[:-1], self.num_heads, -1)

    def ask(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        """Carry the query x (B, 1, C) into the space of the tokens.

        ``q (W y + b) = (q W) y + q b`` for every token y: returns ``q W``,
        (B, heads, C), and ``q b``, (B, heads, 1).
        """
        q = self.heads(self.q_proj(x)).squeeze(1)  # (B, heads, d)
        q = q * q.shape[-1] ** -0.5
        weight = self.heads(self.k_proj.weight.t())  # (C, heads, d)
        bias = (q * self.heads(self.k_proj.bias)).sum(-1, keepdim=True)
        return torch.einsum('bhd,chd->bhc', q, weight), bias  # (B, heads, C)

    def read(self, ask: Tensor, bias: Tensor, tokens: Tensor) -> Tensor:
        """Average the tokens (B, S, C) as they answer: (B, heads, C)."""
        scores = ask @ tokens.transpose(1, 2) + bias  # (B, heads, S)
        return scores.softmax(-1) @ tokens  # (B, heads, C)

    def answer(self, mean: Tensor) -> Tensor:
        """Project the means of all heads (B, heads, C) to (B, 1, C)."""
        weight = self.heads(self.v_proj.weight.t())  # (C, heads, d)
        value = torch.einsum('bhc,chd->bhd', mean, weight)  # (B, heads, d)
        value = value.flatten(1)  # (B, heads*d)
        return self.out_proj(value + self.v_proj.bias)[:, None]  # (B, 1, C)

    def attend(self, x: Tensor, norm: nn.Module, tokens: Tensor) -> Tensor:
        """Attend from x (B, 1, C) to ``norm(tokens)``, (B, S, C).

        The backward pass normalises again instead of keeping the outcome.
        """
        if not as_built(*self.children()):
            return self(x, norm(tokens))

        def read(ask: Tensor, bias: Tensor, tokens: Tensor) -> Tensor:
            return self.read(ask, bias, norm(tokens))

        inputs = (*self.ask(x), tokens)
        if torch.is_grad_enabled():
            mean = checkpoint(
                read, *inputs, use_reentrant=False, preserve_rng_state=False
            )
        else:
            mean = read(*inputs)  # (B, heads, C)
        return self.answer(mean)


class LeanDecoderLayer(Lean, DecoderLayer):
    """Lean twin of :class:`DecoderLayer`."""

    Conv, Motion = LeanTemporalConv, LeanNeighbourMotion
    Attention = LeanQueryAttention

    def forward(
        self, query: Tensor, x: Tensor, attention: Optional[Tensor]
    ) -> Tensor:
        """Read what a block of the trunk made, see :class:`DecoderLayer`."""
        y = self.tokens(x, attention).flatten(1, 2)  # (B, T*(P+N), C)
        query = query + self.attn.attend(self.norm1(query), self.norm3, y)
        return query + self.mlp(self.norm2(query))  # (B, 1, C)


class LeanVideoDecoder(Lean, VideoDecoder):
    """Lean twin of :class:`VideoDecoder`."""

    Layer = LeanDecoderLayer
