"""Features of a frozen trunk, read from disk in place of videos."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, Optional, Sequence, Tuple

import numpy as np
import torch
from mmaction.registry import DATASETS
from mmaction.structures import ActionDataSample
from torch.utils.data import Dataset

from mmvidadapt.models.layers.packing import PackSizes, pack

META = 'cache.json'
DONE, LABELS = 'done.npy', 'labels.npy'


@dataclass(frozen=True)
class CacheMeta:
    """What a cache holds, and of what.

    Args:
        trunk (str): Hash of the trunk's weights.
        data (str): Hash of the data set, its pipeline and normalisation.
        clips (int): Number of videos.
        views (int): Clips and crops of each.
        shard (int): Videos of a file.
        layers (int): Tapped blocks.
        frames (int): Frames of a clip.
        patches (int): Patches of a frame.
        dims (int): Channels.
        motion (bool): Whether attention between neighbours is there, too.
    """

    trunk: str
    data: str
    clips: int
    views: int
    shard: int
    layers: int
    frames: int
    patches: int
    dims: int
    motion: bool

    @property
    def sizes(self) -> PackSizes:
        """What one view holds."""
        values = asdict(self)
        return PackSizes(**{name: values[name] for name in PackSizes._fields})

    @property
    def shapes(self) -> Dict[str, Tuple[int, ...]]:
        """Shapes of one video's arrays."""
        shapes = dict(maps=(self.views, *self.sizes.maps))
        if self.motion:
            shapes['attention'] = (self.views, *self.sizes.attention)
        return shapes

    @property
    def bytes(self) -> int:
        """Bytes of all arrays, in half precision."""
        each = sum(int(np.prod(shape)) for shape in self.shapes.values())
        return 2 * each * self.clips

    def write(self, folder: Path) -> None:
        """Write it down."""
        text = json.dumps(asdict(self), indent=2)
        (folder / META).write_text(text + '\n')

    @classmethod
    def read(cls, folder: Path) -> 'CacheMeta':
        """Read what :meth:`write` wrote."""
        path = Path(folder) / META
        if not path.is_file():
            raise FileNotFoundError(
                f'{path} does not exist: {folder} is no feature cache. Make '
                'one with tools/cache_features.py.'
            )
        return cls(**json.loads(path.read_text()))

    def check(self, folder: Path, **wanted: Any) -> None:
        """Raise where the cache is of something else than what is wanted."""
        for name, value in wanted.items():
            own = getattr(self, name)
            if own != value:
                raise ValueError(
                    f'The features in {folder} have {name}={own}, but '
                    f'{name}={value} is asked for. Cache them again, into '
                    'another folder, or use the config that they are of.'
                )


def data_key(dataset: dict, preprocessor: Optional[dict]) -> str:
    """Hash everything that decides which pixels the trunk sees.

    Args:
        dataset (dict): Config of the data set, pipeline included.
        preprocessor (dict, optional): Config of the data preprocessor.

    Returns:
        str: SHA-256 of both and of the annotation file.
    """
    said = json.dumps([dataset, preprocessor], sort_keys=True, default=str)
    digest = hashlib.sha256(said.encode())
    annotations = Path(str(dataset.get('ann_file', '')))
    if annotations.is_file():
        digest.update(annotations.read_bytes())
    return digest.hexdigest()


def open_shard(
    folder: Path, kind: str, index: int, meta: CacheMeta, create: bool = False
) -> np.ndarray:
    """Map the file that holds a video, writable when it is being made."""
    number = index // meta.shard
    path = folder / f'{kind}-{number:05d}.npy'
    if path.is_file() or not create:
        return np.load(path, mmap_mode='r+' if create else 'r')
    videos = min(meta.shard, meta.clips - number * meta.shard)
    return np.lib.format.open_memmap(
        path, 'w+', np.float16, (videos, *meta.shapes[kind])
    )


@DATASETS.register_module()
class CachedFeatures(Dataset):
    """A data set whose clips have been through a frozen trunk already.

    Made by ``tools/cache_features.py``, which also writes the config that
    reads it. Every row carries the hash of its trunk, which the model checks.

    Args:
        folder (str): The cache.
        dataset (dict): Config of the data set that was cached; checked, not
            built.
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
        self.meta.check(folder, data=data_key(dataset, preprocessor))
        self.metainfo: dict = {}
        done = int(np.load(self.folder / DONE).sum())
        if done != self.meta.clips:
            raise ValueError(
                f'{folder} holds {done} of {self.meta.clips} videos; run '
                'tools/cache_features.py again, it goes on where it stopped.'
            )
        # As the pipeline left them: a flip may exchange classes.
        self.labels = np.load(self.folder / LABELS)
        self.layers = decoder_num_layers or self.meta.layers
        if self.layers > self.meta.layers:
            self.meta.check(folder, layers=self.layers)
        self.motion = motion and self.meta.motion
        self.indices = range(self.meta.clips) if indices is None else indices

    def __len__(self) -> int:
        """Count the videos."""
        return len(self.indices)

    def __getitem__(self, index: int) -> dict:
        """Give the rows of all views of a video, (views, numbers)."""
        index = self.indices[index]
        maps = self._read('maps', index)
        attention = torch.empty(len(maps), 0)
        if self.motion:
            attention = self._read('attention', index)
        rows = [pack(*pair, self.meta.trunk) for pair in zip(maps, attention)]
        sample = ActionDataSample()
        sample.set_gt_label(int(self.labels[index]))
        return dict(inputs=torch.stack(rows), data_samples=sample)

    def _read(self, kind: str, index: int) -> torch.Tensor:
        """Read what is used of one array, (views, layers, ...)."""
        shard = open_shard(self.folder, kind, index, self.meta)
        part = shard[index % self.meta.shard][:, -self.layers :]
        return torch.from_numpy(np.array(part))
