"""EVL said as plainly as the paper says it; what the lean one is held to.

Same parameter names as :class:`mmvidadapt.models.EVL`, so one state dict fits
both. Nothing is fused, absorbed or skipped: attention is an einsum and a
softmax, keys and values of all tokens are formed, the table of offsets is
gathered for every pair of patches, the maps of all blocks are kept until the
trunk has ended.
"""

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn


class PlainQuickGELU(nn.Module):
    """x * sigmoid(1.702 x)."""

    def forward(self, x: Tensor) -> Tensor:
        """Activate."""
        return x * torch.sigmoid(1.702 * x)


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attend, (B, N, heads, d)."""
    scores = torch.einsum('bqmd,bkmd->bmqk', q / q.shape[-1] ** 0.5, k)
    return torch.einsum('bmqk,bkmd->bqmd', scores.softmax(-1), v).flatten(2)


class PlainBlock(nn.Module):
    """ViT block that returns its output, queries and keys."""

    def __init__(self, dims: int, heads: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(dims)
        self.attn = nn.MultiheadAttention(dims, heads)  # the parameters of
        self.ln_2 = nn.LayerNorm(dims)
        self.mlp = nn.Sequential()
        self.mlp.c_fc = nn.Linear(dims, 4 * dims)
        self.mlp.act = PlainQuickGELU()
        self.mlp.c_proj = nn.Linear(4 * dims, dims)
        self.heads = heads

    def forward(self, x: Tensor) -> tuple:
        """Transform frames, (B*T, 1+N, C)."""
        weights = self.attn.in_proj_weight.chunk(3)
        biases = self.attn.in_proj_bias.chunk(3)
        h = self.ln_1(x)
        q, k, v = (
            F.linear(h, w, b).unflatten(-1, (self.heads, -1))
            for w, b in zip(weights, biases)
        )
        x = x + self.attn.out_proj(attend(q, k, v))
        return x + self.mlp(self.ln_2(x)), q, k


class PlainMotion(nn.Module):
    """What the attention to the frames before and after says of motion."""

    def __init__(self, dims: int, grid: tuple) -> None:
        super().__init__()
        h, w = grid
        self.w1 = nn.Parameter(torch.zeros((2 * h - 1) * (2 * w - 1), dims))
        self.w2 = nn.Parameter(torch.zeros((2 * h - 1) * (2 * w - 1), dims))
        index = [
            (p // w - j // w + h - 1) * (2 * w - 1) + p % w - j % w + w - 1
            for p in range(h * w)
            for j in range(h * w)
        ]
        self.register_buffer(
            'index', torch.tensor(index).view(h * w, h * w), persistent=False
        )

    def direction(self, q: Tensor, k: Tensor, table: Tensor) -> Tensor:
        """Sum offsets from one frame to another, (B, T-1, 1+N, C)."""
        scores = torch.einsum('btpmd,btjmd->btmpj', q / q.shape[-1] ** 0.5, k)
        attention = scores.softmax(-1).mean(2)  # (B, T-1, N, N)
        offsets = table[self.index]  # (N, N, C)
        out = torch.einsum('btpj,pjc->btpc', attention, offsets)
        return F.pad(out, (0, 0, 1, 0))  # nothing at the class token

    def forward(self, q: Tensor, k: Tensor) -> Tensor:
        """Describe motion, q and k (B, T, 1+N, heads, d)."""
        q, k = q[:, :, 1:], k[:, :, 1:]
        back = self.direction(q[:, 1:], k[:, :-1], self.w1)
        forth = self.direction(q[:, :-1], k[:, 1:], self.w2)
        none = torch.zeros_like(q[:, :1, :1].flatten(3)).expand(
            -1, -1, q.shape[2] + 1, -1
        )
        return torch.cat([none, back], 1) + torch.cat([forth, none], 1)


class PlainLayer(nn.Module):
    """Temporal modules, cross-attention of the query, MLP."""

    def __init__(
        self,
        dims: int,
        frames: int,
        grid: tuple,
        temporal: tuple,
        qkv_dims: int,
        heads: int,
        mlp_ratio: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.temporal_conv = self.temporal_pos_embed = self.motion = None
        if 'conv' in temporal:
            self.temporal_conv = nn.Conv1d(dims, dims, 3, 1, 1, groups=dims)
        if 'position' in temporal:
            self.temporal_pos_embed = nn.Parameter(torch.zeros(frames, dims))
        if 'motion' in temporal:
            self.motion = PlainMotion(dims, grid)
        self.norm1, self.norm2, self.norm3 = (
            nn.LayerNorm(dims) for _ in range(3)
        )
        self.attn = nn.Module()
        for name in ('q_proj', 'k_proj', 'v_proj'):
            setattr(self.attn, name, nn.Linear(dims, qkv_dims))
        self.attn.out_proj = nn.Linear(qkv_dims, dims)
        self.mlp = nn.Sequential()
        self.mlp.fc1 = nn.Linear(dims, round(mlp_ratio * dims))
        self.mlp.act = PlainQuickGELU()
        self.mlp.dropout = nn.Dropout(dropout)
        self.mlp.fc2 = nn.Linear(round(mlp_ratio * dims), dims)
        self.heads = heads

    def forward(
        self, query: Tensor, x: Tensor, q: Tensor, k: Tensor
    ) -> Tensor:
        """Read the map x (B, T, 1+N, C) of a block."""
        y, t = x, x.shape[1]
        if self.temporal_conv is not None:
            z = rearrange(x, 'b t n c -> (b n) c t')
            z = self.temporal_conv(z)
            y = y + rearrange(z, '(b n) c t -> b t n c', b=len(x))
        if self.temporal_pos_embed is not None:
            y = y + self.temporal_pos_embed[:, None]
        if self.motion is not None and t > 1:
            y = y + self.motion(q, k)
        y = self.norm3(y.flatten(1, 2))
        parts = (
            self.attn.q_proj(self.norm1(query)),
            self.attn.k_proj(y),
            self.attn.v_proj(y),
        )
        parts = (part.unflatten(-1, (self.heads, -1)) for part in parts)
        query = query + self.attn.out_proj(attend(*parts))
        return query + self.mlp(self.norm2(query))


class PlainEVL(nn.Module):
    """EVL on a CLIP ViT, (B, 3, T, H, W) -> (B, C, 1, 1, 1)."""

    def __init__(
        self,
        embed_dims: int = 768,
        num_layers: int = 12,
        num_heads: int = 12,
        patch_size: int = 16,
        img_size: int = 224,
        num_frames: int = 8,
        temporal: tuple = ('conv', 'position', 'motion'),
        decoder_num_layers: int = 4,
        decoder_qkv_dims: int = None,
        decoder_num_heads: int = None,
        decoder_mlp_ratio: float = 4.0,
        decoder_dropout: float = 0.5,
    ) -> None:
        super().__init__()
        side = img_size // patch_size
        self.class_embedding = nn.Parameter(torch.randn(embed_dims))
        self.positional_embedding = nn.Parameter(
            torch.randn(side**2 + 1, embed_dims)
        )
        self.conv1 = nn.Conv2d(3, embed_dims, patch_size, patch_size)
        self.ln_pre = nn.LayerNorm(embed_dims)
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.ModuleList(
            PlainBlock(embed_dims, num_heads) for _ in range(num_layers)
        )
        self.decoder = nn.Module()
        self.decoder.cls_token = nn.Parameter(torch.zeros(embed_dims))
        self.decoder.layers = nn.ModuleList(
            PlainLayer(
                embed_dims,
                num_frames,
                (side, side),
                temporal,
                decoder_qkv_dims or embed_dims,
                decoder_num_heads or num_heads,
                decoder_mlp_ratio,
                decoder_dropout,
            )
            for _ in range(decoder_num_layers)
        )
        for name, param in self.named_parameters():
            param.requires_grad_(name.startswith('decoder.'))

    def trunk(self, video: Tensor) -> list:
        """Give output, queries and keys of all blocks, clip by clip."""
        t = video.shape[2]
        x = self.conv1(rearrange(video, 'b c t h w -> (b t) c h w'))
        x = rearrange(x, 'f c h w -> f (h w) c')
        cls = self.class_embedding.expand(len(x), 1, -1)
        x = torch.cat([cls, x], dim=1) + self.positional_embedding
        x, maps = self.ln_pre(x), []
        for block in self.transformer.resblocks:
            x, q, k = block(x)
            maps.append([m.unflatten(0, (-1, t)) for m in (x, q, k)])
        return maps

    def forward(self, video: Tensor) -> Tensor:
        """Encode a clip."""
        maps = self.trunk(video)[-len(self.decoder.layers) :]
        query = self.decoder.cls_token.expand(len(video), 1, -1)
        for layer, (x, q, k) in zip(self.decoder.layers, maps):
            query = layer(query, x, q, k)
        return rearrange(query, 'b 1 c -> b c 1 1 1')
