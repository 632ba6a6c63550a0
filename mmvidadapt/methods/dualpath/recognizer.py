"""mmaction2's recognizer that knows the official names of DualPath."""

from mmaction.registry import MODELS

from ..recognizer import AdaptedRecognizer


@MODELS.register_module()
class DualPathRecognizer(AdaptedRecognizer):
    """Recognizer3D that checkpoints of the official DualPath fit by path.

    Their classifier lies inside the image tower, beside a text tower that
    nothing reads; only the recognizer sees all of it.

    Arguments are those of :class:`AdaptedRecognizer`.
    """
