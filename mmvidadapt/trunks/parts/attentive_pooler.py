"""Read all tokens of a clip with learned queries: the attentive probe."""

import math
from typing import Optional

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .block import make_mlp
from .lean import Lean
from .lean_block import LeanViTBlock, learns
from .linear import Linear
from .precision import autocast_cast


class CrossAttention(nn.Module):
    """``softmax(W_q q (W_k x)^T / sqrt d) W_v x``, without an output layer.

    Args:
        embed_dims (int): Number of channels C.
        num_heads (int): Number of heads; it divides C.

    Raises:
        ValueError: If it does not.
    """

    def __init__(self, embed_dims: int, num_heads: int) -> None:
        super().__init__()
        if embed_dims % num_heads:
            raise ValueError(
                f'num_heads={num_heads} of the pooler does not divide '
                f'embed_dims={embed_dims}.'
            )
        self.num_heads = num_heads
        self.in_proj_weight = nn.Parameter(
            torch.empty(3 * embed_dims, embed_dims)
        )  # rows of q, k and v
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * embed_dims))

    def forward(self, query: Tensor, x: Tensor) -> Tensor:
        """Attend from queries (Q, C) to tokens (B, N, C); (B, Q, C)."""
        weights, biases = (
            t.chunk(3) for t in (self.in_proj_weight, self.in_proj_bias)
        )
        query = query.expand(x.shape[0], -1, -1)  # (B, Q, C)
        q, k, v = (
            rearrange(
                nn.functional.linear(y, weight, bias),
                'b n (m d) -> b m n d',
                m=self.num_heads,
            )
            for y, weight, bias in zip((query, x, x), weights, biases)
        )
        out = nn.functional.scaled_dot_product_attention(q, k, v)
        return rearrange(out, 'b m q d -> b q (m d)')  # (B, Q, C)


class LeanCrossAttention(Lean, CrossAttention):
    """Lean twin: keys and values of the N tokens are never made.

    The queries are the same for all clips, so that ``q (W_k x)^T`` is
    ``(q W_k) x^T``, a product with m vectors in the place of C; the bias of
    the keys adds the same to all scores of a query. Weights sum to one, so
    that ``sum_n a_n (W_v x_n + b)`` is ``W_v (sum_n a_n x_n) + b``.
    """

    def forward(self, query: Tensor, x: Tensor) -> Tensor:
        """Attend from queries (Q, C) to tokens (B, N, C); (B, Q, C)."""
        heads, x = self.num_heads, autocast_cast(x)
        of_q, of_k, of_v = (
            rearrange(weight, '(m d) c -> m d c', m=heads)
            for weight in self.in_proj_weight.chunk(3)
        )  # (m, d, C) each
        bias_q, _, bias_v = self.in_proj_bias.chunk(3)  # (C,) each
        bias_q = rearrange(bias_q, '(m d) -> m 1 d', m=heads)
        q = query @ of_q.mT + bias_q  # (m, Q, d)
        keys = (q @ of_k).flatten(0, 1) / math.sqrt(q.shape[-1])  # (m*Q, C)
        scores = x @ keys.mT.to(x.dtype)  # (B, N, m*Q)
        shares = scores.softmax(dim=1).to(x.dtype)  # (B, N, m*Q)
        read = shares.mT @ x  # (B, m*Q, C)
        read = rearrange(read, 'b (m q) c -> b m q c', m=heads)
        out = read @ of_v.mT.to(read.dtype)  # (B, m, Q, d)
        return rearrange(out, 'b m q d -> b q (m d)') + bias_v  # (B, Q, C)


class CrossBlock(nn.Module):
    """``z = q + CA(q, LN x); z + MLP(LN z)``: queries are not normed first.

    Args:
        embed_dims (int): Number of channels C.
        num_heads (int): Number of heads.
        mlp_ratio (float): Width of the MLP relative to C.
        eps (float): Epsilon of the norms.
    """

    def __init__(
        self, embed_dims: int, num_heads: int, mlp_ratio: float, eps: float
    ) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(embed_dims, eps=eps)
        self.attn = LeanCrossAttention(embed_dims, num_heads)
        self.ln_2 = nn.LayerNorm(embed_dims, eps=eps)
        self.mlp = make_mlp(embed_dims, round(embed_dims * mlp_ratio), 'gelu')

    def read(self, query: Tensor, x: Tensor) -> Tensor:
        """Attend to normed tokens, (B, Q, C)."""
        return self.attn(query, self.ln_1(x))  # (B, Q, C)

    def forward(self, query: Tensor, x: Tensor) -> Tensor:
        """Read tokens (B, N, C) with queries (Q, C); (B, Q, C)."""
        z = query + self.read(query, x)  # (B, Q, C)
        return z + self.mlp(self.ln_2(z))  # (B, Q, C)


class LeanCrossBlock(Lean, CrossBlock):
    """Lean twin: norm and scores are computed again, which costs little."""

    def forward(self, query: Tensor, x: Tensor) -> Tensor:
        """Read tokens (B, N, C) with queries (Q, C); (B, Q, C)."""
        if learns(self, x):
            read = checkpoint(
                self.read,
                query,
                x,
                use_reentrant=False,
                preserve_rng_state=False,
            )  # (B, Q, C)
        else:
            read = self.read(query, x)  # (B, Q, C)
        z = query + read  # (B, Q, C)
        return z + self.mlp(self.ln_2(z))  # (B, Q, C)


class AttentivePooler(nn.Module):
    """Attentive probe without its classifier: blocks, then a cross-attention.

    ``x = Block(x)`` for every self-attention block, pre-norm, then
    :class:`CrossBlock`. Positions there are none, unless the owner sets
    ``code``, which adds them to the tokens, or ``rotary`` of the blocks'
    attentions. Proposed in `V-JEPA
    <https://arxiv.org/abs/2404.08471>`_; of `V-JEPA 2
    <https://arxiv.org/abs/2506.09985>`_ are the self-attention blocks.

    Weights start at a deviation of 0.02, biases at 0; the last layers of the
    i-th block, counted from 1, are divided by sqrt(2 i), and so is the last
    one of the cross-attention by that of the last block.

    Args:
        embed_dims (int): Number of channels C.
        num_heads (int): Number of heads; it divides C. Released probes: 16.
        num_layers (int): Self-attention blocks before the cross-attention;
            papers count that one, too. Defaults to 3.
        num_queries (int): Queries Q, a vector each. Defaults to 1.
        mlp_ratio (float): Width of the MLPs relative to C, whatever that of
            the trunk is. Defaults to 4.0.
        eps (float): Epsilon of the norms; the authors' is 1e-5, that of
            Hugging Face 1e-6. Defaults to 1e-6.
        with_cp (bool): Whether the backward pass computes the blocks again.
            Defaults to False.
        in_dims (int, optional): Number of channels of the tokens, which a
            linear layer ``proj`` turns into C, as in `DINOv3
            <https://arxiv.org/abs/2508.10104>`_ (C = 1024). Defaults to None:
            C, and no such layer.

    Raises:
        ValueError: Without a query, or if the heads do not divide C.
    """

    code: Optional[nn.Module]

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        num_layers: int = 3,
        num_queries: int = 1,
        mlp_ratio: float = 4.0,
        eps: float = 1e-6,
        with_cp: bool = False,
        in_dims: Optional[int] = None,
    ) -> None:
        super().__init__()
        if num_layers < 0 or num_queries < 1:
            raise ValueError(
                f'num_layers={num_layers}, num_queries={num_queries}: give 0 '
                'layers or more, and at least one query.'
            )
        self.with_cp, self.embed_dims = with_cp, embed_dims
        self.proj = None if in_dims is None else Linear(in_dims, embed_dims)
        self.code = None
        sizes = embed_dims, num_heads, mlp_ratio
        self.query_tokens = nn.Parameter(torch.zeros(num_queries, embed_dims))
        self.blocks = nn.ModuleList(
            LeanViTBlock(*sizes, 'gelu', eps) for _ in range(num_layers)
        )
        self.cross = LeanCrossBlock(*sizes, eps)
        self.draw_()

    @torch.no_grad()
    def draw_(self) -> None:
        """Draw fresh weights."""
        for name, param in self.named_parameters():
            if param.ndim == 2:
                nn.init.trunc_normal_(param, std=0.02)
            elif name.endswith('bias'):
                nn.init.zeros_(param)
        for i, block in enumerate(self.blocks, start=1):
            block.attn.out_proj.weight /= math.sqrt(2 * i)
            block.mlp.c_proj.weight /= math.sqrt(2 * i)
        last = max(len(self.blocks), 1)
        self.cross.mlp.c_proj.weight /= math.sqrt(2 * last)

    def run(self, block: nn.Module, *inputs: Tensor) -> Tensor:
        """Run a block, keeping only its inputs for backward if asked to."""
        if self.with_cp and learns(block, inputs[-1]):
            return checkpoint(block, *inputs, use_reentrant=False)
        return block(*inputs)

    def forward(self, x: Tensor) -> Tensor:
        """Read the tokens of clips, (B, N, C); one vector a query, (B, Q, C).

        Args:
            x (Tensor): Tokens ``(B, N, C)``, those of all clips that are read
                together side by side; with ``in_dims``, of as many channels.

        Returns:
            Tensor: ``(B, Q, C)``.
        """
        for step in (self.proj, self.code):
            x = x if step is None else step(x)  # (B, N, C)
        for block in self.blocks:
            x = self.run(block, x)  # (B, N, C)
        return self.run(self.cross, self.query_tokens, x)  # (B, Q, C)


def make_pooler(
    embed_dims: int, num_heads: int, with_cp: bool, pooler: Optional[dict]
) -> AttentivePooler:
    """Make the pooler of a trunk.

    Args:
        embed_dims (int): Number of channels of the trunk's tokens.
        num_heads (int): Number of heads, unless ``pooler`` says another.
        with_cp (bool): Same.
        pooler (dict, optional): Arguments of :class:`AttentivePooler`; with
            ``embed_dims`` among them tokens are projected to as many.

    Returns:
        AttentivePooler: With fresh weights.
    """
    given = dict(embed_dims=embed_dims, num_heads=num_heads, with_cp=with_cp)
    if 'embed_dims' in (pooler or {}):
        given['in_dims'] = embed_dims
    return AttentivePooler(**{**given, **(pooler or {})})
