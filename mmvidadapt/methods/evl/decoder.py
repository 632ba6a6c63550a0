"""A decoder whose single query reads the tokens of all frames, block by block.

Keys and values are never formed: with one query a clip it is cheaper to carry
the query into the space of the tokens than all tokens into the query's.
"""

from collections import OrderedDict
from typing import Any, Iterable, Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmvidadapt.trunks.parts.activation import QuickGELU
from mmvidadapt.trunks.parts.linear import as_built
from mmvidadapt.trunks.parts.tracing import is_exported

from .cached_rows import Tap
from .motion import NeighbourMotion


class TemporalConv(nn.Conv1d):
    """Depthwise convolution over time, kernel 3, the same for all tokens.

    Args:
        embed_dims (int): Number of channels C.
    """

    def __init__(self, embed_dims: int) -> None:
        super().__init__(
            embed_dims, embed_dims, 3, padding=1, groups=embed_dims
        )

    def forward(self, x: Tensor) -> Tensor:
        """Convolve x, (B, T, 1+N, C), without moving its axes."""
        before, now, after = self.weight[:, 0].unbind(-1)  # (C,) each
        y = torch.addcmul(self.bias, x, now)
        y[:, 1:].addcmul_(x[:, :-1], before)
        y[:, :-1].addcmul_(x[:, 1:], after)
        return y


class QueryAttention(nn.Module):
    """Multi-head attention of one query a clip.

    Args:
        embed_dims (int): Number of channels C.
        qkv_dims (int): Channels of all heads of queries, keys and values.
        num_heads (int): Number of heads; it divides ``qkv_dims``.
    """

    def __init__(self, embed_dims: int, qkv_dims: int, num_heads: int) -> None:
        super().__init__()
        if qkv_dims % num_heads:
            raise ValueError(
                f'decoder_num_heads={num_heads} does not divide '
                f'decoder_qkv_dims={qkv_dims}.'
            )
        self.num_heads = num_heads
        self.q_proj = nn.Linear(embed_dims, qkv_dims)
        self.k_proj = nn.Linear(embed_dims, qkv_dims)
        self.v_proj = nn.Linear(embed_dims, qkv_dims)
        self.out_proj = nn.Linear(qkv_dims, embed_dims)
        for linear in self.children():
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

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
        return torch.einsum('bhd,chd->bhc', q, weight), bias

    def read(self, ask: Tensor, bias: Tensor, tokens: Tensor) -> Tensor:
        """Average the tokens (B, S, C) as they answer: (B, heads, C)."""
        scores = ask @ tokens.transpose(1, 2) + bias  # (B, heads, S)
        return scores.softmax(-1) @ tokens

    def answer(self, mean: Tensor) -> Tensor:
        """Project the means of all heads (B, heads, C) to (B, 1, C)."""
        weight = self.heads(self.v_proj.weight.t())  # (C, heads, d)
        value = torch.einsum('bhc,chd->bhd', mean, weight).flatten(1)
        return self.out_proj(value + self.v_proj.bias)[:, None]

    def attend(self, x: Tensor, tokens: Tensor) -> Tensor:
        """Attend from x (B, 1, C) to tokens (B, S, C), layer by layer."""
        q, k, v = (
            self.heads(layer(y)).transpose(1, 2)  # (B, heads, S, d)
            for layer, y in (
                (self.q_proj, x),
                (self.k_proj, tokens),
                (self.v_proj, tokens),
            )
        )
        out = F.scaled_dot_product_attention(q, k, v)
        return self.out_proj(out.transpose(1, 2).flatten(2))

    def forward(self, x: Tensor, norm: nn.Module, tokens: Tensor) -> Tensor:
        """Attend from x (B, 1, C) to ``norm(tokens)``, (B, S, C).

        The backward pass normalises again instead of keeping the outcome.
        """
        if not as_built(*self.children()):
            return self.attend(x, norm(tokens))

        def read(ask: Tensor, bias: Tensor, tokens: Tensor) -> Tensor:
            return self.read(ask, bias, norm(tokens))

        inputs = (*self.ask(x), tokens)
        if torch.is_grad_enabled() and not is_exported():
            mean = checkpoint(
                read, *inputs, use_reentrant=False, preserve_rng_state=False
            )
        else:
            mean = read(*inputs)
        return self.answer(mean)


class DecoderLayer(nn.Module):
    """One look at the tokens of all frames, then an MLP.

    Args:
        embed_dims (int): Number of channels C.
        num_frames (int): Number of frames T.
        grid (Tuple[int, int]): Patches along height and width.
        temporal (Sequence[str]): Which temporal modules there are.
        qkv_dims (int): Channels of queries, keys and values.
        num_heads (int): Number of heads.
        mlp_ratio (float): Width of the MLP relative to C.
        dropout (float): Dropout before the second layer of the MLP.
    """

    def __init__(
        self,
        embed_dims: int,
        num_frames: int,
        grid: Tuple[int, int],
        temporal: Sequence[str],
        qkv_dims: int,
        num_heads: int,
        mlp_ratio: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.temporal_conv = self.temporal_pos_embed = self.motion = None
        if 'conv' in temporal:
            self.temporal_conv = TemporalConv(embed_dims)
        if 'position' in temporal:
            self.temporal_pos_embed = nn.Parameter(
                torch.zeros(num_frames, embed_dims)
            )
        if 'motion' in temporal:
            self.motion = NeighbourMotion(embed_dims, grid)
        self.norm1 = nn.LayerNorm(embed_dims)  # of the query
        self.norm2 = nn.LayerNorm(embed_dims)  # before the MLP
        self.norm3 = nn.LayerNorm(embed_dims)  # of the tokens
        self.attn = QueryAttention(embed_dims, qkv_dims, num_heads)
        hidden = round(mlp_ratio * embed_dims)
        self.mlp = nn.Sequential(
            OrderedDict(
                fc1=nn.Linear(embed_dims, hidden),
                act=QuickGELU(),
                dropout=nn.Dropout(dropout),
                fc2=nn.Linear(hidden, embed_dims),
            )
        )
        for linear in (self.mlp.fc1, self.mlp.fc2):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.normal_(linear.bias, std=1e-6)

    def tokens(self, x: Tensor, attention: Optional[Tensor]) -> Tensor:
        """Tell the tokens (B, T, 1+N, C) when they are and what moves."""
        y = x
        if self.temporal_conv is not None:
            y = y + self.temporal_conv(x)
        if self.temporal_pos_embed is not None:
            y = y + self.temporal_pos_embed[:, None]
        if self.motion is not None:
            y = y + self.motion(attention)
        return y

    def forward(
        self, query: Tensor, x: Tensor, attention: Optional[Tensor]
    ) -> Tensor:
        """Let the query read what a block of the trunk made.

        Args:
            query (Tensor): ``(B, 1, C)``.
            x (Tensor): Output of the block, ``(B, T, 1+N, C)``.
            attention (Tensor, optional): Between neighbouring frames, in
                that block, ``(B, 2, T-1, N, N)``.

        Returns:
            Tensor: ``(B, 1, C)``.
        """
        x = x.to(self.norm3.weight.dtype)
        y = self.tokens(x, attention).flatten(1, 2)  # (B, T*(1+N), C)
        query = query + self.attn(self.norm1(query), self.norm3, y)
        return query + self.mlp(self.norm2(query))


class VideoDecoder(nn.Module):
    """One learned query that reads the tapped blocks one after the other.

    It starts at zero, as in the official code.

    Args:
        num_layers (int): Number of layers, one for every tapped block.
        embed_dims (int): Number of channels C.
        **layer: Passed on to :class:`DecoderLayer`.
    """

    def __init__(self, num_layers: int, embed_dims: int, **layer: Any) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(embed_dims))
        self.layers = nn.ModuleList(
            DecoderLayer(embed_dims, **layer) for _ in range(num_layers)
        )

    def forward(self, taps: Iterable[Tap]) -> Tensor:
        """Decode what the trunk yields, layer by layer, to (B, 1, C)."""
        query = self.cls_token
        for layer, (x, attention) in zip(self.layers, taps):
            query = layer(query.expand(x.shape[0], 1, -1), x, attention)
        return query
