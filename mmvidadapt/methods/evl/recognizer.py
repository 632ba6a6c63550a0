"""mmaction2's recognizer that knows the official names of EVL."""

from mmaction.registry import MODELS
from torch import nn

from ..recognizer import AdaptedRecognizer
from .backbone import EVL
from .block import OwnPrecisionNorm, TappedBlock
from .decoder import VideoDecoder

FSDP_UNITS = (EVL, TappedBlock, OwnPrecisionNorm, VideoDecoder)


@MODELS.register_module()
class EVLRecognizer(AdaptedRecognizer):
    """Recognizer3D that official checkpoints of EVL fit by path alone.

    Only the recognizer sees their names: decoder and classifier stand side by
    side in them, before any ``backbone.`` or ``cls_head.``. The trunk that
    they leave out is read from the backbone's ``pretrained``.

    Arguments are those of :class:`AdaptedRecognizer`.
    """


def fsdp_units(
    module: nn.Module, recurse: bool, nonwrapped_numel: int = 0
) -> bool:
    """Wrapping policy of FSDP1: every unit is of one precision.

    FSDP1 lays the parameters of a unit out as one tensor, which a trunk in
    half precision with float32 norms and decoder cannot be. Give it as
    ``auto_wrap_policy``. The head stays in the outermost unit, because its
    loss is called, not only its ``forward``.

    Args:
        module (nn.Module): Candidate.
        recurse (bool): Whether the question is to look inside.
        nonwrapped_numel (int): Unused. Defaults to 0.

    Returns:
        bool: The answer.
    """
    return recurse or isinstance(module, FSDP_UNITS)
