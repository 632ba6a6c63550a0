"""BEVT said as plainly as the paper says it; what the lean one is held to.

Same parameter names as :class:`mmvidadapt.models.BEVTSwin` and its head, so
one state dict fits both. Nothing is skipped: the decoders run on whole maps,
the vocabulary is scored at every position, and what is not masked is thrown
away at the end. Clips and images are cut into windows one axis at a time.
"""

import itertools
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@lru_cache(maxsize=None)
def pairs(window: tuple, full: tuple) -> Tensor:
    """Name the row of the table for each pair of tokens of a window."""
    places = list(itertools.product(*map(range, window)))
    rows = [
        [
            ((a[0] - b[0] + full[0] - 1) * (2 * full[1] - 1)
             + a[1] - b[1] + full[1] - 1) * (2 * full[2] - 1)
            + a[2] - b[2] + full[2] - 1
            for b in places
        ]
        for a in places
    ]  # fmt: skip
    return torch.tensor(rows)


def region(place: int, side: int, window: int, shift: int) -> int:
    """Number the three stretches that a shift brings together."""
    if not shift or place < side - window:
        return 0
    return 1 if place < side - shift else 2


def cut(x: Tensor, window: tuple) -> Tensor:
    """Cut (B, T, H, W, C) into (B, windows, tokens, C)."""
    b, t, h, w, c = x.shape
    p, q, r = window
    x = x.reshape(b, t // p, p, h // q, q, w // r, r, c)
    return x.permute(0, 1, 3, 5, 2, 4, 6, 7).reshape(b, -1, p * q * r, c)


def paste(x: Tensor, window: tuple, sides: tuple) -> Tensor:
    """Undo :func:`cut`."""
    (t, h, w), (p, q, r) = sides, window
    x = x.reshape(len(x), t // p, h // q, w // r, p, q, r, -1)
    return x.permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(len(x), t, h, w, -1)


class PlainBlock(nn.Module):
    """Attention in windows, then MLP."""

    def __init__(
        self, dims: int, heads: int, window: tuple, odd: bool, ratio: float
    ) -> None:
        super().__init__()
        self.heads, self.window, self.odd = heads, window, odd
        self.norm1, self.norm2 = nn.LayerNorm(dims), nn.LayerNorm(dims)
        self.attn = nn.Module()
        rows = 1
        for side in window:
            rows *= 2 * side - 1
        self.attn.relative_position_bias_table = nn.Parameter(
            torch.zeros(rows, heads)
        )
        self.attn.qkv = nn.Linear(dims, 3 * dims)
        self.attn.proj = nn.Linear(dims, dims)
        self.mlp = nn.Sequential()
        self.mlp.fc1 = nn.Linear(dims, int(ratio * dims))
        self.mlp.act = nn.GELU()
        self.mlp.fc2 = nn.Linear(int(ratio * dims), dims)

    def attend(self, x: Tensor, window: tuple, seam: Tensor) -> Tensor:
        """Attend in windows (B, windows, tokens, C)."""
        qkv = self.attn.qkv(x).unflatten(-1, (3, self.heads, -1))
        q, k, v = qkv.permute(3, 0, 1, 4, 2, 5)  # (B, windows, heads, N, d)
        scores = q * q.shape[-1] ** -0.5 @ k.transpose(-2, -1)
        index = pairs(window, self.window).to(x.device)
        bias = self.attn.relative_position_bias_table[index]
        scores = scores + bias.permute(2, 0, 1) + seam[:, None]
        out = scores.softmax(-1) @ v
        return self.attn.proj(out.transpose(2, 3).flatten(3))

    def forward(self, x: Tensor, image: bool) -> Tensor:
        """Transform (B, T, H, W, C)."""
        sides = x.shape[1:4]
        if image:  # as the official code does it
            window = (1, *self.window[1:])
            shift = (0, *(side // 2 for side in self.window[1:]))
        else:
            window = tuple(map(min, sides, self.window))
            shift = tuple(
                w // 2 if n > w else 0 for n, w in zip(sides, self.window)
            )
        h = self.norm1(x)
        if self.odd:
            h = h.roll([-s for s in shift], (1, 2, 3))
        numbers = [
            [region(i, *sizes) for i in range(sizes[0])]
            for sizes in zip(sides, window, shift)
        ]
        a, b, c = (torch.tensor(n, device=x.device) for n in numbers)
        number = 9 * a[:, None, None] + 3 * b[:, None] + c
        number = cut(number[None, ..., None], window)[0, ..., 0]
        seam = (number[:, :, None] != number[:, None]) * -100.0
        if not image and not self.odd:
            seam = seam * 0
        h = paste(self.attend(cut(h, window), window, seam), window, sides)
        if self.odd:
            h = h.roll(shift, (1, 2, 3))
        x = x + h
        return x + self.mlp(self.norm2(x))


class PlainMerging(nn.Module):
    """Join 2 x 2 tokens."""

    def __init__(self, dims: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * dims)
        self.reduction = nn.Linear(4 * dims, 2 * dims, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Merge (B, T, H, W, C)."""
        parts = [
            x[:, :, i::2, j::2] for i, j in ((0, 0), (1, 0), (0, 1), (1, 1))
        ]
        return self.reduction(self.norm(torch.cat(parts, -1)))


class PlainBEVT(nn.Module):
    """Encoder, dense decoders and a classifier of every position."""

    def __init__(
        self,
        embed_dims: int = 128,
        depths: tuple = (2, 2, 18, 2),
        num_heads: tuple = (4, 8, 16, 32),
        window_size: tuple = (8, 7, 7),
        mlp_ratio: float = 4.0,
        vocab_size: int = 8192,
        official: bool = True,
    ) -> None:
        super().__init__()
        self.official = official  # how images are cut into windows
        self.backbone = net = nn.Module()
        for name, conv, patch in (
            ('patch_embed', nn.Conv3d, (2, 4, 4)),
            ('patch_embed_2d', nn.Conv2d, (4, 4)),
        ):
            embed = nn.Module()
            embed.proj = conv(3, embed_dims, patch, patch)
            embed.norm = nn.LayerNorm(embed_dims)
            net.add_module(name, embed)
        net.mask_token = nn.Parameter(torch.zeros(1, 1, embed_dims))
        net.layers = nn.ModuleList()
        for i, (depth, heads) in enumerate(zip(depths, num_heads)):
            stage, dims = nn.Module(), embed_dims * 2**i
            stage.blocks = nn.ModuleList(
                PlainBlock(dims, heads, window_size, j % 2 == 1, mlp_ratio)
                for j in range(depth)
            )
            last = i + 1 == len(depths)
            stage.downsample = None if last else PlainMerging(dims)
            net.layers.append(stage)
        net.fpn = nn.Sequential(nn.ConvTranspose2d(dims, dims, 2, 2))
        net.lm_down = nn.Linear(dims // 2 + dims, dims)
        up, later = (1, 2, 2), (2, 1, 1)
        net.fpn_s = nn.Sequential(nn.ConvTranspose3d(dims, dims, up, up))
        net.lm_down_st = nn.Sequential(nn.Linear(dims // 2 + dims, dims))
        net.fpn_t = nn.Sequential(nn.ConvTranspose3d(dims, dims, later, later))
        net.norm = nn.LayerNorm(dims)
        self.cls_head = nn.Module()
        self.cls_head.lm_head = nn.Linear(dims, vocab_size)

    def encode(self, x: Tensor, mask: Tensor) -> list:
        """Give the stages of clips (B, 3, T, H, W) or images, (B, T, ...)."""
        net, image = self.backbone, x.ndim == 4
        embed = net.patch_embed_2d if image else net.patch_embed
        x = embed.proj(x)
        x = x[:, :, None] if image else x
        x = embed.norm(x.permute(0, 2, 3, 4, 1))
        mask = mask[:, None].float() if image else mask.float()
        mask = F.interpolate(mask, x.shape[2:4])[..., None]
        x, maps = x * (1 - mask) + net.mask_token * mask, []
        for stage in net.layers:
            for block in stage.blocks:
                x = block(x, image and self.official)
            maps.append(x)
            if stage.downsample is not None:
                x = stage.downsample(x)
        return maps

    def scores(self, maps: list, image: bool) -> Tensor:
        """Score the vocabulary at all positions, (B, T, h, w, words)."""
        net = self.backbone
        fine, coarse = maps[-2:]
        x = coarse.permute(0, 4, 1, 2, 3)
        if image:
            x = net.fpn(x[:, :, 0])[:, :, None].permute(0, 2, 3, 4, 1)
            x = net.lm_down(torch.cat([fine, x], -1))
        else:
            x = net.fpn_s(x).permute(0, 2, 3, 4, 1)
            x = net.lm_down_st(torch.cat([fine, x], -1))
            x = net.fpn_t(x.permute(0, 4, 1, 2, 3)).permute(0, 2, 3, 4, 1)
        return self.cls_head.lm_head(net.norm(x))

    def loss(
        self, maps: list, ids: Tensor, where: Tensor, image: bool
    ) -> Tensor:
        """Compare with the tokens (B, T, h, w) at flat positions."""
        scores = self.scores(maps, image).flatten(0, 3)[where]
        return F.cross_entropy(scores, ids.flatten()[where])
