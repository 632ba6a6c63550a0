"""Write and check the files of a feature cache, described in cache.json."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np

from mmvidadapt.trunks.cached.rows import PackSizes
from mmvidadapt.utils.whole_file import whole_file

META = 'cache.json'
DONE, LABELS = 'done.npy', 'labels.npy'
# What caches of the first edition do not mention.
FIRST_EDITION = dict(
    num_prefix_tokens=1,
    passes=1,
    label_size=1,
    label_dtype='int64',
    precision='float32',
)


@dataclass(frozen=True)
class CacheMeta:
    """Describe what a cache holds, and of what.

    Args:
        trunk (str): Hash of the trunk: weights, heads, activation, norms.
        data (str): Hash of the data set, its pipeline and normalisation.
        seed (int): Of what the pipeline draws.
        random (bool): Whether it draws anything.
        clips (int): Number of videos.
        views (int): Clips and crops of each.
        layers (int): Tapped blocks.
        frames (int): Frames of a clip.
        patches (int): Patches of a frame.
        dims (int): Channels.
        motion (bool): Whether attention between neighbours is there, too.
        num_prefix_tokens (int): Tokens before the patches, a class token.
        passes (int): How often each video was cached, every time with other
            draws of the pipeline.
        label_size (int): Numbers of a label: 1, or more of several tasks
            or classes.
        label_dtype (str): Their type.
        precision (str): In which the trunk ran.
        shard (int): Videos of a file.
    """

    trunk: str
    data: str
    seed: int
    random: bool
    clips: int
    views: int
    layers: int
    frames: int
    patches: int
    dims: int
    motion: bool
    num_prefix_tokens: int
    passes: int
    label_size: int
    label_dtype: str
    precision: str
    shard: int  # last: it follows from the others, which an error should name

    @property
    def sizes(self) -> PackSizes:
        """Sizes of the features of a view."""
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
    def rows(self) -> int:
        """Number of videos, each as often as there are passes."""
        return self.clips * self.passes

    @property
    def label_shape(self) -> Tuple[int, ...]:
        """Shape of all labels."""
        size = () if self.label_size == 1 else (self.label_size,)
        return (self.rows, *size)

    @property
    def bytes(self) -> int:
        """Bytes of all arrays, in half precision."""
        each = sum(int(np.prod(shape)) for shape in self.shapes.values())
        return 2 * each * self.rows

    def write(self, folder: Path) -> None:
        """Write it down, whole or not at all."""
        with whole_file(folder / META) as part:
            part.write_text(json.dumps(asdict(self), indent=2) + '\n')

    @classmethod
    def read(cls, folder: Path) -> 'CacheMeta':
        """Read what :meth:`write` wrote."""
        path = Path(folder) / META
        if not path.is_file():
            raise FileNotFoundError(
                f'{path} does not exist: {folder} is no feature cache. Make '
                'one with tools/cache_features.py.'
            )
        values = {**FIRST_EDITION, **json.loads(path.read_text())}
        names = fields(cls)
        if set(values) != {field.name for field in names}:
            raise ValueError(
                f'{path} has the entries {sorted(values)}, not '
                f'{sorted(field.name for field in names)}: another version '
                'wrote it. Cache the features again, into another folder.'
            )
        return cls(**values)

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


def shard_path(folder: Path, kind: str, number: int) -> Path:
    """Name one of the files that hold the arrays of a kind."""
    return folder / f'{kind}-{number:05d}.npy'


def intact(path: Path, shape: Tuple[int, ...]) -> bool:
    """Check that a file is there with an array of this shape, all of it."""
    try:
        return np.load(path, mmap_mode='r').shape == shape
    except (OSError, ValueError, EOFError):  # absent, cut short, empty
        return False


def damaged_shards(folder: Path, meta: CacheMeta) -> List[Tuple[Path, slice]]:
    """List the files that are missing or cut short, with their videos."""
    found = []
    for number, first in enumerate(range(0, meta.rows, meta.shard)):
        videos = min(meta.shard, meta.rows - first)
        for kind, shape in meta.shapes.items():
            path = shard_path(folder, kind, number)
            if not intact(path, (videos, *shape)):
                found.append((path, slice(first, first + videos)))
    return found


def open_shard(
    folder: Path, kind: str, index: int, meta: CacheMeta, create: bool = False
) -> np.ndarray:
    """Map the file that holds a video, writable when it is being made."""
    number = index // meta.shard
    path = shard_path(folder, kind, number)
    if path.is_file() or not create:
        return np.load(path, mmap_mode='r+' if create else 'r')
    videos = min(meta.shard, meta.rows - number * meta.shard)
    return np.lib.format.open_memmap(
        path, 'w+', np.float16, (videos, *meta.shapes[kind])
    )
