"""Classify masked tokens by vocabulary: one head for BEVT's two streams."""

from typing import Dict, Tuple

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmvidadapt.trunks.parts.lean import Lean, use_equation_
from mmvidadapt.trunks.parts.lean_block import learns
from mmvidadapt.trunks.parts.linear import Linear
from mmvidadapt.weights.load_hooks import refuse_unfit

STREAM_NAMES = dict(video='3d', image='2d')


class VocabularyHead(BaseModule):
    """Linear layer over the vocabulary, and cross entropy.

    The equation of :class:`BEVTHead`, whose arguments are its own.
    """

    Linear = nn.Linear

    def __init__(
        self,
        num_classes: int = 8192,
        in_channels: int = 1024,
        loss_weight_3d: float = 1.0,
        loss_weight_2d: float = 1.0,
        lean: bool = True,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.loss_weights = dict(video=loss_weight_3d, image=loss_weight_2d)
        self.lm_head = self.Linear(in_channels, num_classes)
        nn.init.trunc_normal_(self.lm_head.weight, std=0.02)
        nn.init.zeros_(self.lm_head.bias)
        self.register_load_state_dict_pre_hook(refuse_unfit)
        if not lean:
            use_equation_(self)

    def forward(self, rows: Tensor) -> Tensor:
        """Score rows (K, D); return (K, num_classes), at least float32."""
        scores = self.lm_head(rows)  # (K, num_classes)
        return scores.to(torch.promote_types(scores.dtype, torch.float32))

    def loss(
        self, rows: Tensor, ids: Tensor, stream: str
    ) -> Dict[str, Tensor]:
        """Compare predictions with the tokens.

        Args:
            rows (Tensor): Decoded masked positions ``(K, D)``.
            ids (Tensor): Their tokens ``(K,)``.
            stream (str): ``'video'`` or ``'image'``.

        Returns:
            Dict[str, Tensor]: ``loss_cls_3d`` and ``mask_acc_3d``, or those
            of 2d.
        """
        self._check(rows, ids, stream)
        name = STREAM_NAMES[stream]
        loss, right = self.compare(rows, ids)
        return {
            f'loss_cls_{name}': self.loss_weights[stream] * loss,
            f'mask_acc_{name}': right,
        }

    def compare(self, rows: Tensor, ids: Tensor) -> Tuple[Tensor, Tensor]:
        """Compute the cross entropy and the accuracy of rows (K, D)."""
        scores = self(rows)  # (K, num_classes)
        right = (scores.detach().argmax(-1) == ids).float()  # (K,)
        return F.cross_entropy(scores, ids), right.mean()

    def _check(self, rows: Tensor, ids: Tensor, stream: str) -> None:
        """Reject no tokens, too many tokens and tokens of other words."""
        if not len(rows):
            raise ValueError(
                f'No token of the {stream} stream is masked, so there is '
                'nothing to learn from; raise the number of masked tokens of '
                'its mask transform, or the batch size.'
            )
        if len(rows) != len(ids):
            raise ValueError(
                f'{len(rows)} positions of the {stream} stream are masked, '
                f'but there are {len(ids)} tokens.'
            )
        if ids.device.type == 'meta':  # has no values
            return
        low, high = torch.stack(ids.aminmax()).tolist()
        if low < 0 or high >= self.num_classes:
            raise ValueError(
                f'Tokens of the {stream} stream range from {low} to {high}, '
                f'and the vocabulary has {self.num_classes}; set '
                "cls_head.num_classes to the tokenizer's vocab_size."
            )


@MODELS.register_module()
class BEVTHead(Lean, VocabularyHead):
    """Classify which visual token stands behind every masked position.

    From `BEVT: BERT Pretraining of Video Transformers
    <https://arxiv.org/abs/2112.01529>`_. Each stream's loss is the mean over
    its own masked tokens. Lean twin of :class:`VocabularyHead`: it computes
    the scores again for the backward pass.

    Args:
        num_classes (int): Size of the vocabulary. Defaults to 8192.
        in_channels (int): Number of channels D of a row. Defaults to 1024.
        loss_weight_3d (float): Weight of the video stream. Defaults to 1.0.
        loss_weight_2d (float): Weight of the image stream. Defaults to 1.0.
        lean (bool): Whether scores are computed again for the backward pass
            instead of kept. Defaults to True.
    """

    Linear = Linear

    def compare(self, rows: Tensor, ids: Tensor) -> Tuple[Tensor, Tensor]:
        """Compute the cross entropy and the accuracy of rows (K, D).

        The probabilities of 8192 words are most of what the decoders would
        keep; one more product, 1 % of a step, makes them anew.
        """
        if not learns(self, rows):
            return super().compare(rows, ids)
        return checkpoint(
            super().compare,
            rows,
            ids,
            use_reentrant=False,
            preserve_rng_state=False,
        )
