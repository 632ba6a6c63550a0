"""mmaction2's recogniser that knows the official names of DualPath."""

from mmaction.registry import MODELS

from mmvidadapt.methods.dualpath.names import rename_dualpath_

from ..renaming import RenamingRecognizer


@MODELS.register_module()
class DualPathRecognizer(RenamingRecognizer):
    """Recognizer3D that checkpoints of the official DualPath fit by path.

    Their classifier lies inside the image tower, beside a text tower that
    nothing reads; only the recogniser sees all of it.

    Args:
        **recognizer: Passed on to
            :class:`mmaction.models.recognizers.Recognizer3D`.
    """

    rename = staticmethod(rename_dualpath_)
