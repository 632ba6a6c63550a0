"""BEVT's encoder and decoders, which run where the mask is set."""

from typing import List, Optional

import torch
from mmaction.registry import MODELS
from torch import Tensor

from mmvidadapt.trunks.parts.lean import Lean
from mmvidadapt.trunks.parts.linear import Linear

from .masked_rows import MaskedRows, spread_rows, upsample_rows
from .masked_swin import MaskedSwin


@MODELS.register_module()
class BEVTSwin(Lean, MaskedSwin):
    """The Video Swin that BEVT pretrains on masked clips and images.

    From `BEVT: BERT Pretraining of Video Transformers
    <https://arxiv.org/abs/2112.01529>`_ (CVPR 2022). Equal to the official
    ``SwinTransformerBEVT`` element by element, under its parameter names. An
    image is a clip of one patch frame with an embedding of its own: it goes
    through the same blocks, in windows of one frame.

    The decoders join the last stage, up-sampled, with the one before it,
    whose tokens are masked and predicted. Lean twin of :class:`MaskedSwin`:
    they run where the mask is set.

    Args:
        arch (str | dict): Name in ``ARCHS`` or a dict with ``embed_dims,
            depths, num_heads`` and, if need be, ``mlp_ratio, qk_scale,
            patch_norm``. ``'tiny'`` is a toy for tests; Swin-T is
            ``'swin-t'``. Defaults to None: the trunk's, else ``'base'``.
        img_size (int | Tuple[int, int]): Height and width in pixels.
            Defaults to None: the trunk's, else 224.
        num_frames (int): Number of frames T of a clip. Defaults to 16.
        window_size (Sequence[int]): Patch frames, height and width of a
            window in tokens. Defaults to (8, 7, 7).
        streams (Sequence[str]): What is trained on: ``'video'``, ``'image'``
            or both. Defaults to ('video', 'image').
        image_mask_mode (str): ``'official'`` forbids in all blocks of the
            image stream what its shifted windows forbid, as the official code
            does; ``'swin'`` does so in shifted blocks only, and does not
            shift where one window holds the map. Defaults to 'official'.
        drop_path_rate (float): Drop-path rate of the last block.
            Defaults to 0.0.
        with_cp (bool): Whether blocks are computed anew in the backward pass.
            Defaults to False.
        lean (bool): Whether it computes and keeps as little as it can, in
            place of its equation; the numbers are the same.
            Defaults to True.
        pretrained (str, optional): Alias, URL or path of an image Swin or of
            either stage; None: random. Defaults to '': the trunk's, else
            random.
        trunk (str | dict, optional): A word that brings sizes and weights,
            see :mod:`mmvidadapt.trunks.table`. Defaults to None.
        init_cfg (dict, optional): As in mmengine. Defaults to None.

    Raises:
        ValueError: On sizes that do not fit one another or the inputs.
    """

    Linear = Linear

    def decode(
        self, features: List[Tensor], rows: Optional[MaskedRows], stream: str
    ) -> Tensor:
        """Decode the rows that a mask asks for, (K, D) after the norm."""
        if rows is None:
            return super().decode(features, rows, stream)
        image = stream == 'image'
        up = self.fpn if image else self.fpn_s
        down = self.lm_down if image else self.lm_down_st
        fine, x = (x.flatten(0, 3) for x in features[-2:])
        x = upsample_rows(up[0], x, rows.coarse)  # (K', D)
        x = down(torch.cat([fine[rows.fine], x], dim=-1))  # (K', D)
        if not image:
            x = spread_rows(self.fpn_t[0], x)  # (K, D)
        return self.norm(x[rows.order])
