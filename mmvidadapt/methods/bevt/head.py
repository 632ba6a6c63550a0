"""The vocabulary classifier of BEVT, shared by its streams."""

from functools import partial
from typing import Dict, Tuple

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmvidadapt.trunks.parts.lean_block import learns
from mmvidadapt.trunks.parts.linear import Linear
from mmvidadapt.weights.load_hooks import refuse_unfit

STREAM_NAMES = dict(video='3d', image='2d')


@MODELS.register_module()
class BEVTHead(BaseModule):
    """Tell which visual token stands behind every masked position.

    From `BEVT: BERT Pretraining of Video Transformers
    <https://arxiv.org/abs/2112.01529>`_. Each stream's loss is the mean over
    its own masked tokens.

    Args:
        num_classes (int): Size of the vocabulary. Defaults to 8192.
        in_channels (int): Number of channels D of a row. Defaults to 1024.
        loss_weight_3d (float): Weight of the video stream. Defaults to 1.0.
        loss_weight_2d (float): Weight of the image stream. Defaults to 1.0.
    """

    def __init__(
        self,
        num_classes: int = 8192,
        in_channels: int = 1024,
        loss_weight_3d: float = 1.0,
        loss_weight_2d: float = 1.0,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.loss_weights = dict(video=loss_weight_3d, image=loss_weight_2d)
        self.lm_head = Linear(in_channels, num_classes)
        nn.init.trunc_normal_(self.lm_head.weight, std=0.02)
        nn.init.zeros_(self.lm_head.bias)
        self.register_load_state_dict_pre_hook(refuse_unfit)

    def forward(self, rows: Tensor) -> Tensor:
        """Score rows (K, D); return (K, num_classes), at least float32."""
        scores = self.lm_head(rows)
        return scores.to(torch.promote_types(scores.dtype, torch.float32))

    def loss(
        self, rows: Tensor, ids: Tensor, stream: str
    ) -> Dict[str, Tensor]:
        """Compare what is predicted with the tokens.

        Args:
            rows (Tensor): Decoded masked positions ``(K, D)``.
            ids (Tensor): Their tokens ``(K,)``.
            stream (str): ``'video'`` or ``'image'``.

        Returns:
            Dict[str, Tensor]: ``loss_cls_3d`` and ``mask_acc_3d``, or those
            of 2d.
        """
        self._check(rows, ids, stream)
        name, compare = STREAM_NAMES[stream], self._compare
        if learns(self, rows):
            # The probabilities of 8192 words are most of what the decoders
            # would keep; one more product, 1 % of a step, makes them anew.
            compare = partial(
                checkpoint,
                compare,
                use_reentrant=False,
                preserve_rng_state=False,
            )
        loss, right = compare(rows, ids)
        return {
            f'loss_cls_{name}': self.loss_weights[stream] * loss,
            f'mask_acc_{name}': right,
        }

    def _compare(self, rows: Tensor, ids: Tensor) -> Tuple[Tensor, Tensor]:
        """Give the cross-entropy and the accuracy."""
        scores = self(rows)
        right = (scores.detach().argmax(-1) == ids).float()
        return F.cross_entropy(scores, ids), right.mean()

    def _check(self, rows: Tensor, ids: Tensor, stream: str) -> None:
        """Refuse tokens that there are none of, too many or unknown."""
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
