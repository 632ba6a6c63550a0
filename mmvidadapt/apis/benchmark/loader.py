"""Time the input pipeline of a config, beside mmaction2's decoding."""

import copy
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

import torch
from mmaction.registry import DATASETS
from mmcv.transforms import Compose
from mmengine.config import Config, ConfigDict

from mmvidadapt.datasets.wrappers import inner_config
from mmvidadapt.utils.random_seed import seed_everything

STOCK = {'Init': dict(type='DecordInit'), 'Decode': dict(type='DecordDecode')}
# What to do where a step takes most of the time.
ADVICE = {
    'Decode': 'Re-encode the videos once, smaller and with key frames close '
    'together: python tools/transcode.py LIST OUT',
    'Init': 'Opening takes longer than decoding: cut long videos into clips, '
    'or join the files of a slow storage.',
    'Augment': 'Draw fewer operations, or augment smaller frames: put the '
    'crop and the resize before it.',
    'Resize': 'Store the videos at the size that is needed: python '
    'tools/transcode.py LIST OUT',
}
OTHERWISE = 'Give the loader more workers (num_workers).'


@dataclass
class Profile:
    """CPU seconds that some clips cost, by step of the pipeline.

    Args:
        cpu (Dict[str, float]): CPU seconds of every step, all threads.
        clips (int): How many there were. Defaults to 0.
        reading (float): Seconds in which their files were read once, before
            anything else. Defaults to 0.0.
    """

    cpu: Dict[str, float]
    clips: int = 0
    reading: float = 0.0

    @property
    def total(self) -> float:
        """CPU seconds of all steps."""
        return sum(self.cpu.values())

    @property
    def bottleneck(self) -> str:
        """The step that takes most."""
        return max(self.cpu, key=self.cpu.get)

    def run(self, pipeline: Compose, sample: dict, count: bool) -> dict:
        """Pass a clip through all steps, and add what it costs."""
        for number, step in enumerate(pipeline.transforms):
            begin = time.process_time()
            sample = step(sample)
            if count:
                name = f'{number} {type(step).__name__}'
                self.cpu[name] += time.process_time() - begin
        self.clips += count
        return sample


def stock_steps(pipeline: Sequence[dict]) -> List[dict]:
    """Replace our steps that open and decode by mmaction2's own.

    Args:
        pipeline (Sequence[dict]): Of a config.

    Returns:
        List[dict]: The same with ``DecordInit`` and ``DecordDecode``.
    """
    steps = []
    for step in pipeline:
        ends = [s for end, s in STOCK.items() if step['type'].endswith(end)]
        steps.append(dict(ends[0]) if ends else step)
    return steps


def _dataset_config(
    cfg: Config,
    split: str,
    ann_file: Optional[str],
    data_root: Optional[str],
) -> ConfigDict:
    """Return the config of the data set, with another list if one is given."""
    described = inner_config(cfg[f'{split}_dataloader'].dataset)
    described = copy.deepcopy(described)
    if ann_file is not None:
        described.ann_file = ann_file
    if data_root is not None:
        described.data_prefix = dict(video=data_root)
    return described


def compare_with_stock(
    cfg: Config,
    split: str = 'train',
    ann_file: Optional[str] = None,
    data_root: Optional[str] = None,
    clips: int = 32,
    seed: int = 0,
) -> Tuple[Dict[str, Profile], Dict[str, float]]:
    """Read the same clips with both pipelines, in turns, in this process.

    Args:
        cfg (Config): With ``{split}_dataloader``.
        split (str): ``'train'``, ``'val'`` or ``'test'``.
            Defaults to ``'train'``.
        ann_file (str, optional): List in the place of the config's.
            Defaults to None.
        data_root (str, optional): Folder of its videos. Defaults to None.
        clips (int): How many are read; a short list is read again.
            Defaults to 32.
        seed (int): Of what the pipelines draw. Defaults to 0.

    Returns:
        Tuple[Dict[str, Profile], Dict[str, float]]: The profiles ``stock``
        and ``own``, and the ``mean`` and the ``max`` difference of pixels.
    """
    described = _dataset_config(cfg, split, ann_file, data_root)
    dataset = DATASETS.build(described)
    pipelines = dict(
        stock=Compose(stock_steps(described.pipeline)),
        own=Compose(described.pipeline),
    )
    profiles = {name: Profile(Counter()) for name in pipelines}
    apart = []
    for number in range(-1, clips):  # the first one warms up
        sample, made = dataset.get_data_info(number % len(dataset)), {}
        if number >= 0:
            profiles['own'].reading += seconds_to_read(sample['filename'])
        for name, pipeline in pipelines.items():
            seed_everything(seed, max(number, 0))
            made[name] = profiles[name].run(
                pipeline, copy.deepcopy(sample), number >= 0
            )
        apart.append(difference(made['stock'], made['own']))
    means, tops = zip(*apart)
    return profiles, dict(mean=sum(means) / len(means), max=max(tops))


def seconds_to_read(path: str) -> float:
    """Time the storage."""
    start = time.perf_counter()
    Path(path).read_bytes()
    return time.perf_counter() - start


def difference(one: dict, other: dict) -> Tuple[float, float]:
    """Compare what two pipelines made of a clip; return mean and maximum."""
    pixels = [sample['inputs'].to(torch.float32) for sample in (one, other)]
    apart = (pixels[0] - pixels[1]).abs()
    return apart.mean().item(), apart.max().item()


def advise(profile: Profile) -> str:
    """Name the bottleneck, and say what to do about it.

    Args:
        profile (Profile): Of the own pipeline.

    Returns:
        str: Sentences.
    """
    if profile.reading > profile.total:
        return (
            'Bottleneck: the storage, reading the files takes '
            f'{profile.reading / profile.total:.1f} times as long as all '
            'steps. Copy the videos to a faster disk, or give the loader more '
            'workers (num_workers).'
        )
    name = profile.bottleneck
    ways = [way for key, way in ADVICE.items() if key in name]
    return (
        f'Bottleneck: {name.split()[1]}, '
        f'{profile.cpu[name] / profile.total:.0%} of the CPU time. '
        f'{(ways or [OTHERWISE])[0]}'
    )
