"""Run a frozen trunk once over a data set and keep what it gives."""

import copy
import shutil
from functools import partial
from pathlib import Path
from typing import Iterable, Iterator, List, Tuple

import numpy as np
import torch
from mmengine.config import Config
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmvidadapt.methods.evl.backbone import EVL
from mmvidadapt.methods.evl.cache_files import (
    DONE,
    LABELS,
    META,
    CacheMeta,
    damaged_shards,
    intact,
    open_shard,
)
from mmvidadapt.methods.evl.cached_rows import gather
from mmvidadapt.methods.evl.dataset import build_uncached
from mmvidadapt.utils.data_key import data_key
from mmvidadapt.utils.random_seed import seed_everything

SHARD_BYTES = 2**30
DRAWS = 8  # a coin is taken for a constant once in 128 times


class _Numbered(Dataset):
    """Items with their numbers, each drawn from its own random stream."""

    def __init__(
        self, dataset: Dataset, indices: List[int], seed: int
    ) -> None:
        self.dataset, self.indices, self.seed = dataset, indices, seed

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, i: int) -> Tuple[int, dict]:
        index = self.indices[i]
        seed_everything(self.seed, index)  # the same after an interruption
        return index, self.dataset[index]


def plan(
    model: nn.Module, cfg: Config, split: str, seed: int = 0
) -> CacheMeta:
    """Plan the cache of a split: hashes, numbers and sizes.

    Args:
        model (nn.Module): Recognizer with a frozen EVL.
        cfg (Config): Its config.
        split (str): ``'train'``, ``'val'`` or ``'test'``.
        seed (int): Of what the pipeline draws. Defaults to 0.

    Returns:
        CacheMeta: Hashes, numbers and sizes.
    """
    evl = model.backbone
    if not isinstance(evl, EVL) or evl.trunk_learns:
        raise ValueError(
            f'The backbone is {type(evl).__name__}'
            f'{" with a trained trunk" if isinstance(evl, EVL) else ""}; '
            'features can be cached for EVL with a frozen trunk.'
        )
    described = cfg[f'{split}_dataloader'].dataset.to_dict()
    dataset = build_uncached(described)
    sizes = evl.pack_sizes()
    draws = [_Numbered(dataset, [0], seed + i)[0][1] for i in range(DRAWS)]
    views = len(draws[0]['inputs'])
    each = 2 * views * sizes.total
    preprocessor = cfg.model.data_preprocessor.to_dict()
    return CacheMeta(
        trunk=evl.trunk_key(),
        data=data_key(described, preprocessor, dataset),
        seed=seed,
        random=any(_differ(draws[0], draw) for draw in draws),
        clips=len(dataset),
        views=views,
        shard=max(1, SHARD_BYTES // each),
        **sizes._asdict(),
    )


def _differ(one: dict, other: dict) -> bool:
    """Compare pixels and labels."""
    items = [(i['inputs'], i['data_samples'].gt_label) for i in (one, other)]
    return not all(map(torch.equal, *items))


def cache_features(
    model: nn.Module,
    cfg: Config,
    split: str,
    folder: Path,
    meta: CacheMeta,
    batch_size: int = 1,
    num_workers: int = 0,
) -> Iterator[int]:
    """Fill a cache in one process, going on where an earlier run stopped.

    Args:
        model (nn.Module): Recognizer with a frozen EVL.
        cfg (Config): Its config.
        split (str): Which of its data sets.
        folder (Path): Where the cache is, or will be.
        meta (CacheMeta): Of :func:`plan`.
        batch_size (int): Videos at a time. Defaults to 1.
        num_workers (int): Processes that decode. Defaults to 0.

    Yields:
        int: Number of videos that are done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / META).is_file():
        CacheMeta.read(folder).check(folder, **vars(meta))
    done, labels = _progress(folder, meta)
    meta.write(folder)
    dataset = build_uncached(cfg[f'{split}_dataloader'].dataset)
    todo = _Numbered(dataset, np.flatnonzero(done == 0).tolist(), meta.seed)
    model.eval()
    for batch in DataLoader(
        todo, batch_size, num_workers=num_workers, collate_fn=list
    ):
        _store(folder, meta, *_run(model, batch))
        for index, item in batch:
            labels[index] = item['data_samples'].gt_label.item()
            done[index] = 1
        labels.flush()
        done.flush()
        yield int(done.sum())


def _progress(folder: Path, meta: CacheMeta) -> Tuple[np.ndarray, np.ndarray]:
    """Map what is done and labelled; what a lost file held is not done."""
    kinds, shape = ((DONE, np.uint8), (LABELS, np.int64)), (meta.clips,)
    if not all(intact(folder / name, shape) for name, _ in kinds):
        for name, dtype in kinds:
            np.lib.format.open_memmap(folder / name, 'w+', dtype, shape)
    done, labels = (np.load(folder / name, 'r+') for name, _ in kinds)
    for path, videos in damaged_shards(folder, meta):
        path.unlink(missing_ok=True)
        done[videos] = 0
    done.flush()
    return done, labels


@torch.no_grad()
def _run(model: nn.Module, batch: List[Tuple[int, dict]]) -> tuple:
    """Run the trunk: indices, and arrays (videos, views, ...) by kind."""
    indices = [index for index, _ in batch]
    data = dict(
        inputs=[item['inputs'] for _, item in batch],
        data_samples=[item['data_samples'] for _, item in batch],
    )
    video = model.data_preprocessor(data)['inputs']  # (B, views, 3, T, H, W)
    maps, attention = gather(model.backbone.taps(video.flatten(0, 1)))
    split = partial(torch.Tensor.unflatten, dim=0, sizes=(len(batch), -1))
    return indices, dict(maps=split(maps), attention=split(attention))


def _store(folder: Path, meta: CacheMeta, indices: list, parts: dict) -> None:
    """Write the arrays of some videos and make sure that they are there."""
    for kind in meta.shapes:
        for index, value in zip(indices, parts[kind].cpu().numpy()):
            if not np.isfinite(value).all():
                raise ValueError(
                    f'Video {index} has features beyond half precision '
                    '(65,504); train from video.'
                )
            shard = open_shard(folder, kind, index, meta, create=True)
            shard[index % meta.shard] = value
            shard.flush()


def config_from_cache(cfg: Config, folders: dict) -> Config:
    """Make a config read the caches instead of videos.

    Args:
        cfg (Config): A config with an EVL.
        folders (dict): Split to folder.

    Returns:
        Config: A copy. What has no folder is read from video as before.
    """
    cfg = copy.deepcopy(cfg)
    preprocessor = cfg.model.data_preprocessor.to_dict()
    kind = preprocessor.get('type', 'ActionDataPreprocessor')
    if kind != 'ActionDataPreprocessor':
        raise ValueError(
            f'The data preprocessor is {kind}; features are cached for '
            'ActionDataPreprocessor, and for all splits at once.'
        )
    blending = preprocessor.get('blending')
    if 'train' in folders and blending:
        raise ValueError(
            f'{blending=} mixes pixels, which cached features no longer have; '
            'leave it out, or train from video.'
        )
    for split, folder in folders.items():
        cfg[f'{split}_dataloader'].dataset = dict(
            type='CachedFeatures',
            folder=str(folder),
            dataset=cfg[f'{split}_dataloader'].dataset,
            preprocessor=preprocessor,
        )
    cfg.model.data_preprocessor.type = 'VideoOrFeaturesPreprocessor'
    return cfg


def free_space(folder: Path, metas: Iterable[CacheMeta]) -> int:
    """Count the free bytes; raise if they are too few for the caches.

    Args:
        folder (Path): Where the caches are, or will be.
        metas (Iterable[CacheMeta]): Of :func:`plan`.

    Returns:
        int: Free bytes.
    """
    paths = (folder, *folder.absolute().parents)
    free = shutil.disk_usage(next(p for p in paths if p.exists())).free
    there = sum(512 * p.stat().st_blocks for p in folder.rglob('*.npy'))
    needed = sum(meta.bytes for meta in metas) - there
    if needed > free:
        raise ValueError(
            f'The caches need {needed:,} bytes more, but only {free:,} are '
            f'free under {folder}; cache fewer --splits or on another disk.'
        )
    return free


def ask(question: str) -> bool:
    """Ask a person; nobody there means no."""
    try:
        return input(f'{question} [y/N] ').strip().lower() in ('y', 'yes')
    except EOFError:
        return False
