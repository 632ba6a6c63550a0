"""A small convolutional autoencoder with published weights (TAESD)."""

from typing import Optional

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvidadapt.weights import load_exactly


def conv(n_in: int, n_out: int, **options: int) -> nn.Conv2d:
    """Make a 3x3 convolution that keeps the size."""
    return nn.Conv2d(n_in, n_out, 3, padding=1, **options)


class TinyBlock(nn.Module):
    """Three convolutions with a residual, behind an optional pooled gate.

    Args:
        dims (int): Channels.
        pooled (bool): Whether statistics of groups over the whole picture
            are added first. Defaults to False.
    """

    def __init__(self, dims: int, pooled: bool = False) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            conv(dims, dims),
            nn.ReLU(),
            conv(dims, dims),
            nn.ReLU(),
            conv(dims, dims),
        )
        self.pool = None
        if pooled:
            self.pool = nn.Sequential(
                nn.Conv2d(dims, 4 * dims, 1, bias=False),
                nn.GroupNorm(4, 4 * dims),
                nn.ReLU(),
                nn.Conv2d(4 * dims, dims, 1, bias=False),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map (M, C, h, w) to the same size."""
        if self.pool is not None:
            x = x + self.pool(x)  # (M, C, H, W)
        return (x + self.conv(x)).relu()  # (M, C, H, W)


class _Soft(nn.Module):
    """Keep latents within -3 and 3."""

    def forward(self, x: Tensor) -> Tensor:
        """Bend what is large."""
        return 3 * torch.tanh(x / 3)


class _Tiny(BaseModule):
    """Layers in a row, under the numbers that the published files use."""

    def __init__(self, layers: nn.Sequential, weights: Optional[str]) -> None:
        super().__init__()
        self.layers, self.weights = layers, weights

    def init_weights(self) -> None:
        """Read the published weights."""
        if self.weights is not None:
            load_exactly(self.layers, self.weights)

    def forward(self, x: Tensor) -> Tensor:
        """Run all layers."""
        return self.layers(x)


@MODELS.register_module()
class TinyEncoder(_Tiny):
    """Encoder of the tiny autoencoders, an eighth of the side.

    `TAESD <https://github.com/madebyollin/taesd>`_ approximates the
    autoencoders of latent diffusion models with 1.2 M parameters.

    Args:
        pretrained (str, optional): Alias, URL or path of the weights.
            Defaults to None: random weights.
        latent_dims (int): Channels of the features. Defaults to 4.
        dims (int): Channels of the layers. Defaults to 64.
        pooled (bool): Whether the last blocks are pooled ones, as those for
            32 latent channels have. Defaults to False.
    """

    def __init__(
        self,
        pretrained: Optional[str] = None,
        latent_dims: int = 4,
        dims: int = 64,
        pooled: bool = False,
    ) -> None:
        layers = [conv(3, dims), TinyBlock(dims)]
        for stage in range(3):
            last = pooled and stage == 2
            layers.append(conv(dims, dims, stride=2, bias=False))
            layers += [TinyBlock(dims, last) for _ in range(3)]
        layers.append(conv(dims, latent_dims))
        super().__init__(nn.Sequential(*layers), pretrained)


@MODELS.register_module()
class TinyDecoder(_Tiny):
    """Decoder of the tiny autoencoders, eight times the side.

    Args:
        pretrained (str, optional): Alias, URL or path of the weights.
            Defaults to None: random weights.
        latent_dims (int): Channels of the features. Defaults to 4.
        dims (int): Channels of the layers. Defaults to 64.
        pooled (bool): Whether the first blocks are pooled ones.
            Defaults to False.
    """

    def __init__(
        self,
        pretrained: Optional[str] = None,
        latent_dims: int = 4,
        dims: int = 64,
        pooled: bool = False,
    ) -> None:
        layers = [_Soft(), conv(latent_dims, dims), nn.ReLU()]
        for stage in range(3):
            layers += [TinyBlock(dims, pooled and not stage) for _ in range(3)]
            layers.append(nn.Upsample(scale_factor=2))
            layers.append(conv(dims, dims, bias=False))
        layers += [TinyBlock(dims), conv(dims, 3)]
        super().__init__(nn.Sequential(*layers), pretrained)
