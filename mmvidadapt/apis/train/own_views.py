"""How own videos are looked at: as a whole or not, mirrored or not."""

import re
from typing import List

from mmengine.config import Config, ConfigDict

from mmvidadapt.datasets.prepare.own_videos import OwnData
from mmvidadapt.datasets.prepare.video_folders import SPLITS

from .own_choices import Choices

# Videos up to here, ten seconds or so, are seen as a whole.
LONG = 256
SIDED = r'left|right|c?cw|(anti|counter)?[ _-]?clockwise'


def seen_as_a_whole(data: OwnData, choices: Choices) -> bool:
    """Check whether frames are spread over the whole video."""
    if choices.sampling is None:
        return data.median_frames < LONG
    return choices.sampling == 'whole'


def may_flip(data: OwnData, choices: Choices) -> bool:
    """Check whether a mirrored video has the same label."""
    return not sided(data.classes) if choices.flip is None else choices.flip


def sided(classes: List[str]) -> List[str]:
    """Return the classes that mean something else in a mirror."""
    pattern = rf'(?<![a-z])({SIDED})(?![a-z])'
    return [name for name in classes if re.search(pattern, name.lower())]


def _pipelines(cfg: Config) -> List[List[ConfigDict]]:
    """Return the steps of all loaders."""
    return [cfg[f'{split}_dataloader'].dataset.pipeline for split in SPLITS]


def see_the_whole(cfg: Config) -> None:
    """Spread the frames over the video, one view each.

    Args:
        cfg (Config): A config; it is changed.
    """
    for split, steps in zip(SPLITS, _pipelines(cfg)):
        place = next(i for i, s in enumerate(steps) if 'Sample' in s.type)
        steps[place] = ConfigDict(
            type='MidpointUniformSample', clip_len=steps[place].clip_len
        )
        if split != 'train':
            steps[place].test_mode = True


def drop_steps(cfg: Config, kind: str) -> None:
    """Take the steps of a type out of the pipelines.

    Args:
        cfg (Config): A config; it is changed.
        kind (str): The type.
    """
    for steps in _pipelines(cfg):
        steps[:] = [step for step in steps if step.type != kind]
