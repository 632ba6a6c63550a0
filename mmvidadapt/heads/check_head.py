"""Refuse heads of mmaction2 that cannot read what our backbones give."""

from typing import Dict, Optional

from mmaction.models.heads import (
    MViTHead,
    RGBPoseHead,
    SlowFastHead,
    TimeSformerHead,
    TRNHead,
    TSMHead,
    TSNHead,
    UniFormerHead,
)
from mmaction.models.recognizers import BaseRecognizer, Recognizer2D
from torch import nn
from torch.nn.modules.module import register_module_module_registration_hook

from mmvidadapt.trunks.follow_trunk import compare_entry

FRAMES = 'the frames of a Recognizer2D one by one'
VECTORS = 'vectors (N, C)'
# What the heads read that cannot read features (N, C, T, H, W).
READ: Dict[type, str] = {
    TSNHead: FRAMES,
    TSMHead: FRAMES,
    TRNHead: FRAMES,
    TimeSformerHead: VECTORS,
    UniFormerHead: VECTORS,
    MViTHead: 'the stages of an MViT',
    SlowFastHead: 'a slow and a fast pathway',
    RGBPoseHead: 'a pathway of frames and one of poses',
}
USE = "'Float32I3DHead' (mmaction2's I3DHead with scores in float32)"


def check_head(model: nn.Module, name: str, head: Optional[nn.Module]) -> None:
    """Refuse a head, or a recognizer, that cannot read a backbone of ours.

    PyTorch calls this whenever a module becomes a part of another: mmaction2
    builds the head of a recognizer after its backbone, and lets no backbone
    know what comes behind it.

    Args:
        model (nn.Module): What gets a part; only recognizers are looked at.
        name (str): Of the part; only ``cls_head`` is looked at.
        head (nn.Module, optional): The part.

    Raises:
        ValueError: If the head would fail, with what to use instead.
    """
    if name != 'cls_head' or not isinstance(model, BaseRecognizer):
        return
    backbone = model._modules.get('backbone')
    kind = type(backbone).__name__
    reads = getattr(backbone, 'reads', None)  # only ours say it
    if reads == 'masked clips':
        raise ValueError(
            f"{kind} is for pretraining: use model.type='BEVTPretrainer', and "
            "backbone.type='BEVTVideoSwin' to fine-tune its weights."
        )
    if reads != 'clips':
        return
    if isinstance(model, Recognizer2D):
        raise ValueError(
            f'{kind} reads clips (N, 3, T, H, W), and Recognizer2D gives it '
            "frames one by one: use model.type='Recognizer3D', "
            "FormatShape with input_format='NCTHW' and data_preprocessor "
            "with format_shape='NCTHW'."
        )
    _check_pixels(model, backbone)
    for wrong, wanted in READ.items():
        if isinstance(head, wrong) and type(head).forward is wrong.forward:
            raise ValueError(
                f'{kind} gives features (N, C, T, H, W), and '
                f'{type(head).__name__} reads {wanted}: use cls_head.type='
                f'{_advice(backbone)}.'
            )


def _check_pixels(model: BaseRecognizer, backbone: nn.Module) -> None:
    """Refuse pixels that are not normalized as the backbone's trunk wants."""
    row, pixels = getattr(backbone, 'published', None), model.data_preprocessor
    if row is None or row.mean is None or not hasattr(pixels, 'to_float32'):
        return
    for key in ('mean', 'std'):
        wanted, given = list(getattr(row, key)), getattr(pixels, key, None)
        if given is None:
            raise ValueError(
                f'{type(model).__name__} does not normalize pixels for the '
                f"trunk {row.name!r}: use model.type='AdaptedRecognizer', "
                'which fills in what follows from the trunk, or set '
                f'data_preprocessor.{key}={wanted}.'
            )
        if not given.is_meta:  # else it has no values
            given = given.flatten().tolist()
            compare_entry(type(pixels).__name__, key, given, wanted, row)


def _advice(backbone: nn.Module) -> str:
    """Name the heads that read a backbone."""
    own = getattr(backbone, 'own_head', None)
    return f"'{own}' or {USE}" if own else USE


register_module_module_registration_hook(check_head)
