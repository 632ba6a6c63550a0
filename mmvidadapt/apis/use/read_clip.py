"""Read a video as a recognizer wants it."""

from pathlib import Path
from typing import Union

from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import init_default_scope
from torch import nn

from mmvidadapt.trunks.parts.segments import segments_of
from mmvidadapt.utils.video import name_video

from .window_clips import WindowClips, step_name
from .windows import Span


def read_clip(model: nn.Module, video: Union[str, Path]) -> dict:
    """Read and normalise a video as a recognizer wants it.

    Args:
        model (nn.Module): The recognizer, with its config as ``cfg``.
        video (str | Path): The video.

    Returns:
        dict: A batch of one, for ``model(**batch, mode='predict')``.

    Raises:
        VideoError: If the video cannot be opened or decoded.
    """
    init_default_scope(model.cfg.get('default_scope', 'mmaction'))
    steps = list(model.cfg.test_pipeline)
    names = [step_name(step) for step in steps]
    if all(any(n.endswith(e) for n in names) for e in ('Init', 'Decode')):
        clips = WindowClips(steps, video, segments_of(model))
        (data,) = clips.clips([Span(0, clips.info.num_frames)])
    else:  # steps of somebody else, who reads in one of them
        said = dict(filename=str(video), label=-1, start_index=0)
        with name_video(video):
            data = Compose(steps)(dict(said, modality='RGB'))
    return model.data_preprocessor(pseudo_collate([data]), False)
