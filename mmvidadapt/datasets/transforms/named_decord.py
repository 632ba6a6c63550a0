"""Decoding whose errors name the video."""

from mmaction.datasets.transforms import DecordDecode, DecordInit
from mmaction.registry import TRANSFORMS

from mmvidadapt.utils.video import name_video


@TRANSFORMS.register_module()
class NamedDecordInit(DecordInit):
    """Open a video; where mmaction2 says what failed, say of which file.

    The arguments are those of ``DecordInit``.
    """

    def transform(self, results: dict) -> dict:
        """Open the video ``filename``."""
        with name_video(results['filename']):
            return super().transform(results)


@TRANSFORMS.register_module()
class NamedDecordDecode(DecordDecode):
    """Decode frames; where mmaction2 says what failed, say of which file.

    The arguments are those of ``DecordDecode``.
    """

    def transform(self, results: dict) -> dict:
        """Decode the frames ``frame_inds`` of the video ``filename``."""
        with name_video(results['filename']):
            return super().transform(results)
