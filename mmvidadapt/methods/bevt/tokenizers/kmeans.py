"""Tokenize by k-means, fitted on one's own pictures in a minute."""

from typing import Optional, Sequence

import torch
from einops import rearrange
from mmaction.registry import MODELS
from torch import Tensor

from mmvidadapt.weights import load_exactly

from .base import Tokenizer
from .nearest_code import nearest


@MODELS.register_module()
class KMeansTokenizer(Tokenizer):
    """The nearest of the centres of k-means, of patches or of features.

    ``tools/fit_tokenizer.py`` finds the centres. Without an encoder they are
    patches of pixels, and need nothing but one's own pictures; with one they
    are its features, one per cell of the grid.

    Args:
        pretrained (str, optional): What ``tools/fit_tokenizer.py`` wrote.
            Defaults to None: random centres.
        vocab_size (int): Number of centres. Defaults to 2048.
        input_size (int): Side of the pictures. Defaults to 112.
        patch_size (int): Side of the square that one id stands for; with an
            encoder, its stride. Defaults to 8.
        encoder (dict, optional): Config of a model that maps pictures
            (M, 3, h, w) to features (M, C, gh, gw), or to a tuple whose last
            one these are. Defaults to None: pixels.
        decoder (dict, optional): Config of a model that maps such features
            back to pictures from 0 to 1. Defaults to None: none.
        dims (int, optional): Channels of the encoder's features; needed with
            one. Defaults to None: those of a patch.
        mean (Sequence[float]): What is subtracted from the pixels for the
            encoder. Defaults to ``(0, 0, 0)``.
        std (Sequence[float]): What they are then divided by.
            Defaults to ``(255, 255, 255)``.
    """

    def __init__(
        self,
        pretrained: Optional[str] = None,
        vocab_size: int = 2048,
        input_size: int = 112,
        patch_size: int = 8,
        encoder: Optional[dict] = None,
        decoder: Optional[dict] = None,
        dims: Optional[int] = None,
        mean: Sequence[float] = (0, 0, 0),
        std: Sequence[float] = (255, 255, 255),
    ) -> None:
        super().__init__(vocab_size, input_size, patch_size, pretrained)
        if (encoder is None) != (dims is None):
            raise ValueError(
                f'encoder={encoder} and dims={dims}: give both, the encoder '
                'and the channels of its features, or neither.'
            )
        self.patch_size = patch_size
        self.encoder = None if encoder is None else MODELS.build(encoder)
        self.decoder = None if decoder is None else MODELS.build(decoder)
        for name, value in (('mean', mean), ('std', std)):
            value = torch.tensor(value, dtype=torch.float32).view(3, 1, 1)
            self.register_buffer(name, value, persistent=False)
        centres = torch.rand(vocab_size, dims or 3 * patch_size**2)
        self.register_buffer('centres', centres)
        self.freeze()

    def read(self) -> None:
        """Read the centres, and what encoder and decoder name."""
        self.read_parts()
        if self.pretrained is not None:
            models = (r'(en|de)coder\..*',)
            load_exactly(self, self.pretrained, new=models)

    def read_parts(self) -> None:
        """Read the weights of encoder and decoder, without the centres."""
        for part in (self.encoder, self.decoder):
            if hasattr(part, 'init_weights'):
                part.init_weights()

    def features(self, frames: Tensor) -> Tensor:
        """Cut patches or encode features, (M, gh, gw, D)."""
        if self.encoder is None:
            p = self.patch_size
            return rearrange(
                frames / 255, 'm c (h p) (w q) -> m h w (c p q)', p=p, q=p
            )
        x = (frames - self.mean) / self.std  # (M, 3, H, W)
        x = self.encoder(x)
        x = x[-1] if isinstance(x, (tuple, list)) else x
        expected = (len(frames), self.centres.shape[1], *self.grid)
        if x.shape != expected:
            raise ValueError(
                f'The encoder {type(self.encoder).__name__} gives '
                f'{tuple(x.shape)}, but {expected} is expected: dims='
                f'{expected[1]} on the grid {self.grid}; set dims, '
                'patch_size (its stride) or the layer that it returns.'
            )
        return rearrange(x, 'm c h w -> m h w c')  # (M, gh, gw, D)

    def classify(self, rows: Tensor) -> Tensor:
        """Look the nearest centres up."""
        return nearest(rows, self.centres)

    @property
    def decodes(self) -> bool:
        """Whether centres can be drawn: patches can, features may."""
        return self.encoder is None or self.decoder is not None

    @torch.no_grad()
    def decode(self, ids: Tensor) -> Tensor:
        """Draw ids (M, gh, gw) as pictures (M, 3, h, w) from 0 to 255."""
        if not self.decodes:
            return super().decode(ids)
        self.load()
        x, p = self.centres[ids], self.patch_size  # (M, gh, gw, D)
        if self.encoder is not None:
            x = self.decoder(rearrange(x, 'm h w c -> m c h w'))
        else:
            x = rearrange(x, 'm h w (c p q) -> m c (h p) (w q)', c=3, p=p, q=p)
        return x.clamp(0, 1) * 255  # (M, 3, H, W)
