"""mmaction2's recogniser that knows the official names of ViViT."""

from typing import Any

from mmaction.models.recognizers import Recognizer3D
from mmaction.registry import MODELS

from mmvidadapt.weights import rename_vivit_


@MODELS.register_module()
class ViViTRecognizer(Recognizer3D):
    """Recognizer3D that whole checkpoints of others fit by path alone.

    Scenic's (msgpack) and Hugging Face's (safetensors or bin): backbone and
    classifier stand side by side in them, under names of their own.

    Args:
        **recognizer: Passed on to
            :class:`mmaction.models.recognizers.Recognizer3D`.
    """

    def __init__(self, **recognizer: Any) -> None:
        super().__init__(**recognizer)
        self.register_load_state_dict_pre_hook(_rename)


def _rename(
    module: ViViTRecognizer, state_dict: dict, prefix: str, *args: Any
) -> None:
    """Rename before anything is loaded."""
    if not prefix:
        rename_vivit_(state_dict)
