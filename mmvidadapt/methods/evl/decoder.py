"""EVL's decoder: one query a clip reads the tokens of all frames.

Letters: B clips, T frames, P tokens before the N patches of a frame (the class
token of a CLIP ViT), C channels.
"""

from collections import OrderedDict
from typing import Any, Iterable, Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from mmvidadapt.trunks.cached.rows import Tap
from mmvidadapt.trunks.parts.activation import QuickGELU
from mmvidadapt.trunks.parts.temporal_conv import TemporalConv

Grid = Tuple[int, int]


class NeighbourMotion(nn.Module):
    """Motion of every patch: a learned sum over the offsets it moved by.

    Args:
        embed_dims (int): Number of channels C.
        grid (Tuple[int, int]): Patches along height h and width w.
        num_prefix_tokens (int): Tokens P before the patches. Defaults to 1.
    """

    def __init__(
        self, embed_dims: int, grid: Grid, num_prefix_tokens: int = 1
    ) -> None:
        super().__init__()
        self.grid, self.num_prefix_tokens = tuple(grid), num_prefix_tokens
        offsets = (2 * grid[0] - 1) * (2 * grid[1] - 1)
        self.w1 = nn.Parameter(torch.zeros(offsets, embed_dims))
        self.w2 = nn.Parameter(torch.zeros(offsets, embed_dims))

    def forward(self, attention: Tensor) -> Tensor:
        """Describe the motion at every token.

        Args:
            attention (Tensor): Of :func:`neighbour_attention`,
                ``(B, 2, T-1, N, N)``.

        Returns:
            Tensor: ``(B, T, P+N, C)``; zero before the patches.
        """
        back, forth = attention.to(self.w1.dtype).unbind(1)
        back = self.sum(back, self.w1)  # (B, T-1, N, C)
        forth = self.sum(forth, self.w2)  # (B, T-1, N, C)
        # The first frame has nothing before it, the last nothing after it.
        prefix = self.num_prefix_tokens
        back = F.pad(back, (0, 0, prefix, 0, 1, 0))  # (B, T, P+N, C)
        return back + F.pad(forth, (0, 0, prefix, 0, 0, 1))

    def sum(self, attention: Tensor, table: Tensor) -> Tensor:
        """Sum offsets by attention, (B, T-1, N, N) -> (B, T-1, N, C)."""
        offsets = table[offset_index(self.grid, table.device)]  # (N, N, C)
        return torch.einsum('btpj,pjc->btpc', attention, offsets)


def offset_index(grid: Grid, device: torch.device) -> Tensor:
    """Number the offsets of all pairs of patches, (N, N).

    ``(i_p - i_j + h - 1) * (2w - 1) + (j_p - j_j + w - 1)`` for the rows i
    and the columns j of the patches p and j.
    """
    h, w = grid
    p = torch.arange(h * w, device=device)
    rows = p[:, None] // w - p // w + h - 1  # (N, N)
    columns = p[:, None] % w - p % w + w - 1  # (N, N)
    return rows * (2 * w - 1) + columns


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

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        """Attend from x (B, 1, C) to tokens (B, S, C), S = T*(P+N)."""
        q = self.q_proj(x)  # (B, 1, heads*d)
        k, v = self.k_proj(tokens), self.v_proj(tokens)  # (B, S, heads*d)
        q, k, v = (
            rearrange(y, 'b s (m d) -> b m s d', m=self.num_heads)
            for y in (q, k, v)
        )  # (B, heads, 1 or S, d)
        out = F.scaled_dot_product_attention(q, k, v)  # (B, heads, 1, d)
        return self.out_proj(rearrange(out, 'b m s d -> b s (m d)'))


class DecoderLayer(nn.Module):
    """One look at the tokens of all frames, then an MLP.

    Args:
        embed_dims (int): Number of channels C.
        num_frames (int): Number of frames T.
        grid (Tuple[int, int]): Patches along height and width.
        num_prefix_tokens (int): Tokens P before the patches.
        temporal (Sequence[str]): Which temporal modules there are.
        qkv_dims (int): Channels of queries, keys and values.
        num_heads (int): Number of heads.
        mlp_ratio (float): Width of the MLP relative to C.
        dropout (float): Dropout before the second layer of the MLP.
    """

    # What it is made of; the lean twin has lean parts.
    Conv, Motion, Attention = TemporalConv, NeighbourMotion, QueryAttention

    def __init__(
        self,
        embed_dims: int,
        num_frames: int,
        grid: Grid,
        num_prefix_tokens: int,
        temporal: Sequence[str],
        qkv_dims: int,
        num_heads: int,
        mlp_ratio: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.temporal_conv = self.temporal_pos_embed = self.motion = None
        if 'conv' in temporal:
            self.temporal_conv = self.Conv(embed_dims)
        if 'position' in temporal:
            table = torch.zeros(num_frames, embed_dims)
            self.temporal_pos_embed = nn.Parameter(table)
        if 'motion' in temporal:
            self.motion = self.Motion(embed_dims, grid, num_prefix_tokens)
        self.norm1 = nn.LayerNorm(embed_dims)  # of the query
        self.norm2 = nn.LayerNorm(embed_dims)  # before the MLP
        self.norm3 = nn.LayerNorm(embed_dims)  # of the tokens
        self.attn = self.Attention(embed_dims, qkv_dims, num_heads)
        self.mlp = decoder_mlp(embed_dims, mlp_ratio, dropout)

    def forward(
        self, query: Tensor, x: Tensor, attention: Optional[Tensor]
    ) -> Tensor:
        """Read what a block of the trunk made.

        Args:
            query (Tensor): ``(B, 1, C)``.
            x (Tensor): Output of the block, ``(B, T, P+N, C)``.
            attention (Tensor, optional): Between neighbouring frames, in
                that block, ``(B, 2, T-1, N, N)``.

        Returns:
            Tensor: ``(B, 1, C)``.
        """
        y = self.tokens(x, attention).flatten(1, 2)  # (B, T*(P+N), C)
        query = query + self.attn(self.norm1(query), self.norm3(y))
        return query + self.mlp(self.norm2(query))  # (B, 1, C)

    def tokens(self, x: Tensor, attention: Optional[Tensor]) -> Tensor:
        """Add to the tokens (B, T, P+N, C) when they are and what moves."""
        y = x = x.to(self.norm3.weight.dtype)
        if self.temporal_conv is not None:
            y = y + self.temporal_conv(x)  # (B, T, P+N, C)
        if self.temporal_pos_embed is not None:
            y = y + self.temporal_pos_embed[:, None]  # (T, 1, C)
        if self.motion is not None:
            y = y + self.motion(attention)  # (B, T, P+N, C)
        return y


def decoder_mlp(dims: int, ratio: float, dropout: float) -> nn.Sequential:
    """Build the MLP of a decoder layer as the official code starts it."""
    hidden = round(ratio * dims)
    mlp = nn.Sequential(
        OrderedDict(
            fc1=nn.Linear(dims, hidden),
            act=QuickGELU(),
            dropout=nn.Dropout(dropout),
            fc2=nn.Linear(hidden, dims),
        )
    )
    for linear in (mlp.fc1, mlp.fc2):
        nn.init.xavier_uniform_(linear.weight)
        nn.init.normal_(linear.bias, std=1e-6)
    return mlp


class VideoDecoder(nn.Module):
    """One learned query that reads the tapped blocks one after the other.

    It starts at zero, as in the official code.

    Args:
        num_layers (int): Number of layers, one for every tapped block.
        embed_dims (int): Number of channels C.
        **layer: Passed on to :class:`DecoderLayer`.
    """

    Layer = DecoderLayer

    def __init__(self, num_layers: int, embed_dims: int, **layer: Any) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(embed_dims))
        self.layers = nn.ModuleList(
            self.Layer(embed_dims, **layer) for _ in range(num_layers)
        )

    def forward(self, taps: Iterable[Tap]) -> Tensor:
        """Decode what the trunk yields, layer by layer, to (B, 1, C)."""
        query = self.cls_token
        for layer, (x, attention) in zip(self.layers, taps):
            query = layer(query.expand(x.shape[0], 1, -1), x, attention)
        return query
