"""mmaction2's recogniser, made to know the names of other checkpoints."""

from typing import Any, Callable

from mmaction.models.recognizers import Recognizer3D


class RenamingRecognizer(Recognizer3D):
    """Recognizer3D that renames a checkpoint before anything is loaded.

    A subclass sets ``rename``, which changes a whole state dict in place and
    leaves others than its own alone.

    Args:
        **recognizer: Passed on to
            :class:`mmaction.models.recognizers.Recognizer3D`.
    """

    rename: Callable[[dict], None]

    def __init__(self, **recognizer: Any) -> None:
        super().__init__(**recognizer)
        self.register_load_state_dict_pre_hook(_rename)


def _rename(
    module: RenamingRecognizer, state_dict: dict, prefix: str, *args: Any
) -> None:
    """Rename what is loaded into the recogniser, not into what holds it."""
    if not prefix:
        module.rename(state_dict)
