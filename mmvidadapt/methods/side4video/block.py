"""A layer of Side4Video's side network.

Letters: B clips, T frames, N patches of a frame, D channels of the trunk, d
channels of the side network.
"""

from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from mmvidadapt.trunks.parts.attention import Attention
from mmvidadapt.trunks.parts.block import make_mlp
from mmvidadapt.trunks.parts.drop_path import DropPath, linear_rates
from mmvidadapt.trunks.parts.temporal_conv import TemporalConv

from .batch_norm import BatchNorm, norm_tokens


def shift_token(c: Tensor) -> Tensor:
    """Shift the class tokens of frames by half, (B, T, 1, d).

    The first half of the channels comes from the frame after, the second
    from the frame before; there are zeros where no frame is.
    """
    after, before = c.chunk(2, dim=-1)  # (B, T, 1, d/2) each
    after = F.pad(after[:, 1:], (0, 0, 0, 0, 0, 1))
    before = F.pad(before[:, :-1], (0, 0, 0, 0, 1, 0))
    return torch.cat([after, before], dim=-1)  # (B, T, 1, d)


class SideLayer(nn.Module):
    """Take in a layer of the trunk; convolve over time, attend, transform.

    Args:
        trunk_dims (int): Number of channels D of the trunk.
        dims (int): Number of channels d.
        num_heads (int): Number of heads of the attention.
        mlp_ratio (float): Width of the MLP relative to d.
        temporal_ratio (float): Width of the convolution relative to d.
        drop_path (float): Rate at which a clip's branches are dropped.
        sync_bn (bool): Whether batch norms share their statistics.
    """

    Linear, TemporalConv, Attention = nn.Linear, TemporalConv, Attention

    def __init__(
        self,
        trunk_dims: int,
        dims: int,
        num_heads: int,
        mlp_ratio: float,
        temporal_ratio: float,
        drop_path: float,
        sync_bn: bool,
    ) -> None:
        super().__init__()
        width = round(dims * temporal_ratio)
        self.ln_in = nn.LayerNorm(trunk_dims)
        self.proj_in = self.Linear(trunk_dims, dims)
        self.bn_1 = BatchNorm(dims, sync_bn)
        self.pw_1 = self.Linear(dims, width)
        self.conv = self.TemporalConv(width)
        self.pw_2 = self.Linear(width, dims)
        self.ln = nn.LayerNorm(dims)
        self.attn = self.Attention(dims, num_heads)
        self.bn_2 = BatchNorm(dims, sync_bn)
        self.mlp = make_mlp(
            dims,
            round(dims * mlp_ratio),
            'gelu',
            first=self.Linear,
            last=self.Linear,
        )
        self.drop_path = DropPath(drop_path)

    def forward(
        self, s: Tensor, x: Tensor, prefix: int, cls_token: bool, place: Tensor
    ) -> Tensor:
        """Take a layer of the trunk in.

        Args:
            s (Tensor): Tokens of the side network, ``(B, T, N, d)``.
            x (Tensor): Output of the trunk's block, ``(B*T, P+N, D)``.
            prefix (int): Tokens P before the patches.
            cls_token (bool): Whether the first of them is a class token;
                else the mean of the patches stands for it.
            place (Tensor): Positions of the patches, ``(N, d)``.

        Returns:
            Tensor: Tokens, ``(B, T, N, d)``.
        """
        f = self.take_in(x)  # (B*T, P+N, d)
        f = f.unflatten(0, (-1, s.shape[1]))  # (B, T, P+N, d)
        patches = f[:, :, prefix:]  # (B, T, N, d)
        c = f[:, :, :1] if cls_token else patches.mean(2, keepdim=True)
        s = 0.5 * s + 0.5 * patches  # (B, T, N, d)
        h = norm_tokens(self.bn_1, s)  # (B, T, N, d)
        s = s + self.drop_path(self.pw_2(self.conv(self.pw_1(h))))
        y = torch.cat([shift_token(c), s + place], dim=2)  # (B, T, 1+N, d)
        h = self.attend(y.flatten(0, 1))  # (B*T, N, d)
        h = h.unflatten(0, (-1, s.shape[1]))  # (B, T, N, d)
        s = s + self.drop_path(h)
        h = self.transform(norm_tokens(self.bn_2, s))  # (B, T, N, d)
        return s + self.drop_path(h)

    def take_in(self, x: Tensor) -> Tensor:
        """Narrow the tokens of the trunk, (B*T, P+N, D) to (B*T, P+N, d)."""
        return self.proj_in(self.ln_in(x))  # (B*T, P+N, d)

    def attend(self, y: Tensor) -> Tensor:
        """Attend from patches to all, (B*T, 1+N, d) to (B*T, N, d)."""
        q, k, v = self.attn.qkv(self.ln(y), positions=False)
        out = F.scaled_dot_product_attention(q[:, :, 1:], k, v)
        return self.attn.out_proj(rearrange(out, 'f m n d -> f n (m d)'))

    def transform(self, h: Tensor) -> Tensor:
        """Run the MLP, (B, T, N, d)."""
        return self.mlp(h)


class SideNetwork(nn.Module):
    """Patch embedding, layers and last norm of the side network.

    Args:
        depth (int): Number of layers, those of the trunk.
        num_patches (int): Number of patches N of a frame.
        patch_size (int): Side of a patch in pixels.
        dims (int): Number of channels d.
        sync_bn (bool): Whether batch norms share their statistics.
        drop_path_rate (float): Rate of the last layer; it rises from 0.
            Defaults to 0.0.
        **layer: Passed on to :class:`SideLayer`.
    """

    Layer = SideLayer

    def __init__(
        self,
        depth: int,
        num_patches: int,
        patch_size: int,
        dims: int,
        sync_bn: bool,
        drop_path_rate: float = 0.0,
        **layer: Any,
    ) -> None:
        super().__init__()
        size = (1, patch_size, patch_size)
        self.conv1 = nn.Conv3d(3, dims, size, stride=size)
        self.bn_pre = BatchNorm(dims, sync_bn)
        self.positional_embedding = nn.Parameter(
            torch.empty(num_patches, dims)
        )
        self.layers = nn.ModuleList(
            self.Layer(dims=dims, sync_bn=sync_bn, drop_path=rate, **layer)
            for rate in linear_rates(drop_path_rate, depth)
        )
        self.bn_post = BatchNorm(dims, sync_bn)
        self.draw()

    def draw(self) -> None:
        """Draw positions, attention and MLPs as the authors do."""
        d, last = self.conv1.out_channels, (2 * len(self.layers)) ** -0.5
        nn.init.normal_(self.positional_embedding, std=0.01)
        for layer in self.layers:
            for param, std in (
                (layer.attn.in_proj_weight, d**-0.5),
                (layer.attn.out_proj.weight, d**-0.5 * last),
                (layer.mlp.c_fc.weight, (2 * d) ** -0.5),
                (layer.mlp.c_proj.weight, d**-0.5 * last),
            ):
                nn.init.normal_(param, std=std)

    def embed(self, video: Tensor) -> Tensor:
        """Turn a clip (B, 3, T, H, W) into tokens (B, T, N, d)."""
        s = self.bn_pre(self.conv1(video))  # (B, d, T, h, w)
        return rearrange(s, 'b d t h w -> b t (h w) d')

    def read_out(self, s: Tensor) -> Tensor:
        """Norm tokens (B, T, N, d) and average them, (B, d)."""
        s = s.to(self.bn_post.weight.dtype)  # a mean of many, in full
        return norm_tokens(self.bn_post, s).mean((1, 2))  # (B, d)
