"""mmaction2's recognizer whose parts follow from the backbone's trunk."""

from copy import deepcopy
from typing import Any, Optional

from mmaction.models.recognizers import Recognizer3D
from mmaction.registry import MODELS

from mmvidadapt.trunks.follow_trunk import follow_trunk
from mmvidadapt.weights import rename_whole_


@MODELS.register_module()
class AdaptedRecognizer(Recognizer3D):
    """Recognizer3D that needs no mean, std and head width beside a trunk.

    With ``backbone.trunk`` they are filled in, and refused if they
    contradict it, see :func:`follow_trunk`. Whole models that were released
    under names that only the recognizer sees, parts side by side without
    ``backbone.`` and ``cls_head.``, fit it by path alone; the ``names.py`` of
    a method says what these names are. Otherwise, and in parameters and
    numbers, it is Recognizer3D.

    Args:
        backbone (dict): Config of the backbone.
        cls_head (dict, optional): Config of the head. Defaults to None.
        data_preprocessor (dict, optional): Config of the preprocessor.
            Defaults to None.
        **recognizer: Passed on to
            :class:`mmaction.models.recognizers.Recognizer3D`.

    Raises:
        ValueError: Where parts contradict the trunk.
    """

    def __init__(
        self,
        backbone: dict,
        cls_head: Optional[dict] = None,
        data_preprocessor: Optional[dict] = None,
        **recognizer: Any,
    ) -> None:
        parts = dict(
            backbone=backbone,
            cls_head=cls_head,
            data_preprocessor=data_preprocessor,
        )
        super().__init__(**follow_trunk(deepcopy(parts)), **recognizer)
        self.register_load_state_dict_pre_hook(_rename)


def _rename(
    module: AdaptedRecognizer, state_dict: dict, prefix: str, *args: Any
) -> None:
    """Rename what is loaded into the recognizer, not into what holds it."""
    if not prefix:
        rename_whole_(state_dict)
