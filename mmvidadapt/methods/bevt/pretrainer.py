"""Pretrain BEVT: predict the visual tokens of what is masked."""

from typing import Any, Dict, List, Optional, Tuple, Union

import torch
from mmaction.registry import MODELS
from mmengine.dist import get_world_size
from mmengine.model import BaseModel
from torch import Tensor

from .head import STREAM_NAMES

Batch = Dict[str, Any]
# What the official recognizer saves with itself.
FOREIGN = ('relative_position_index', '.attn_mask')


@MODELS.register_module()
class BEVTPretrainer(BaseModel):
    """Masked clips, masked images or both in a step.

    From `BEVT: BERT Pretraining of Video Transformers
    <https://arxiv.org/abs/2112.01529>`_ (CVPR 2022). A batch holds normalised
    clips ``(B, 3, T, H, W)`` or images ``(B, 3, H, W)``, and samples with
    ``mask``, what is hidden, and ``view``, the pictures that the tokenizer
    reads. mmaction2's ``MultiLoaderEpochBasedTrainLoop`` gives a batch of
    each in every step.

    The tokenizer is frozen and no part of the model: it is not saved, not
    optimised and not synchronised. It reads only frames with masked tokens.

    Args:
        backbone (dict): Config of :class:`BEVTSwin` or
            :class:`BEVTTimeSformer`.
        cls_head (dict): Config of the vocabulary classifier.
        tokenizer (dict): Config of a tokenizer.
        data_preprocessor (dict, optional): As in mmengine. Defaults to None.

    Raises:
        ValueError: Where tokenizer, masks, samples and model do not agree.
    """

    def __init__(
        self,
        backbone: dict,
        cls_head: dict,
        tokenizer: dict,
        data_preprocessor: Optional[dict] = None,
    ) -> None:
        super().__init__(data_preprocessor)
        self.backbone = MODELS.build(backbone)
        self.cls_head = MODELS.build(cls_head)
        # In a tuple it is hidden from torch.nn.Module.
        self._tokenizer = (MODELS.build(tokenizer), None)
        self._check_tokenizer()
        self.register_load_state_dict_pre_hook(_drop_foreign)

    def _check_tokenizer(self) -> None:
        """Compare the tokenizer with the mask and the vocabulary."""
        tokenizer = self._tokenizer[0]
        name, grid = type(tokenizer).__name__, self.backbone.mask_grid
        if tuple(tokenizer.grid) != tuple(grid):
            raise ValueError(
                f'{name} gives a grid of {tuple(tokenizer.grid)} tokens, and '
                f'the masks of {type(self.backbone).__name__} have {grid}; '
                "change the tokenizer's input_size or the img_size."
            )
        if tokenizer.vocab_size != self.cls_head.num_classes:
            raise ValueError(
                f'{name} has a vocabulary of {tokenizer.vocab_size} tokens, '
                f'and cls_head.num_classes={self.cls_head.num_classes}; make '
                'them equal.'
            )

    def tokenizer_on(self, device: torch.device) -> torch.nn.Module:
        """Return the tokenizer, moved to a device when first asked for it."""
        tokenizer, place = self._tokenizer
        if place != device:
            self._tokenizer = (tokenizer.to(device), device)
        return tokenizer

    def forward(
        self,
        *batches: Union[Batch, Tensor],
        inputs: Optional[Tensor] = None,
        data_samples: Optional[list] = None,
        mode: str = 'tensor',
    ) -> Union[Dict[str, Tensor], list, Tensor]:
        """Run on one batch, or on one of each stream.

        Args:
            *batches: Batches with ``inputs`` and ``data_samples``; a tensor
                of clips or images in mode ``'tensor'``.
            inputs (Tensor, optional): Those of a single batch.
                Defaults to None.
            data_samples (list, optional): Those of a single batch.
                Defaults to None.
            mode (str): ``'loss'``, ``'predict'`` (adds the most likely tokens
                of all positions and their probabilities to the samples) or
                ``'tensor'`` (scores all positions, nothing hidden).
                Defaults to 'tensor'.

        Returns:
            Dict[str, Tensor] | list | Tensor: Losses, samples or scores.
        """
        if inputs is not None:
            batches = (dict(inputs=inputs, data_samples=data_samples),)
        if mode == 'loss':
            return self.loss(batches)
        if mode == 'predict':
            return [s for batch in batches for s in self.predict(batch)]
        if mode != 'tensor':
            raise ValueError(
                f"mode='{mode}': choose 'loss', 'predict' or 'tensor'."
            )
        x = batches[0]
        return self.cls_head(
            self.backbone(_clips(x if isinstance(x, Tensor) else x['inputs']))
        )

    def loss(self, batches: Tuple[Batch, ...]) -> Dict[str, Tensor]:
        """Sum up the streams of a step; a batch of each at most."""
        losses: Dict[str, Tensor] = {}
        for batch in batches:
            stream, x, mask, ids = self.read(batch)
            if f'loss_cls_{STREAM_NAMES[stream]}' in losses:
                raise ValueError(
                    f'This step has two batches of the {stream} stream; give '
                    'train_cfg.other_loaders the other one.'
                )
            losses.update(
                self.cls_head.loss(self.backbone(x, mask), ids, stream)
            )
        self._check_streams(losses)
        return losses

    def read(self, batch: Batch) -> Tuple[str, Tensor, Tensor, Tensor]:
        """Read stream, inputs, mask and targets (K,) of a batch."""
        x, samples = _clips(batch['inputs']), batch['data_samples']
        stream = self.backbone.stream_of(x)
        mask = _stack(samples, 'mask', stream)  # (B, T', H, W), or (B, H, W)
        return stream, x, mask, self.targets(samples, mask, stream)

    def _check_streams(self, losses: Dict[str, Tensor]) -> None:
        """Reject a missing stream before DistributedDataParallel hangs."""
        missing = [
            stream
            for stream in self.backbone.streams
            if f'loss_cls_{STREAM_NAMES[stream]}' not in losses
        ]
        if not losses or (missing and get_world_size() > 1):
            raise ValueError(
                f'This step has no batch of {missing}; add its loader '
                '(train_cfg.other_loaders), or leave it out of '
                'backbone.streams.'
            )

    def targets(self, samples: list, mask: Tensor, stream: str) -> Tensor:
        """Tokenize masked positions, (K,)."""
        span = self.backbone.span if stream == 'video' else 1
        mask = mask.repeat_interleave(span, 1) if span > 1 else mask
        mask = mask.flatten(0, -3)  # (M, h, w), M pictures
        view = _stack(samples, 'view', stream).flatten(0, -4)  # (M, 3, H, W)
        return self.tokenizer_on(view.device).tokenize_at(view, mask)

    @torch.no_grad()
    def predict(self, batch: Batch) -> list:
        """Add ``pred_tokens`` and ``pred_probs`` to the samples.

        Both are ``(T, h, w)``, with one frame for an image. What the samples'
        ``mask`` covers is hidden from the model.
        """
        x, samples = _clips(batch['inputs']), batch['data_samples']
        stream = self.backbone.stream_of(x)
        mask = _stack(samples, 'mask', stream)  # (B, T', H, W), or (B, H, W)
        rows = self.backbone(x, mask, dense=True)  # (B*T*h*w, D)
        probs, ids = self.cls_head(rows).softmax(-1).max(-1)  # (B*T*h*w,)
        shape = (len(x), -1, *self.backbone.mask_grid)
        for sample, prob, token in zip(
            samples, probs.view(shape), ids.view(shape)
        ):
            sample.set_field(token, 'pred_tokens')
            sample.set_field(prob, 'pred_probs')
        return samples


def _clips(inputs: Tensor) -> Tensor:
    """Join samples and their clips: (B, 1, 3, T, H, W) to (B, 3, T, H, W)."""
    return inputs.flatten(0, 1) if inputs.ndim == 6 else inputs


def _stack(samples: List[Any], key: str, stream: str) -> Tensor:
    """Stack a field of all samples."""
    if not samples:
        raise ValueError(f'The batch of the {stream} stream is empty.')
    without = [i for i, sample in enumerate(samples) if key not in sample]
    if without:
        hints = dict(mask='TubeMask or BlockMask', view='TokenizerView')
        raise ValueError(
            f'Samples {without[:8]} of the {stream} stream have no `{key}`; '
            f'add {hints.get(key, key)} to their pipeline and name it in '
            'PackActionInputs.algorithm_keys.'
        )
    return torch.stack([sample.get(key) for sample in samples])


def _drop_foreign(
    module: BEVTPretrainer, state_dict: dict, prefix: str, *args: Any
) -> None:
    """Drop what official checkpoints hold besides the model."""
    tokenizer = f'{prefix}cls_head.vae_encoder.'
    for name in list(state_dict):
        if name.endswith(FOREIGN) or name.startswith(tokenizer):
            del state_dict[name]
