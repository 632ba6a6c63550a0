"""Read a video as a recogniser wants it."""

from pathlib import Path
from typing import Union

from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from torch import nn

from .window_clips import WindowClips
from .windows import Span


def read_clip(model: nn.Module, video: Union[str, Path]) -> dict:
    """Read and normalise a video as a recogniser wants it.

    Args:
        model (nn.Module): The recogniser, with its config as ``cfg``.
        video (str | Path): The video.

    Returns:
        dict: A batch of one, for ``model(**batch, mode='predict')``.

    Raises:
        VideoError: If the video cannot be opened or decoded.
    """
    init_default_scope(model.cfg.get('default_scope', 'mmaction'))
    clips = WindowClips(list(model.cfg.test_pipeline), video)
    (data,) = clips.clips([Span(0, clips.info.num_frames)])
    return model.data_preprocessor(pseudo_collate([data]), False)
