"""A convolutional VQ-VAE as a tokenizer: the place that PeCo takes."""

from typing import Optional, Sequence

import torch.nn.functional as F
from einops import rearrange
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmvidadapt.weights import load_exactly

from .base import Tokenizer
from .nearest_code import nearest


def norm(dims: int) -> nn.GroupNorm:
    """Normalise groups of channels, 32 where there are as many."""
    return nn.GroupNorm(min(32, dims), dims, eps=1e-6)


class ResidualBlock(nn.Module):
    """Norm, swish and convolution, twice.

    Args:
        n_in (int): Channels that come in.
        n_out (int): Channels that go out.
    """

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = norm(n_in), norm(n_out)
        self.conv1 = nn.Conv2d(n_in, n_out, 3, padding=1)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1)
        if n_in != n_out:
            self.nin_shortcut = nn.Conv2d(n_in, n_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (M, n_in, h, w) to (M, n_out, h, w)."""
        y = self.conv1(F.silu(self.norm1(x)))  # (M, n_out, H, W)
        y = self.conv2(F.silu(self.norm2(y)))  # (M, n_out, H, W)
        return y + (self.nin_shortcut(x) if y.shape != x.shape else x)


class AttentionBlock(nn.Module):
    """Self-attention with one head over all positions.

    Args:
        dims (int): Channels.
    """

    def __init__(self, dims: int) -> None:
        super().__init__()
        self.norm = norm(dims)
        self.q, self.k, self.v, self.proj_out = (
            nn.Conv2d(dims, dims, 1) for _ in range(4)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (M, C, h, w) to the same size."""
        y = self.norm(x)
        q, k, v = (
            rearrange(part(y), 'm c h w -> m 1 (h w) c')
            for part in (self.q, self.k, self.v)
        )  # (M, 1, H*W, C) each
        y = F.scaled_dot_product_attention(q, k, v)  # (M, 1, H*W, C)
        y = rearrange(y, 'm 1 (h w) c -> m c h w', h=x.shape[2])
        return x + self.proj_out(y)


class Downsample(nn.Module):
    """Halve the sides; the border is added right and below only.

    Args:
        dims (int): Channels.
    """

    def __init__(self, dims: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(dims, dims, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (M, C, h, w) to (M, C, h / 2, w / 2)."""
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class VQEncoder(nn.Module):
    """Encoder of a VQGAN, under its names.

    Args:
        dims (int): Channels of the first level.
        factors (Sequence[int]): Channels of each level, in units of ``dims``.
        num_blocks (int): Residual blocks of a level.
        z_dims (int): Channels of the features.
    """

    def __init__(
        self, dims: int, factors: Sequence[int], num_blocks: int, z_dims: int
    ) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(3, dims, 3, padding=1)
        self.down, n_in = nn.ModuleList(), dims
        for i, factor in enumerate(factors):
            level, last = nn.Module(), i == len(factors) - 1
            level.block, level.attn = nn.ModuleList(), nn.ModuleList()
            for _ in range(num_blocks):
                level.block.append(ResidualBlock(n_in, dims * factor))
                n_in = dims * factor
                if last:  # the only level small enough
                    level.attn.append(AttentionBlock(n_in))
            if not last:
                level.downsample = Downsample(n_in)
            self.down.append(level)
        self.mid = nn.Module()
        self.mid.block_1 = ResidualBlock(n_in, n_in)
        self.mid.attn_1 = AttentionBlock(n_in)
        self.mid.block_2 = ResidualBlock(n_in, n_in)
        self.norm_out = norm(n_in)
        self.conv_out = nn.Conv2d(n_in, z_dims, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (M, 3, h, w) to (M, z_dims, gh, gw)."""
        x = self.conv_in(x)  # (M, C, H, W)
        for level in self.down:
            for i, block in enumerate(level.block):
                x = block(x)  # (M, C, H, W)
                x = level.attn[i](x) if len(level.attn) else x
            x = level.downsample(x) if hasattr(level, 'downsample') else x
        x = self.mid.attn_1(self.mid.block_1(x))  # (M, C, gh, gw)
        x = self.mid.block_2(x)  # (M, C, gh, gw)
        return self.conv_out(F.silu(self.norm_out(x)))  # (M, D, gh, gw)


@MODELS.register_module()
class VQVAETokenizer(Tokenizer):
    """The nearest code of a convolutional VQ-VAE, by Euclidean distance.

    PeCo (`Perceptual Codebook for BERT Pre-training of Vision Transformers
    <https://arxiv.org/abs/2111.12710>`_) is such a model: pictures of 224, one
    of 8,192 ids per 16x16 pixels, codes of 256 channels. Its weights cannot
    be had; weights of one's own, or a VQGAN's, go here. They are named

    - ``encoder.conv_in.*``,
    - ``encoder.down.{level}.block.{i}.{norm1,conv1,norm2,conv2,
      nin_shortcut}.*``, ``encoder.down.{level}.downsample.conv.*``,
    - ``encoder.down.{last}.attn.{i}.{norm,q,k,v,proj_out}.*``,
    - ``encoder.mid.{block_1,attn_1,block_2}.*``, ``encoder.norm_out.*``,
      ``encoder.conv_out.*``,
    - ``quant_conv.*`` (1x1) and ``quantize.embedding.weight`` (ids, channels).

    Args:
        pretrained (str, optional): Alias, URL or path of the weights.
            Defaults to None: random weights.
        vocab_size (int): Number of ids. Defaults to 8192.
        input_size (int): Side of the pictures. Defaults to 224.
        dims (int): Channels of the first level. Defaults to 128.
        factors (Sequence[int]): Channels of the levels in units of ``dims``;
            each but the last halves the sides. Defaults to (1, 1, 2, 2, 4).
        num_blocks (int): Residual blocks of a level. Defaults to 2.
        code_dims (int): Channels of a code. Defaults to 256.
    """

    def __init__(
        self,
        pretrained: Optional[str] = None,
        vocab_size: int = 8192,
        input_size: int = 224,
        dims: int = 128,
        factors: Sequence[int] = (1, 1, 2, 2, 4),
        num_blocks: int = 2,
        code_dims: int = 256,
    ) -> None:
        stride = 2 ** (len(factors) - 1)
        super().__init__(vocab_size, input_size, stride, pretrained)
        self.encoder = VQEncoder(dims, factors, num_blocks, code_dims)
        self.quant_conv = nn.Conv2d(code_dims, code_dims, 1)
        self.quantize = nn.Module()
        self.quantize.embedding = nn.Embedding(vocab_size, code_dims)
        self.freeze()

    def read(self) -> None:
        """Read encoder and codebook; decoder and losses are of no use."""
        if self.pretrained is not None:
            load_exactly(
                self,
                self.pretrained,
                unused=(r'(decoder|post_quant_conv|loss)\..*',),
            )

    def features(self, frames: Tensor) -> Tensor:
        """Encode pictures: (M, gh, gw, code_dims)."""
        x = self.encoder(frames / 127.5 - 1)  # (M, D, gh, gw)
        x = self.quant_conv(x)  # (M, D, gh, gw)
        return rearrange(x, 'm c h w -> m h w c')

    def classify(self, rows: Tensor) -> Tensor:
        """Look the nearest codes up."""
        return nearest(rows, self.quantize.embedding.weight)
