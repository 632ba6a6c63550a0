"""Make a config read folders of frames instead of videos."""

from typing import List

from mmengine.config import Config, ConfigDict

from mmvidadapt.datasets.prepare.own_videos import OwnData
from mmvidadapt.datasets.prepare.video_folders import SPLITS


def use_frames(cfg: Config, data: OwnData) -> None:
    """Read frames through mmaction2's ``RawframeDataset`` in all loaders.

    Args:
        cfg (Config): It reads videos; it is changed in place.
        data (OwnData): Folders of frames.
    """
    template, first = data.frames
    for split in SPLITS:
        dataset = cfg[f'{split}_dataloader'].dataset
        dataset.pop('max_bad_ratio', None)
        dataset.type = 'RawframeDataset'
        dataset.filename_tmpl, dataset.start_index = template, first
        dataset.data_prefix = ConfigDict(img=str(data.root.absolute()))
        dataset.pipeline = frame_steps(dataset.pipeline)


def frame_steps(steps: List[ConfigDict]) -> List[ConfigDict]:
    """Decode frames where videos were opened and decoded.

    Args:
        steps (List[ConfigDict]): A pipeline for videos.

    Returns:
        List[ConfigDict]: The same for folders of frames.
    """
    decode = ConfigDict(type='RawFrameDecode')
    return [
        decode if step.type.endswith('Decode') else step
        for step in steps
        if not step.type.endswith('Init')
    ]
