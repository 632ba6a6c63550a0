"""Count what a published trunk has and costs, at full size."""

from typing import Any, Dict, NamedTuple, Tuple

import torch
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope

from mmvidadapt.trunks.swin import SwinTrunk
from mmvidadapt.trunks.table import TRUNKS

from .complexity import count_flops, count_params

# A class that is the trunk and nothing else, and the frames that it is given.
PLAIN: Dict[str, Tuple[Any, int]] = dict(
    vit=('ImageViT', 1),
    vivit=('ViViT', 32),
    vivit_fe=('ViViTFactorisedEncoder', 32),
    swin=(SwinTrunk, 32),
    video_swin=('BEVTVideoSwin', 32),
    vjepa=('VJEPA2', 16),
)


class Cost(NamedTuple):
    """Parameters of a trunk and multiply-accumulates of a frame."""

    params: int
    macs: int


def trunk_cost(name: str, img_size: int) -> Cost:
    """Count parameters and operations of a trunk, without computing any.

    Args:
        name (str): Name in :data:`~mmvidadapt.trunks.table.TRUNKS`.
        img_size (int): Height and width of a frame.

    Returns:
        Cost: Parameters, and multiply-accumulates of a frame, all its tokens
        to the end: of video trunks those of a clip by the number of its
        frames, 32 of ViViT and Swin, 16 of V-JEPA.
    """
    kind, frames = PLAIN[TRUNKS[name].family]
    config = dict(trunk=name, img_size=img_size, pretrained=None)
    # mmaction2's Video Swin reads values of tensors that it makes.
    device = 'cpu' if kind == 'BEVTVideoSwin' else 'meta'
    scope = DefaultScope.overwrite_default_scope('mmaction')
    with scope, torch.device(device):
        model = MODELS.build(dict(config, type=kind))
    shape = (1, 3, frames, img_size, img_size)
    macs = count_flops(model, shape, as_published=True) // frames
    return Cost(count_params(model).total, macs)
