"""DALL-E's discrete VAE as a tokenizer."""

from typing import Optional

import torch.nn.functional as F
from einops import rearrange
from mmaction.registry import MODELS
from mmpretrain.models.selfsup.cae import DALLEEncoder
from torch import Tensor
from torch import channels_last as CHANNELS_LAST

from mmvidadapt.weights import load_exactly

from .base import Tokenizer
from .dalle_decoder import DALLEDecoder
from .dalle_files import read_dalle

LOW, SPAN = 0.1, 0.8  # pixels from 0 to 1 are mapped to 0.1 ... 0.9


@MODELS.register_module()
class DALLETokenizer(Tokenizer):
    """The encoder of DALL-E's discrete VAE: argmax over its logits.

    Proposed in `Zero-Shot Text-to-Image Generation
    <https://arxiv.org/abs/2102.12092>`_. The encoder is mmpretrain's. On a
    GPU it computes in half precision, all but the last convolution, which is
    1x1 and therefore runs at the positions that are asked for only.

    Args:
        pretrained (str, optional): Weights of the encoder: an alias, URL or
            path of a state dict, or OpenAI's ``encoder.pkl``.
            Defaults to None: random weights.
        decoder (str, optional): Weights of the decoder, which draws pictures
            of ids: a state dict or OpenAI's ``decoder.pkl``.
            Defaults to None: no pictures.
        vocab_size (int): Number of ids. Defaults to 8192.
        input_size (int): Side of the pictures. Defaults to 112.
        n_hid (int): Width of the first group. Defaults to 256.
        n_blk_per_group (int): Blocks of each of the four groups.
            Defaults to 2.
    """

    stride = 8

    def __init__(
        self,
        pretrained: Optional[str] = None,
        decoder: Optional[str] = None,
        vocab_size: int = 8192,
        input_size: int = 112,
        n_hid: int = 256,
        n_blk_per_group: int = 2,
    ) -> None:
        super().__init__(vocab_size, input_size, self.stride, pretrained)
        sizes = dict(n_hid=n_hid, n_blk_per_group=n_blk_per_group)
        self.encoder = DALLEEncoder(vocab_size=vocab_size, **sizes)
        self.encoder.to(memory_format=CHANNELS_LAST)  # a sixth faster on CPU
        self.decoder_weights = decoder
        self.decoder = (
            None if decoder is None else DALLEDecoder(vocab_size, **sizes)
        )
        self.freeze()

    def read(self) -> None:
        """Read the encoder and, where there is one, the decoder."""
        if self.pretrained is not None:
            load_exactly(self.encoder, self.pretrained, reader=read_dalle)
        if self.decoder is not None:
            load_exactly(self.decoder, self.decoder_weights, reader=read_dalle)

    def features(self, frames: Tensor) -> Tensor:
        """Run all but the last convolution: (M, gh, gw, 8 * n_hid)."""
        x = LOW + SPAN * (frames / 255)  # (M, 3, H, W)
        x = x.contiguous(memory_format=CHANNELS_LAST)  # (M, 3, H, W)
        for name, part in self.encoder.blocks.named_children():
            x = part.relu(x) if name == 'output' else part(x)
        return rearrange(x, 'm c h w -> m h w c')  # (M, gh, gw, C)

    def classify(self, rows: Tensor) -> Tensor:
        """Run the last convolution on rows (K, 8 * n_hid)."""
        last = self.encoder.blocks.output.conv
        logits = F.linear(rows.float(), last.w.flatten(1), last.b)  # (K, V)
        return logits.argmax(1)

    @property
    def decodes(self) -> bool:
        """Whether the decoder's weights were given."""
        return self.decoder is not None

    def decode(self, ids: Tensor) -> Tensor:
        """Draw ids (M, gh, gw) as pictures (M, 3, h, w) from 0 to 255."""
        if self.decoder is None:
            return super().decode(ids)
        self.load()
        x = self.decoder(ids)  # (M, 3, h, w), from 0 to 1
        return ((x - LOW) / SPAN).clamp(0, 1) * 255
