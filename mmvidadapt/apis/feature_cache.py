"""Run a frozen trunk once over a data set and keep what it gives."""

import copy
from functools import partial
from pathlib import Path
from typing import Iterator, List, Tuple

import numpy as np
import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmvidadapt.datasets.feature_cache import (
    DONE,
    LABELS,
    META,
    CacheMeta,
    data_key,
    open_shard,
)
from mmvidadapt.engine.seed import seed_everything
from mmvidadapt.models.backbones.evl import EVL
from mmvidadapt.models.layers.packing import gather

SHARD_BYTES = 2**30


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


def plan(model: nn.Module, cfg: Config, split: str) -> CacheMeta:
    """Say what the cache of a split will be.

    Args:
        model (nn.Module): Recogniser with a frozen EVL.
        cfg (Config): Its config.
        split (str): ``'train'``, ``'val'`` or ``'test'``.

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
    dataset = DATASETS.build(copy.deepcopy(described))
    sizes = evl.pack_sizes()
    views = len(dataset[0]['inputs'])
    each = 2 * views * sizes.total
    return CacheMeta(
        trunk=evl.trunk_key(),
        data=data_key(described, cfg.model.data_preprocessor.to_dict()),
        clips=len(dataset),
        views=views,
        shard=max(1, SHARD_BYTES // each),
        **sizes._asdict(),
    )


def cache_features(
    model: nn.Module,
    cfg: Config,
    split: str,
    folder: Path,
    meta: CacheMeta,
    batch_size: int = 1,
    num_workers: int = 0,
    seed: int = 0,
) -> Iterator[int]:
    """Fill a cache, going on where an earlier run stopped.

    Args:
        model (nn.Module): Recogniser with a frozen EVL.
        cfg (Config): Its config.
        split (str): Which of its data sets.
        folder (Path): Where the cache is, or will be.
        meta (CacheMeta): Of :func:`plan`.
        batch_size (int): Videos at a time. Defaults to 1.
        num_workers (int): Processes that decode. Defaults to 0.
        seed (int): Of what the pipeline draws. Defaults to 0.

    Yields:
        int: Number of videos that are done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / META).is_file():
        CacheMeta.read(folder).check(folder, **vars(meta))
        done = np.load(folder / DONE, mmap_mode='r+')
        labels = np.load(folder / LABELS, mmap_mode='r+')
    else:
        shape = (meta.clips,)
        done, labels = (
            np.lib.format.open_memmap(folder / name, 'w+', dtype, shape)
            for name, dtype in ((DONE, np.uint8), (LABELS, np.int64))
        )
        meta.write(folder)
    todo = np.flatnonzero(done == 0).tolist()
    dataset = DATASETS.build(cfg[f'{split}_dataloader'].dataset)
    loader = DataLoader(
        _Numbered(dataset, todo, seed),
        batch_size=batch_size,
        num_workers=num_workers,
        collate_fn=list,
    )
    model.eval()
    for batch in loader:
        _store(folder, meta, *_run(model, batch))
        for index, item in batch:
            labels[index] = item['data_samples'].gt_label.item()
            done[index] = 1
        labels.flush()
        done.flush()
        yield int(done.sum())


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
    """Give a config the caches to read instead of videos.

    Args:
        cfg (Config): A config with an EVL.
        folders (dict): Split to folder.

    Returns:
        Config: A copy.
    """
    cfg = copy.deepcopy(cfg)
    preprocessor = cfg.model.data_preprocessor.to_dict()
    for split, folder in folders.items():
        cfg[f'{split}_dataloader'].dataset = dict(
            type='CachedFeatures',
            folder=str(folder),
            dataset=cfg[f'{split}_dataloader'].dataset,
            preprocessor=preprocessor,
        )
    cfg.model.data_preprocessor = dict(
        type='ActionDataPreprocessor', to_float32=False, format_shape='NCTHW'
    )
    return cfg


def ask(question: str) -> bool:
    """Ask a person; nobody there means no."""
    try:
        return input(f'{question} [y/N] ').strip().lower() in ('y', 'yes')
    except EOFError:
        return False
