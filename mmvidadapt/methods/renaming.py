"""Rename whole official checkpoints before a recognizer loads them."""

from typing import Any

from mmvidadapt.weights import rename_whole_

from .recognizer import AdaptedRecognizer


class RenamingRecognizer(AdaptedRecognizer):
    """AdaptedRecognizer that official checkpoints of the methods fit by path.

    For methods whose files have names that only the recognizer sees: parts
    that stand side by side, without ``backbone.`` and ``cls_head.``. Their
    ``names.py`` says what these names are.

    Args:
        **recognizer: Passed on to :class:`~.recognizer.AdaptedRecognizer`.
    """

    def __init__(self, **recognizer: Any) -> None:
        super().__init__(**recognizer)
        self.register_load_state_dict_pre_hook(_rename)


def _rename(
    module: RenamingRecognizer, state_dict: dict, prefix: str, *args: Any
) -> None:
    """Rename what is loaded into the recognizer, not into what holds it."""
    if not prefix:
        rename_whole_(state_dict)
