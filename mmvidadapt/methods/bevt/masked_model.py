"""Base class of the backbones that predict masked tokens."""

from abc import abstractmethod
from typing import Any, Optional, Sequence, Tuple, Union

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmvidadapt.trunks.parts.lean_block import learns
from mmvidadapt.utils.check_choices import check_choices
from mmvidadapt.weights.load_hooks import refuse_unfit

from .masked_rows import MaskedRows, masked_rows

STREAMS = ('video', 'image')


class MaskedModel(BaseModule):
    """Backbone that sees part of a clip or an image and describes the rest.

    Subclasses say how inputs become features (:meth:`encode`) and how
    features become rows (:meth:`decode`), and set ``mask_grid``, height and
    width of a mask.

    Args:
        img_size (int | Tuple[int, int]): Height and width in pixels.
        num_frames (int): Number of frames T of a clip.
        span (int): Frames that a token of a clip spans; T' = T / span.
        streams (Sequence[str]): What is trained on: ``'video'``, ``'image'``
            or both.
        with_cp (bool): Whether the backward pass computes the blocks again
            instead of keeping their activations.
        lean (bool): Whether it computes and keeps as little as it can, in
            place of its equation; the numbers are the same.
        pretrained (str, optional): Alias, URL or path of weights.
        init_cfg (dict, optional): As in mmengine.
    """

    mask_grid: Tuple[int, int]

    reads = 'masked clips'

    def __init__(
        self,
        img_size: Union[int, Tuple[int, int]],
        num_frames: int,
        span: int,
        streams: Sequence[str],
        with_cp: bool,
        lean: bool,
        pretrained: Optional[str],
        init_cfg: Optional[dict],
    ) -> None:
        super().__init__(init_cfg)
        self.register_load_state_dict_pre_hook(refuse_unfit)
        check_choices('streams', streams, STREAMS)
        square = isinstance(img_size, int)
        self.img_size = (img_size, img_size) if square else tuple(img_size)
        if num_frames < span or num_frames % span:
            raise ValueError(
                f'num_frames={num_frames} is not a multiple of {span}, the '
                'frames of a patch.'
            )
        self.num_frames, self.span = num_frames, span
        self.streams, self.with_cp = tuple(streams), with_cp
        self.lean, self.pretrained = lean, pretrained

    @abstractmethod
    def encode(self, x: Tensor, mask: Optional[Tensor], stream: str) -> Any:
        """Encode what the mask (B, T', h, w) leaves."""

    @abstractmethod
    def decode(
        self, features: Any, rows: Optional[MaskedRows], stream: str
    ) -> Tensor:
        """Decode the rows that a mask asks for, or all of them, (K, D)."""

    def forward(
        self, x: Tensor, mask: Optional[Tensor] = None, dense: bool = False
    ) -> Tensor:
        """Encode what is left of clips or images and decode what is masked.

        Args:
            x (Tensor): Normalised clips ``(B, 3, T, H, W)`` or images
                ``(B, 3, H, W)``.
            mask (Tensor, optional): What is hidden, bool: ``(B, T', h, w)``
                for clips, ``(B, h, w)`` for images.
                Defaults to None: nothing, and all tokens are decoded.
            dense (bool): Whether all tokens are decoded instead of the masked
                ones. Defaults to False.

        Returns:
            Tensor: Normed rows ``(K, D)`` in row-major order of the mask at
            the rate of frames: a token of a clip is ``span`` rows.
        """
        stream = self.stream_of(x)
        mask = self._check_mask(x, mask, stream)  # (B, T', h, w)
        rows, span = None, self.span if stream == 'video' else 1
        if mask is not None and not dense:
            rows = masked_rows(mask, span)
        features = self.encode(x, mask, stream)
        return self.decode(features, rows, stream)  # (K, D)

    def stream_of(self, x: Tensor) -> str:
        """Recognize clips (B, 3, T, H, W) and images (B, 3, H, W)."""
        stream = {5: 'video', 4: 'image'}.get(x.ndim)
        sizes = dict(
            video=(3, self.num_frames, *self.img_size),
            image=(3, *self.img_size),
        )
        wanted = {name: sizes[name] for name in self.streams}
        if stream not in wanted or tuple(x.shape[1:]) != wanted[stream]:
            expected = ' or '.join(
                f'(B, {str(size)[1:]}' for size in wanted.values()
            )
            raise ValueError(
                f'{type(self).__name__} with streams={self.streams} expects '
                f'{expected}, not {tuple(x.shape)}; set streams, num_frames '
                'or img_size, or clip_len and the crop.'
            )
        return stream

    def _times(self, stream: str) -> int:
        """Return the length T' of a mask."""
        return self.num_frames // self.span if stream == 'video' else 1

    def _check_mask(
        self, x: Tensor, mask: Optional[Tensor], stream: str
    ) -> Optional[Tensor]:
        """Check a mask; add an axis of time to an image's, (B, T', h, w)."""
        if mask is None:
            return None
        times = (self._times(stream),) if stream == 'video' else ()
        wanted = (len(x), *times, *self.mask_grid)
        if tuple(mask.shape) != wanted or mask.dtype != torch.bool:
            raise ValueError(
                f'The mask of the {stream} stream is {tuple(mask.shape)} of '
                f'{mask.dtype}, and {type(self).__name__} wants {wanted} of '
                'torch.bool; set the sizes of the mask transform.'
            )
        return mask if stream == 'video' else mask[:, None]  # (B, 1, h, w)

    def run_block(self, block: nn.Module, x: Tensor, *args: Any) -> Tensor:
        """Run a block, keeping only its input for backward if asked to."""
        if self.with_cp and learns(block, x):
            return checkpoint(block, x, *args, use_reentrant=False)
        return block(x, *args)
