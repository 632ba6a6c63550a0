"""AIM said as plainly as the paper says it; what the lean one is held to.

Same parameter names as :class:`mmvidadapt.models.AIM`, so one state dict fits
both. Nothing is fused, folded or skipped: einops moves tokens for the
temporal attention, ``nn.MultiheadAttention`` attends, activations are what
autograd makes of the formula, every block computes every token.
"""

import torch
from einops import rearrange
from torch import Tensor, nn


class PlainQuickGELU(nn.Module):
    """x * sigmoid(1.702 x)."""

    def forward(self, x: Tensor) -> Tensor:
        """Activate."""
        return x * torch.sigmoid(1.702 * x)


class PlainAdapter(nn.Module):
    """Down, GELU, up, with or without a skip."""

    def __init__(self, dims: int, ratio: float, skip: bool) -> None:
        super().__init__()
        self.down = nn.Linear(dims, int(dims * ratio))
        self.act = nn.GELU()
        self.up = nn.Linear(int(dims * ratio), dims)
        self.skip = skip

    def forward(self, x: Tensor) -> Tensor:
        """Adapt."""
        y = self.up(self.act(self.down(x)))
        return x + y if self.skip else y


class PlainBlock(nn.Module):
    """Temporal, spatial and joint adaptation, sequence first."""

    def __init__(
        self,
        dims: int,
        heads: int,
        frames: int,
        ratio: float,
        scale: float,
        num_t: int,
        clip: bool,
    ) -> None:
        super().__init__()
        eps = 1e-5 if clip else 1e-6
        self.ln_1 = nn.LayerNorm(dims, eps=eps)
        self.attn = nn.MultiheadAttention(dims, heads)
        self.ln_2 = nn.LayerNorm(dims, eps=eps)
        self.mlp = nn.Sequential()
        self.mlp.c_fc = nn.Linear(dims, 4 * dims)
        self.mlp.act = PlainQuickGELU() if clip else nn.GELU()
        self.mlp.c_proj = nn.Linear(4 * dims, dims)
        self.t_adapter = PlainAdapter(dims, ratio, skip=False)
        if num_t == 2:
            self.t_adapter_in = PlainAdapter(dims, ratio, skip=True)
        self.s_adapter = PlainAdapter(dims, ratio, skip=True)
        self.mlp_adapter = PlainAdapter(dims, ratio, skip=False)
        self.frames, self.scale, self.num_t = frames, scale, num_t

    def attention(self, x: Tensor) -> Tensor:
        """Attend along the first dimension."""
        return self.attn(x, x, x, need_weights=False)[0]

    def forward(self, x: Tensor) -> Tensor:
        """Adapt x, (N, B*T, C)."""
        n = x.shape[0]
        xt = rearrange(x, 'n (b t) c -> t (b n) c', t=self.frames)
        xt = self.ln_1(xt)
        if self.num_t == 2:
            xt = self.t_adapter_in(xt)
        xt = self.t_adapter(self.attention(xt))
        x = x + rearrange(xt, 't (b n) c -> n (b t) c', n=n)
        x = x + self.s_adapter(self.attention(self.ln_1(x)))
        h = self.ln_2(x)
        return x + self.mlp(h) + self.scale * self.mlp_adapter(h)


class PlainAIM(nn.Module):
    """AIM on a ViT, (B, 3, T, H, W) -> (B, C, T, 1, 1)."""

    def __init__(
        self,
        embed_dims: int = 768,
        num_layers: int = 12,
        num_heads: int = 12,
        patch_size: int = 16,
        img_size: int = 224,
        num_frames: int = 8,
        num_t_adapters: int = 1,
        adapter_ratio: float = 0.25,
        adapter_scale: float = 0.5,
        dialect: str = 'clip',
    ) -> None:
        super().__init__()
        clip = dialect == 'clip'
        self.class_embedding = nn.Parameter(torch.randn(embed_dims))
        self.positional_embedding = nn.Parameter(
            torch.randn((img_size // patch_size) ** 2 + 1, embed_dims)
        )
        self.temporal_embedding = nn.Parameter(
            torch.zeros(1, num_frames, embed_dims)
        )
        self.conv1 = nn.Conv2d(
            3, embed_dims, patch_size, patch_size, bias=not clip
        )
        self.ln_pre = nn.LayerNorm(embed_dims) if clip else nn.Identity()
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.Sequential(
            *[
                PlainBlock(
                    embed_dims,
                    num_heads,
                    num_frames,
                    adapter_ratio,
                    adapter_scale,
                    num_t_adapters,
                    clip,
                )
                for _ in range(num_layers)
            ]
        )
        self.ln_post = nn.LayerNorm(embed_dims, eps=1e-5 if clip else 1e-6)
        for name, param in self.named_parameters():
            param.requires_grad_(
                '_adapter' in name
                or 'ln_post' in name
                or name == 'temporal_embedding'
            )

    def forward(self, video: Tensor) -> Tensor:
        """Encode a clip."""
        t = video.shape[2]
        x = self.conv1(rearrange(video, 'b c t h w -> (b t) c h w'))
        x = rearrange(x, 'f c h w -> f (h w) c')
        cls = self.class_embedding.expand(len(x), 1, -1)
        x = torch.cat([cls, x], dim=1) + self.positional_embedding
        n = x.shape[1]
        x = rearrange(x, '(b t) n c -> (b n) t c', t=t)
        x = x + self.temporal_embedding
        x = rearrange(x, '(b n) t c -> n (b t) c', n=n)
        x = self.transformer.resblocks(self.ln_pre(x))
        x = rearrange(x, 'n f c -> f n c')
        x = self.ln_post(x)[:, 0]
        return rearrange(x, '(b t) c -> b c t 1 1', t=t)
