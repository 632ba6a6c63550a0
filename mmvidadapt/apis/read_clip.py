"""Read a video as a recogniser wants it."""

from pathlib import Path
from typing import Union

from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import init_default_scope
from torch import nn

from mmvidadapt.utils.video import name_video


def read_clip(model: nn.Module, video: Union[str, Path]) -> dict:
    """Read and normalise a video as a recogniser wants it."""
    init_default_scope(model.cfg.get('default_scope', 'mmaction'))
    pipeline = Compose(model.cfg.test_pipeline)
    said = dict(filename=str(video), label=-1, start_index=0, modality='RGB')
    with name_video(video):
        data = pipeline(said)
    return model.data_preprocessor(pseudo_collate([data]), False)
