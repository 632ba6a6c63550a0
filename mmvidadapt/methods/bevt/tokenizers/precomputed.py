"""Read ids that were computed before the training."""

import torch
from mmaction.registry import MODELS
from torch import Tensor

from .base import Tokenizer

BASE = 256  # an id is written with three digits, the channels of a picture


def ids_to_picture(ids: Tensor) -> Tensor:
    """Write ids as pictures of one pixel each, so that they travel as such.

    Args:
        ids (Tensor): Ids of any shape ``(M, gh, gw)``.

    Returns:
        Tensor: ``(M, 3, gh, gw)``, uint8: the digits of each id.
    """
    digits = [ids, ids // BASE, ids // BASE**2]  # 3 x (M, gh, gw)
    return torch.stack([d % BASE for d in digits], 1).to(torch.uint8)


@MODELS.register_module()
class PrecomputedTokens(Tokenizer):
    """Reads ids off pictures that are made of them.

    The pipeline delivers a picture of one pixel per id
    (:class:`~mmvidadapt.datasets.TokenizedDataset`), so nothing else knows
    whether ids are computed during the training or were before it.

    Args:
        vocab_size (int): Number of ids of the tokenizer that made them.
            Defaults to 8192.
        input_size (int): Side of its grid. Defaults to 14.
    """

    def __init__(self, vocab_size: int = 8192, input_size: int = 14) -> None:
        super().__init__(vocab_size, input_size, stride=1)
        self.freeze()

    def features(self, frames: Tensor) -> Tensor:
        """Read the digits of ids, (M, gh, gw, 3)."""
        return frames.permute(0, 2, 3, 1)

    def classify(self, rows: Tensor) -> Tensor:
        """Put the digits (K, 3) together."""
        digits = rows.round().long()  # (K, 3)
        ids = digits[:, 0] + BASE * digits[:, 1] + BASE**2 * digits[:, 2]
        if len(ids) and ids.max() >= self.vocab_size:
            raise ValueError(
                f'There is a token {ids.max().item()}, but vocab_size='
                f'{self.vocab_size}; give the vocab_size of the tokenizer '
                'that made the tokens, or the pipeline that reads them.'
            )
        return ids
