"""mmaction2's recogniser that knows the official names of DualPath."""

from typing import Any

from mmaction.models.recognizers import Recognizer3D
from mmaction.registry import MODELS

from mmvidadapt.weights import rename_dualpath_


@MODELS.register_module()
class DualPathRecognizer(Recognizer3D):
    """Recognizer3D that checkpoints of the official DualPath fit by path.

    Their classifier lies inside the image tower, beside a text tower that
    nothing reads; only the recogniser sees all of it.

    Args:
        **recognizer: Passed on to
            :class:`mmaction.models.recognizers.Recognizer3D`.
    """

    def __init__(self, **recognizer: Any) -> None:
        super().__init__(**recognizer)
        self.register_load_state_dict_pre_hook(_rename)


def _rename(
    module: DualPathRecognizer, state_dict: dict, prefix: str, *args: Any
) -> None:
    """Rename before anything is loaded."""
    if not prefix:
        rename_dualpath_(state_dict)
