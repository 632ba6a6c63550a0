"""The PETL baselines said plainly; what the lean ones are held to.

Same parameter names as the methods in :mod:`mmvidadapt.models`. Nothing is
fused, shared or skipped: prompts are tokens that run through whole blocks,
updates are added to matrices, patches move to where ``nn.Conv3d`` wants them,
``nn.MultiheadAttention`` attends, and every block computes every token.
"""

from typing import Callable, Optional

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn


class PlainBlock(nn.Module):
    """Pre-norm block of an image ViT."""

    def __init__(self, dims: int, heads: int, clip: bool) -> None:
        super().__init__()
        eps = 1e-5 if clip else 1e-6
        self.ln_1 = nn.LayerNorm(dims, eps=eps)
        self.attn = nn.MultiheadAttention(dims, heads, batch_first=True)
        self.ln_2 = nn.LayerNorm(dims, eps=eps)
        self.mlp = nn.Sequential()
        self.mlp.c_fc = nn.Linear(dims, 4 * dims)
        self.mlp.c_proj = nn.Linear(4 * dims, dims)
        self.clip = clip

    def attention(self, x: Tensor) -> Tensor:
        """Attend."""
        return self.attn(x, x, x, need_weights=False)[0]

    def run_mlp(self, x: Tensor) -> Tensor:
        """MLP with the activation of the dialect."""
        h = self.mlp.c_fc(x)
        h = h * torch.sigmoid(1.702 * h) if self.clip else F.gelu(h)
        return self.mlp.c_proj(h)

    def forward(self, x: Tensor) -> Tensor:
        """Attention, then MLP."""
        x = x + self.attention(self.ln_1(x))
        return x + self.run_mlp(self.ln_2(x))


class PlainViT(nn.Module):
    """Image ViT, frame by frame: (B, 3, T, H, W) -> (B, C, T, 1, 1)."""

    def __init__(
        self,
        block: Callable[..., nn.Module] = PlainBlock,
        embed_dims: int = 768,
        num_layers: int = 12,
        num_heads: int = 12,
        patch_size: int = 16,
        img_size: int = 224,
        dialect: str = 'clip',
        **method: object,
    ) -> None:
        super().__init__()
        clip, grid = dialect == 'clip', img_size // patch_size
        self.class_embedding = nn.Parameter(torch.randn(embed_dims))
        self.positional_embedding = nn.Parameter(
            torch.randn(grid * grid + 1, embed_dims)
        )
        self.conv1 = nn.Conv2d(
            3, embed_dims, patch_size, patch_size, bias=not clip
        )
        self.ln_pre = nn.LayerNorm(embed_dims) if clip else nn.Identity()
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.Sequential(
            *[
                block(embed_dims, num_heads, clip, **method)
                for _ in range(num_layers)
            ]
        )
        self.ln_post = nn.LayerNorm(embed_dims, eps=1e-5 if clip else 1e-6)

    def forward(self, video: Tensor) -> Tensor:
        """Encode a clip."""
        x = self.conv1(rearrange(video, 'b c t h w -> (b t) c h w'))
        x = rearrange(x, 'f c h w -> f (h w) c')
        cls = self.class_embedding.expand(len(x), 1, -1)
        x = torch.cat([cls, x], dim=1) + self.positional_embedding
        x = self.ln_post(self.transformer.resblocks(self.ln_pre(x)))
        return rearrange(x[:, 0], '(b t) c -> b c t 1 1', t=video.shape[2])


class PlainVPT(PlainBlock):
    """Prompts between class token and patches, dropped after the block."""

    def __init__(self, *block: object, num_prompts: int) -> None:
        super().__init__(*block)
        self.prompts = nn.Parameter(torch.zeros(num_prompts, block[0]))

    def forward(self, x: Tensor) -> Tensor:
        """[x, _, e] = block([x, prompts, e])."""
        prompts = self.prompts.expand(len(x), -1, -1)
        x = torch.cat([x[:, :1], prompts, x[:, 1:]], dim=1)
        x = super().forward(x)
        return torch.cat([x[:, :1], x[:, 1 + prompts.shape[1] :]], dim=1)


class PlainBottleneck(nn.Module):
    """Down, convolution over time where there is one, activation, up."""

    def __init__(
        self, dims: int, width: int, act: Callable, frames: Optional[int]
    ) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(dims, width), nn.Linear(width, dims)
        self.act, self.frames = act, frames
        if frames:
            self.conv = nn.Conv3d(
                width, width, (3, 1, 1), padding=(1, 0, 0), groups=width
            )

    def forward(self, x: Tensor) -> Tensor:
        """Adapt (B*T, N, C)."""
        x = self.down(x)
        if self.frames:
            x = rearrange(x, '(b t) n c -> b c t n 1', t=self.frames)
            x = rearrange(self.conv(x), 'b c t n 1 -> (b t) n c')
        return self.up(self.act(x))


class PlainAdaptFormer(PlainBlock):
    """A scaled bottleneck beside the MLP."""

    def __init__(self, *block: object, width: int, scale: float) -> None:
        super().__init__(*block)
        self.mlp_adapter = PlainBottleneck(block[0], width, F.relu, None)
        self.scale = scale

    def run_mlp(self, x: Tensor) -> Tensor:
        """AdaptMLP."""
        return super().run_mlp(x) + self.scale * self.mlp_adapter(x)


class PlainSTAdapter(PlainBlock):
    """Adapters with a skip, for the patches, before attention and MLP."""

    def __init__(
        self, *block: object, width: int, frames: int, places: tuple
    ) -> None:
        super().__init__(*block)
        self.adapters = [f'{place}_adapter' for place in places]
        for name in self.adapters:
            module = PlainBottleneck(block[0], width, F.gelu, frames)
            self.add_module(name, module)

    def adapt(self, x: Tensor, name: str) -> Tensor:
        """Adapt all but the class token."""
        if name not in self.adapters:
            return x
        patches = x[:, 1:] + getattr(self, name)(x[:, 1:])
        return torch.cat([x[:, :1], patches], dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """Adapt, attend, adapt, MLP."""
        x = self.adapt(x, 'attn_adapter')
        x = x + self.attention(self.ln_1(x))
        x = self.adapt(x, 'mlp_adapter')
        return x + self.run_mlp(self.ln_2(x))


class PlainUpdate(nn.Module):
    """The matrix alpha / r * B A."""

    def __init__(self, dims: int, rank: int, alpha: float) -> None:
        super().__init__()
        self.A = nn.Parameter(torch.randn(rank, dims))
        self.B = nn.Parameter(torch.randn(dims, rank))
        self.factor = alpha / rank

    def forward(self) -> Tensor:
        """Multiply out."""
        return self.factor * (self.B @ self.A)


class PlainLoRA(PlainBlock):
    """Attention with updated matrices."""

    def __init__(
        self, *block: object, rank: int, alpha: float, targets: tuple
    ) -> None:
        super().__init__(*block)
        self.lora = nn.ModuleDict(
            {name: PlainUpdate(block[0], rank, alpha) for name in targets}
        )

    def attention(self, x: Tensor) -> Tensor:
        """W + alpha / r * B A in the place of every targeted W."""
        attn, zero = self.attn, torch.zeros(x.shape[-1], x.shape[-1])
        q, k, v, o = (
            self.lora[name]() if name in self.lora else zero for name in 'qkvo'
        )
        x = rearrange(x, 'f n c -> n f c')
        out, _ = F.multi_head_attention_forward(
            *(x, x, x, x.shape[-1], attn.num_heads),
            *(attn.in_proj_weight + torch.cat([q, k, v]), attn.in_proj_bias),
            *(None, None, False, 0.0),
            *(attn.out_proj.weight + o, attn.out_proj.bias),
            need_weights=False,
        )
        return rearrange(out, 'n f c -> f n c')
