"""Features of a frozen trunk, read from disk in place of videos."""

import copy
from pathlib import Path
from typing import Optional, Sequence

import numpy as np
import torch
from mmaction.registry import DATASETS
from mmaction.structures import ActionDataSample
from torch.utils.data import Dataset

from mmvidadapt.datasets.transforms import SpreadSampleFrames
from mmvidadapt.datasets.wrappers import inner_datasets
from mmvidadapt.trunks.cached.rows import pack
from mmvidadapt.utils.data_key import data_key

from .files import DONE, LABELS, CacheMeta, damaged_shards, open_shard


def build_uncached(described: dict) -> Dataset:
    """Build a data set all of whose videos have the same number of clips.

    Args:
        described (dict): Config of the data set.

    Returns:
        Dataset: The data set.
    """
    dataset = DATASETS.build(copy.deepcopy(described))
    for part in inner_datasets(dataset):
        for step in part.pipeline.transforms:
            if isinstance(step, SpreadSampleFrames):
                step.merge = False
    return dataset


@DATASETS.register_module()
class CachedFeatures(Dataset):
    """A data set whose clips have been through a frozen trunk already.

    Made by ``tools/cache_features.py``, which also writes the config that
    reads it. Every row carries the hash of its trunk, which the model checks.
    Where every video was cached in several passes, each with its own
    augmentation, one of them is drawn by NumPy whenever a video is read.

    Args:
        folder (str): The cache.
        dataset (dict): Config of the data set that was cached. It is built,
            to compare what it lists; no video is opened.
        preprocessor (dict, optional): Config of the data preprocessor that
            the trunk was given. Defaults to None.
        decoder_num_layers (int, optional): How many of the cached blocks are
            read, the last ones. Defaults to None: all.
        motion (bool): Whether the attention between neighbours is read,
            where there is one. Defaults to True.
        indices (Sequence[int], optional): Which videos are read, a fold, say.
            Defaults to None: all.

    Raises:
        ValueError: If the cache is of other data, or not complete.
    """

    def __init__(
        self,
        folder: str,
        dataset: dict,
        preprocessor: Optional[dict] = None,
        decoder_num_layers: Optional[int] = None,
        motion: bool = True,
        indices: Optional[Sequence[int]] = None,
    ) -> None:
        self.folder = Path(folder)
        self.meta = CacheMeta.read(self.folder)
        built = DATASETS.build(copy.deepcopy(dataset))
        key = data_key(dataset, preprocessor, built)
        self.meta.check(folder, data=key)
        self.metainfo = dict(getattr(built, 'metainfo', {}))
        self._check_complete()
        # As the pipeline left them: a flip may exchange classes.
        self.labels = np.load(self.folder / LABELS)
        self.layers = decoder_num_layers or self.meta.layers
        if self.layers > self.meta.layers:
            self.meta.check(folder, layers=self.layers)
        self.motion = motion and self.meta.motion
        self.indices = range(self.meta.clips) if indices is None else indices

    def _check_complete(self) -> None:
        """Raise where videos or files are missing."""
        done = int(np.load(self.folder / DONE).sum())
        lost = [
            path.name for path, _ in damaged_shards(self.folder, self.meta)
        ]
        if done != self.meta.rows or lost:
            raise ValueError(
                f'{self.folder} holds {done} of {self.meta.rows} videos; '
                f'{len(lost)} files are missing or cut short {lost[:3]}. Run '
                'tools/cache_features.py again, it goes on where it stopped.'
            )

    def __len__(self) -> int:
        """Count the videos."""
        return len(self.indices)

    def __getitem__(self, index: int) -> dict:
        """Read the rows of all views of a video, (views, numbers)."""
        index = self.indices[index]
        if self.meta.passes > 1:
            index += self.meta.clips * np.random.randint(self.meta.passes)
        maps = self._read('maps', index)
        attention = torch.empty(len(maps), 0)
        if self.motion:
            attention = self._read('attention', index)
        rows = [pack(*pair, self.meta.trunk) for pair in zip(maps, attention)]
        sample = ActionDataSample()
        sample.set_gt_label(torch.from_numpy(self.labels[[index]]).flatten())
        return dict(inputs=torch.stack(rows), data_samples=sample)

    def _read(self, kind: str, index: int) -> torch.Tensor:
        """Read what is used of one array, (views, layers, ...)."""
        shard = open_shard(self.folder, kind, index, self.meta)
        part = shard[index % self.meta.shard][:, -self.layers :]
        return torch.from_numpy(np.array(part))
