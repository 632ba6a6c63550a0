"""mmaction2's recognizer that knows the official names of ViViT."""

from mmaction.registry import MODELS

from ..recognizer import AdaptedRecognizer


@MODELS.register_module()
class ViViTRecognizer(AdaptedRecognizer):
    """Recognizer3D that whole checkpoints of others fit by path alone.

    Scenic's (msgpack) and Hugging Face's (safetensors or bin): backbone and
    classifier stand side by side in them, under names of their own.

    Arguments are those of :class:`AdaptedRecognizer`.
    """
