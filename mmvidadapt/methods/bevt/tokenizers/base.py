"""Base class of visual tokenizers: pictures in, discrete ids out."""

from abc import ABC, abstractmethod
from typing import Optional, Tuple

import torch
from torch import Tensor, nn

from mmvidadapt.trunks.parts.precision import full_precision

MOST = 32  # pictures


class Tokenizer(nn.Module, ABC):
    """Frozen map from a picture to a grid of ids out of a vocabulary.

    A subclass says how a picture becomes one row of features per cell of the
    grid (:meth:`features`) and which id a row is (:meth:`classify`), and ends
    its constructor with :meth:`freeze`. Weights are read by :meth:`load`, at
    the first picture at the latest, so that a model can be built without
    them. Whoever owns a tokenizer keeps it out of its own modules: it is no
    part of what is trained, saved or synchronised.

    Args:
        vocab_size (int): Number of ids.
        input_size (int): Side of the square pictures that it wants.
        stride (int): Side of the square that one id stands for.
        pretrained (str, optional): Alias, URL or path of the weights; see
            :mod:`mmvidadapt.weights`. Defaults to None: random weights.
    """

    def __init__(
        self,
        vocab_size: int,
        input_size: int,
        stride: int,
        pretrained: Optional[str] = None,
    ) -> None:
        super().__init__()
        if input_size < stride or input_size % stride:
            raise ValueError(
                f'input_size={input_size} is not a multiple of {stride}, the '
                f'side that one id of {type(self).__name__} stands for.'
            )
        self.vocab_size, self.input_size = vocab_size, input_size
        self.grid: Tuple[int, int] = (input_size // stride,) * 2
        self.pretrained, self.loaded = pretrained, False

    @abstractmethod
    def features(self, frames: Tensor) -> Tensor:
        """Turn (M, 3, h, w) from 0 to 255 into features (M, gh, gw, D)."""

    @abstractmethod
    def classify(self, rows: Tensor) -> Tensor:
        """Choose the ids (K,) of features (K, D)."""

    def read(self) -> None:
        """Read the weights that ``pretrained`` names into the modules."""

    def decode(self, ids: Tensor) -> Tensor:
        """Draw the pictures that ids stand for.

        Args:
            ids (Tensor): Ids ``(M, gh, gw)``.

        Returns:
            Tensor: Pictures ``(M, 3, h, w)`` from 0 to 255.

        Raises:
            ValueError: If this tokenizer has no decoder.
        """
        raise ValueError(
            f'This {type(self).__name__} turns pictures into ids only; give '
            'it a decoder where its class takes one.'
        )

    @property
    def decodes(self) -> bool:
        """Whether :meth:`decode` draws pictures."""
        return False

    def load(self) -> None:
        """Read the weights, once."""
        if not self.loaded:
            self.read()
            self.freeze()
            self.loaded = True

    def freeze(self) -> None:
        """Train nothing."""
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> 'Tokenizer':
        """Stay in evaluation mode, whatever is asked for."""
        return super().train(False)

    @torch.no_grad()
    def tokenize(self, frames: Tensor, most: int = MOST) -> Tensor:
        """Tokenize whole pictures.

        Args:
            frames (Tensor): RGB from 0 to 255, ``(M, 3, h, w)``.
            most (int): Pictures that are encoded at a time. Defaults to 32.

        Returns:
            Tensor: Ids ``(M, gh, gw)``, int64.
        """
        everywhere = torch.ones(
            (len(frames), *self.grid), dtype=torch.bool, device=frames.device
        )
        ids = self.tokenize_at(frames, everywhere, most)
        return ids.view(everywhere.shape)  # (M, gh, gw)

    @torch.no_grad()
    def tokenize_at(
        self, frames: Tensor, mask: Tensor, most: int = MOST
    ) -> Tensor:
        """Tokenize masked positions only.

        Pictures without a masked position are not looked at. The memory that
        is needed does not grow with their number, but with ``most``.

        Args:
            frames (Tensor): RGB from 0 to 255, ``(M, 3, h, w)``.
            mask (Tensor): Where ids are wanted, bool, ``(M, gh, gw)``.
            most (int): Pictures that are encoded at a time. Defaults to 32.

        Returns:
            Tensor: Ids ``(K,)`` in row-major order of the mask, int64.
        """
        self._check(frames, mask)
        self.load()
        kept = mask.flatten(1).any(1)  # (M,)
        if not kept.any():
            return frames.new_zeros(0, dtype=torch.long)
        parts = zip(frames[kept].split(most), mask[kept].split(most))
        with full_precision(frames):
            ids = [
                self.classify(self.features(part.float())[where])  # (K,)
                for part, where in parts  # (M, 3, H, W) and (M, gh, gw)
            ]
        return torch.cat(ids)

    def _check(self, frames: Tensor, mask: Tensor) -> None:
        """Reject pictures and masks of other sizes."""
        size, name = self.input_size, type(self).__name__
        if frames.ndim != 4 or frames.shape[1:] != (3, size, size):
            raise ValueError(
                f'{name} with input_size={size} wants pictures (M, 3, {size}, '
                f'{size}), not {tuple(frames.shape)}; resize them to its '
                '`input_size`.'
            )
        if mask.dtype != torch.bool:
            raise ValueError(
                f'The mask is of {mask.dtype}; give it as torch.bool.'
            )
        if mask.shape != (len(frames), *self.grid):
            raise ValueError(
                f'The mask {tuple(mask.shape)} does not fit {len(frames)} '
                f'pictures on the grid {self.grid} of {name}; give the mask '
                'generator the grid of the tokenizer, or the tokenizer '
                'another input_size.'
            )
