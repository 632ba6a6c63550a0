"""ViViT said as plainly as the paper says it; what the lean one is held to.

Same parameter names as the models of :mod:`mmvidadapt.models`, so one state
dict fits both. Nothing is fused or skipped: tubelets are a convolution,
attention is an einsum and a softmax, tokens are moved for every attention
over time, all blocks run for all tokens.
"""

import torch
import torch.nn.functional as F
from einops import rearrange, reduce
from torch import Tensor, nn


class PlainAttention(nn.MultiheadAttention):
    """The parameters of torch's, along the second dimension."""

    def forward(self, x: Tensor) -> Tensor:
        """Attend, (S, L, C)."""
        return self.out_proj(self.mix(*self.heads(x)))

    def heads(self, x: Tensor) -> tuple:
        """Project to queries, keys and values, (..., heads, d)."""
        return tuple(
            F.linear(x, w, b).unflatten(-1, (self.num_heads, -1))
            for w, b in zip(
                self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3)
            )
        )

    def mix(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attend over the second dimension of (S, L, heads, d)."""
        scores = torch.einsum('sqmd,skmd->smqk', q / q.shape[-1] ** 0.5, k)
        mixed = torch.einsum('smqk,skmd->sqmd', scores.softmax(-1), v)
        return mixed.flatten(2)


class PlainBlock(nn.Module):
    """Models 1 and 2: attention and MLP, (S, L, C)."""

    attention = PlainAttention

    def __init__(self, dims: int, heads: int, mlp_ratio: float) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(dims, eps=1e-6)
        self.attn = self.attention(dims, heads)
        self.ln_2 = nn.LayerNorm(dims, eps=1e-6)
        hidden = int(mlp_ratio * dims)
        self.mlp = nn.Sequential()
        self.mlp.c_fc = nn.Linear(dims, hidden)
        self.mlp.act = nn.GELU(approximate='tanh')
        self.mlp.c_proj = nn.Linear(hidden, dims)

    def forward(self, x: Tensor) -> Tensor:
        """Transform."""
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class PlainSelfAttentionBlock(PlainBlock):
    """Model 3: over time, over space, MLP, (B, T, N, C)."""

    def __init__(self, dims: int, heads: int, mlp_ratio: float) -> None:
        super().__init__(dims, heads, mlp_ratio)
        self.ln_time = nn.LayerNorm(dims, eps=1e-6)
        self.attn_time = PlainAttention(dims, heads)

    def forward(self, x: Tensor) -> Tensor:
        """Transform."""
        b = len(x)
        for axis in self.order.split('_'):
            if axis == 'time':
                z = rearrange(self.ln_time(x), 'b t n c -> (b n) t c')
                z = self.attn_time(z)
                x = x + rearrange(z, '(b n) t c -> b t n c', b=b)
            else:
                z = rearrange(self.ln_1(x), 'b t n c -> (b t) n c')
                x = x + rearrange(self.attn(z), '(b t) n c -> b t n c', b=b)
        return x + self.mlp(self.ln_2(x))


class PlainDotProductAttention(PlainAttention):
    """Model 4: the first half of the heads over time, (B, T, N, C)."""

    def forward(self, x: Tensor) -> Tensor:
        """Attend."""
        b, half = len(x), self.num_heads // 2
        parts = self.heads(x)  # (B, T, N, heads, d)
        time = (
            rearrange(part[..., :half, :], 'b t n m d -> (b n) t m d')
            for part in parts
        )
        space = (
            rearrange(part[..., half:, :], 'b t n m d -> (b t) n m d')
            for part in parts
        )
        time = rearrange(self.mix(*time), '(b n) t c -> b t n c', b=b)
        space = rearrange(self.mix(*space), '(b t) n c -> b t n c', b=b)
        return self.out_proj(torch.cat([time, space], dim=-1))


class PlainDotProductBlock(PlainBlock):
    """Model 4."""

    attention = PlainDotProductAttention


class PlainEncoder(nn.Module):
    """Class token, positions, blocks, norm."""

    block = PlainBlock

    def __init__(
        self,
        positions: int,
        embed_dims: int,
        num_layers: int,
        num_heads: int,
        mlp_ratio: float,
        out_type: str,
    ) -> None:
        super().__init__()
        cls = out_type == 'cls_token'
        self.class_embedding = (
            nn.Parameter(torch.zeros(embed_dims)) if cls else None
        )
        self.positional_embedding = nn.Parameter(
            torch.randn(positions + cls, embed_dims)
        )
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.Sequential(
            *(
                self.block(embed_dims, num_heads, mlp_ratio)
                for _ in range(num_layers)
            )
        )
        self.ln_post = nn.LayerNorm(embed_dims, eps=1e-6)

    def encode(self, x: Tensor, split: int = 0) -> Tensor:
        """Encode (S, L, C), whose tokens are of so many times; (S, C)."""
        if self.class_embedding is not None:
            cls = self.class_embedding.expand(len(x), 1, -1)
            x = torch.cat([cls, x], dim=1)
        x = x + self.positional_embedding
        if split:
            x = rearrange(x, 'b (t n) c -> b t n c', t=split)
        x = self.ln_post(self.transformer.resblocks(x))
        if self.class_embedding is not None:
            return x[:, 0]
        return reduce(x, 'b ... c -> b c', 'mean')


class PlainTubelets(PlainEncoder):
    """Tubelets of a clip, to be encoded."""

    default, step_by_step = 'cls_token', False

    def __init__(
        self,
        embed_dims: int = 768,
        num_layers: int = 12,
        num_heads: int = 12,
        patch_size: int = 16,
        mlp_ratio: float = 4.0,
        img_size: int = 224,
        num_frames: int = 32,
        tubelet_size: int = 2,
        out_type: str = None,
        temporal_num_layers: int = 4,
        attention_order: str = 'time_space',
    ) -> None:
        steps = num_frames // tubelet_size
        patches = (img_size // patch_size) ** 2
        shared = (
            embed_dims,
            num_layers,
            num_heads,
            mlp_ratio,
            out_type or self.default,
        )
        super().__init__(
            patches if self.step_by_step else steps * patches, *shared
        )
        size = (tubelet_size, patch_size, patch_size)
        self.conv1 = nn.Conv3d(3, embed_dims, size, size)
        self.steps, self.temporal = steps, None
        if self.step_by_step and temporal_num_layers:
            sizes = (steps, embed_dims, temporal_num_layers, *shared[2:])
            self.temporal = PlainEncoder(*sizes)
        for block in self.transformer.resblocks:
            block.order = attention_order

    def forward(self, video: Tensor) -> Tensor:
        """Encode a clip, (B, 3, T, H, W) -> (B, C, 1, 1, 1)."""
        x = rearrange(self.conv1(video), 'b c t h w -> b t (h w) c')
        return rearrange(self.clip(x), 'b c -> b c 1 1 1')

    def clip(self, x: Tensor) -> Tensor:
        """Encode all tokens, (B, T, N, C)."""
        return self.encode(rearrange(x, 'b t n c -> b (t n) c'))


class PlainViViT(PlainTubelets):
    """Model 1."""


class PlainViViTFactorisedEncoder(PlainTubelets):
    """Model 2."""

    step_by_step = True

    def clip(self, x: Tensor) -> Tensor:
        """Encode every time step, then these."""
        frames = self.encode(rearrange(x, 'b t n c -> (b t) n c'))
        frames = rearrange(frames, '(b t) c -> b t c', b=len(x))
        if self.temporal is None:
            return frames.mean(1)
        return self.temporal.encode(frames)


class PlainViViTFactorisedSelfAttention(PlainTubelets):
    """Model 3."""

    default, block = 'avg_featmap', PlainSelfAttentionBlock

    def clip(self, x: Tensor) -> Tensor:
        """Encode all tokens, their times apart."""
        return self.encode(rearrange(x, 'b t n c -> b (t n) c'), self.steps)


class PlainViViTFactorisedDotProduct(PlainViViTFactorisedSelfAttention):
    """Model 4."""

    block = PlainDotProductBlock
