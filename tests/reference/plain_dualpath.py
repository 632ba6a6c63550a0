"""DualPath said as plainly as the paper says it; what the lean one is held to.

Same parameter names as :class:`mmvidadapt.models.DualPath`, so one state dict
fits both. Nothing is fused, folded or skipped: the picture of all frames of a
grid is formed and resized, every block takes the paths apart, runs its frozen
layers on each and concatenates them again, every block computes every token.
"""

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from mmvidadapt.methods.dualpath.backbone import VARIANTS


class PlainQuickGELU(nn.Module):
    """x * sigmoid(1.702 x)."""

    def forward(self, x: Tensor) -> Tensor:
        """Activate."""
        return x * torch.sigmoid(1.702 * x)


class PlainAdapter(nn.Module):
    """Down, GELU, dropout, up."""

    def __init__(self, dims: int, bottleneck: float, dropout: float) -> None:
        super().__init__()
        width = bottleneck
        if not isinstance(bottleneck, int):
            width = int(dims * bottleneck)
        self.down = nn.Linear(dims, width)
        self.act = nn.GELU()
        self.drop = nn.Dropout(dropout)
        self.up = nn.Linear(width, dims)

    def forward(self, x: Tensor) -> Tensor:
        """Adapt."""
        return self.up(self.drop(self.act(self.down(x))))


class PlainBlock(nn.Module):
    """One frozen block, two paths, sequence first."""

    def __init__(
        self, dims: int, heads: int, images: tuple, variant: dict
    ) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(dims)
        self.attn = nn.MultiheadAttention(dims, heads)
        self.ln_2 = nn.LayerNorm(dims)
        self.mlp = nn.Sequential()
        self.mlp.c_fc = nn.Linear(dims, 4 * dims)
        self.mlp.act = PlainQuickGELU()
        self.mlp.c_proj = nn.Linear(4 * dims, dims)
        self.images, self.pre = images, variant['temporal_pre_adapter']
        names = ['t_adapter_attn', 't_adapter_mlp'] * (images[0] > 0)
        names += ['t_adapter_attn_b'] * (images[0] > 0 and self.pre)
        names += ['s_adapter_attn', 's_adapter_mlp'] * (images[1] > 0)
        for name in names:
            adapter = PlainAdapter(
                dims, variant['bottleneck'], variant['dropout']
            )
            setattr(self, name, adapter)

    def attention(self, x: Tensor) -> Tensor:
        """Attend along the first dimension."""
        return self.attn(x, x, x, need_weights=False)[0]

    def in_time(self, x: Tensor) -> Tensor:
        """Adapt framesets in series, (N, B*G, C)."""
        h = self.ln_1(x)
        if self.pre:
            h = self.t_adapter_attn_b(h)
        x = x + self.t_adapter_attn(self.attention(h))
        return x + self.t_adapter_mlp(self.mlp(self.ln_2(x)))

    def in_space(self, x: Tensor) -> Tensor:
        """Adapt frames in parallel, (N, B*S, C)."""
        h = self.ln_1(x)
        x = x + self.attention(h) + self.s_adapter_attn(h)
        h = self.ln_2(x)
        return x + self.mlp(h) + self.s_adapter_mlp(h)

    def forward(self, x: Tensor) -> Tensor:
        """Adapt x, (N, B*(G+S), C), clip by clip."""
        g, s = self.images
        clips = rearrange(x, 'n (b i) c -> n b i c', i=g + s)
        parts = []
        if g:
            xt = rearrange(clips[:, :, :g], 'n b g c -> n (b g) c')
            xt = self.in_time(xt)
            parts.append(rearrange(xt, 'n (b g) c -> n b g c', g=g))
        if s:
            xs = rearrange(clips[:, :, g:], 'n b s c -> n (b s) c')
            xs = self.in_space(xs)
            parts.append(rearrange(xs, 'n (b s) c -> n b s c', s=s))
        return rearrange(torch.cat(parts, dim=2), 'n b i c -> n (b i) c')


class PlainDualPath(nn.Module):
    """DualPath on a CLIP ViT, (B, 3, T, H, W) -> (B, 2E, 1, 1, 1)."""

    def __init__(
        self,
        embed_dims: int = 768,
        num_layers: int = 12,
        num_heads: int = 12,
        patch_size: int = 16,
        img_size: int = 224,
        num_frames: int = 16,
        num_spatial_frames: int = 8,
        grid: tuple = (4, 4),
        antialias: bool = False,
        paths: tuple = ('temporal', 'spatial'),
        variant: str = 'paper',
        output_dims: int = None,
    ) -> None:
        super().__init__()
        variant = VARIANTS[variant] if isinstance(variant, str) else variant
        self.grid, self.antialias, dims = grid, antialias, embed_dims
        g = num_frames // (grid[0] * grid[1]) * ('temporal' in paths)
        s = num_spatial_frames * ('spatial' in paths)
        self.images, self.side = (g, s), img_size // patch_size
        self.class_embedding = nn.Parameter(torch.randn(dims))
        if s:
            self.positional_embedding = self.table(dims)
        if g:
            self.spatial_positional_embedding = self.table(dims)
        if g and s and variant['separate_cls']:
            self.temporal_class_embedding = nn.Parameter(torch.randn(dims))
        if output_dims:
            self.proj = nn.Parameter(torch.randn(dims, output_dims))
        self.conv1 = nn.Conv2d(3, dims, patch_size, patch_size, bias=False)
        self.ln_pre = nn.LayerNorm(dims)
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.Sequential(
            *[
                PlainBlock(dims, num_heads, self.images, variant)
                for _ in range(num_layers)
            ]
        )
        self.ln_post = nn.LayerNorm(dims)

    def table(self, dims: int) -> nn.Parameter:
        """Make a learned position for every token."""
        return nn.Parameter(torch.randn(self.side**2 + 1, dims))

    def picture(self, video: Tensor) -> Tensor:
        """Lay frames side by side and shrink, (B, G, 3, H, W)."""
        r, c = self.grid
        pictures = rearrange(
            video, 'b k (g r c) h w -> (b g) k (r h) (c w)', r=r, c=c
        )
        framesets = self.resize(pictures, video.shape[-2:])
        return rearrange(framesets, '(b g) k h w -> b g k h w', b=len(video))

    def resize(self, x: Tensor, size: tuple) -> Tensor:
        """Resize bilinearly."""
        return F.interpolate(
            x, size, mode='bilinear', antialias=self.antialias
        )

    def code(self, dims: int) -> Tensor:
        """Tell tokens which frame they are of, (G, 1+N, C)."""
        g, (rows, columns) = self.images[0], self.grid
        numbers = torch.zeros(g, 4 * rows, 4 * columns)
        for i in range(g * rows * columns):
            j, row, column = (
                i // (rows * columns),
                i % (rows * columns) // columns,
                i % columns,
            )
            numbers[j, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = (
                i + 1
            )
        numbers = self.resize(numbers[None], (self.side, self.side))[0]
        numbers = torch.cat([torch.zeros(g, 1), numbers.flatten(1)], dim=1)
        code = torch.zeros(g, numbers.shape[1], dims)
        for k in range(dims // 2):
            rate = math.pow(10000, -2 * k / dims)
            code[..., 2 * k] = torch.sin(numbers * rate)
            code[..., 2 * k + 1] = torch.cos(numbers * rate)
        return code

    def embed(self, images: Tensor, cls: Tensor, position: Tensor) -> Tensor:
        """Embed images (B, I, 3, H, W) as tokens (B, I, 1+N, C)."""
        x = self.conv1(rearrange(images, 'b i k h w -> (b i) k h w'))
        x = rearrange(x, 'f c h w -> f (h w) c')
        x = torch.cat([cls.expand(len(x), 1, -1), x], dim=1)
        return rearrange(x, '(b i) n c -> b i n c', b=len(images)) + position

    def forward(self, video: Tensor) -> Tensor:
        """Encode a clip."""
        (g, s), parts = self.images, []
        if g:
            cls = getattr(
                self, 'temporal_class_embedding', self.class_embedding
            )
            position = self.spatial_positional_embedding
            position = position + self.code(len(cls)).to(position)
            parts.append(self.embed(self.picture(video), cls, position))
        if s:
            frames = [video[:, :, i * video.shape[2] // s] for i in range(s)]
            frames = torch.stack(frames, dim=1)
            parts.append(
                self.embed(
                    frames, self.class_embedding, self.positional_embedding
                )
            )
        x = rearrange(torch.cat(parts, dim=1), 'b i n c -> n (b i) c')
        x = self.transformer.resblocks(self.ln_pre(x))
        x = rearrange(x, 'n (b i) c -> b i n c', b=len(video))
        x = self.ln_post(x)[:, :, 0]
        if hasattr(self, 'proj'):
            x = x @ self.proj
        means = [part.mean(1) for part in x.split([g, s], dim=1) if len(part)]
        means = [mean for mean, n in zip(means, (g, s)) if n]
        return rearrange(torch.cat(means, dim=-1), 'b c -> b c 1 1 1')
