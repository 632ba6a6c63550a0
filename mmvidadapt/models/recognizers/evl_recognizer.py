"""mmaction2's recogniser that knows the official names of EVL."""

from typing import Any

from mmaction.models.recognizers import Recognizer3D
from mmaction.registry import MODELS

from mmvidadapt.weights import rename_recognizer_


@MODELS.register_module()
class EVLRecognizer(Recognizer3D):
    """Recognizer3D that official checkpoints of EVL fit by path alone.

    Only the recogniser sees their names: decoder and classifier stand side by
    side in them, before any ``backbone.`` or ``cls_head.``. The trunk that
    they leave out is read from the backbone's ``pretrained``.

    Args:
        **recognizer: Passed on to
            :class:`mmaction.models.recognizers.Recognizer3D`.
    """

    def __init__(self, **recognizer: Any) -> None:
        super().__init__(**recognizer)
        self.register_load_state_dict_pre_hook(_rename)


def _rename(
    module: EVLRecognizer, state_dict: dict, prefix: str, *args: Any
) -> None:
    """Rename before anything is loaded."""
    if not prefix:
        rename_recognizer_(state_dict)
