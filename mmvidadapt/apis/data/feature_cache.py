"""Run a frozen trunk once over a data set and keep what it gives."""

import shutil
from functools import partial
from pathlib import Path
from typing import Iterable, Iterator, List, Optional, Tuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dist import barrier, get_dist_info
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from mmvidadapt.datasets.feature_cache.dataset import build_uncached
from mmvidadapt.datasets.feature_cache.files import (
    DONE,
    LABELS,
    META,
    CacheMeta,
    damaged_shards,
    intact,
    open_shard,
)
from mmvidadapt.trunks.cached.backbone import CachedTrunk
from mmvidadapt.trunks.cached.rows import gather
from mmvidadapt.utils.check_choices import check_choices
from mmvidadapt.utils.data_key import data_key
from mmvidadapt.utils.random_seed import seed_everything

from .cached_config import erases

SHARD_BYTES = 2**30
PRECISIONS = dict(float32=None, bfloat16=torch.bfloat16, float16=torch.float16)
DRAWS = 8  # a coin is taken for a constant once in 128 times


class _Numbered(Dataset):
    """Items with their rows, each drawn from its own random stream.

    Rows are the videos, and then the videos again in every further pass.
    """

    def __init__(self, dataset: Dataset, rows: List[int], seed: int) -> None:
        self.dataset, self.rows, self.seed = dataset, rows, seed

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: int) -> Tuple[int, dict]:
        row = self.rows[i]
        seed_everything(self.seed, row)  # the same after an interruption
        return row, self.dataset[row % len(self.dataset)]


def check_backbone(backbone: nn.Module) -> None:
    """Reject a backbone that has no frozen trunk with a reader."""
    known = isinstance(backbone, CachedTrunk)
    if not known or backbone.trunk_learns:
        raise ValueError(
            f'The backbone is {type(backbone).__name__}'
            f'{" with a trained trunk" if known else ""}; features can be '
            'cached for EVL, AttentiveProbe and VJEPA2 with a frozen trunk.'
        )


def plan(
    model: nn.Module,
    cfg: Config,
    split: str,
    seed: int = 0,
    passes: int = 1,
    precision: str = 'float32',
) -> CacheMeta:
    """Plan the cache of a split: hashes, numbers and sizes.

    Args:
        model (nn.Module): Recognizer with a frozen trunk and a reader: EVL,
            AttentiveProbe or VJEPA2.
        cfg (Config): Its config.
        split (str): ``'train'``, ``'val'`` or ``'test'``.
        seed (int): Of what the pipeline draws. Defaults to 0.
        passes (int): How often every video is cached, each time with other
            draws; once where the pipeline draws nothing. Defaults to 1.
        precision (str): ``'float32'``, or ``'bfloat16'`` or ``'float16'``, in
            which the trunk runs by autocast. Defaults to 'float32'.

    Returns:
        CacheMeta: Hashes, numbers and sizes.

    Raises:
        ValueError: If the trunk is trained or cannot be cached, or
            ``passes`` is below 1.
    """
    check_backbone(model.backbone)
    check_choices('precision', [precision], tuple(PRECISIONS))
    if passes < 1:
        raise ValueError(f'passes={passes}: give at least 1.')
    described = cfg[f'{split}_dataloader'].dataset.to_dict()
    dataset = build_uncached(described)
    sizes = model.backbone.pack_sizes()
    first = dataset[0]
    views = len(first['inputs'])
    label = first['data_samples'].gt_label  # several numbers, perhaps
    each = 2 * views * sizes.total
    preprocessor = cfg.model.data_preprocessor.to_dict()
    random = erases(cfg, split) or _draws(dataset, seed)
    return CacheMeta(
        trunk=model.backbone.trunk_key(),
        data=data_key(described, preprocessor, dataset),
        seed=seed,
        random=random,
        passes=passes if random else 1,
        label_size=label.numel(),
        label_dtype=str(label.numpy().dtype),
        precision=precision,
        clips=len(dataset),
        views=views,
        shard=max(1, SHARD_BYTES // each),
        **sizes._asdict(),
    )


def _draws(dataset: Dataset, seed: int) -> bool:
    """Check on three videos whether the pipeline draws anything."""
    for row in sorted({0, len(dataset) // 2, len(dataset) - 1}):
        items = [_Numbered(dataset, [row], seed + i)[0] for i in range(DRAWS)]
        if any(_differ(items[0][1], item) for _, item in items):
            return True
    return False


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
    """Fill a cache, going on where an earlier run stopped.

    In a distributed run every process fills its share; all see one folder.

    Args:
        model (nn.Module): Recognizer as :func:`plan` takes it.
        cfg (Config): Its config.
        split (str): Which of its data sets.
        folder (Path): Where the cache is, or will be.
        meta (CacheMeta): Of :func:`plan`.
        batch_size (int): Videos at a time. Defaults to 1.
        num_workers (int): Processes that decode. Defaults to 0.

    Yields:
        int: Number of videos that are done.
    """
    rank, processes = get_dist_info()
    if rank == 0:
        _prepare(folder, meta, create=processes > 1)
    barrier()
    done, labels = (np.load(folder / name, 'r+') for name in (DONE, LABELS))
    own = np.flatnonzero(done == 0)[rank::processes].tolist()
    barrier()  # before anyone changes what is done
    dataset = build_uncached(cfg[f'{split}_dataloader'].dataset)
    todo = _Numbered(dataset, own, meta.seed)
    model.eval()
    for batch in DataLoader(
        todo, batch_size, num_workers=num_workers, collate_fn=list
    ):
        erase_seed = meta.seed if erases(cfg, split) else None
        arrays = _run(model, batch, meta.precision, erase_seed)
        _store(folder, meta, *arrays)
        for index, item in batch:
            labels[index] = item['data_samples'].gt_label.squeeze().numpy()
            done[index] = 1
        labels.flush()
        done.flush()
        yield int(done.sum())


def _prepare(folder: Path, meta: CacheMeta, create: bool) -> None:
    """Write down what is cached; what a lost file held is not done."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / META).is_file():
        CacheMeta.read(folder).check(folder, **vars(meta))
    kinds = [(DONE, np.uint8, (meta.rows,))]
    kinds.append((LABELS, np.dtype(meta.label_dtype), meta.label_shape))
    if not all(intact(folder / name, shape) for name, _, shape in kinds):
        for name, dtype, shape in kinds:
            np.lib.format.open_memmap(folder / name, 'w+', dtype, shape)
    done = np.load(folder / DONE, 'r+')
    for path, videos in damaged_shards(folder, meta):
        path.unlink(missing_ok=True)
        done[videos] = 0
    done.flush()
    if create:  # two processes cannot create one file
        for row in range(0, meta.rows, meta.shard):
            for kind in meta.shapes:
                open_shard(folder, kind, row, meta, create=True)
    meta.write(folder)


@torch.no_grad()
def _run(
    model: nn.Module,
    batch: List[Tuple[int, dict]],
    precision: str,
    erase_seed: Optional[int],
) -> tuple:
    """Run the trunk: rows, and arrays (videos, views, ...) by kind."""
    rows = [row for row, _ in batch]
    video = _pixels(model, batch, erase_seed)  # (B, views, 3, T, H, W)
    dtype = PRECISIONS[precision]
    device = video.device.type
    with torch.autocast(device, dtype, enabled=dtype is not None):
        taps = list(model.backbone.taps(video.flatten(0, 1)))
    maps, attention = gather(taps)
    split = partial(torch.Tensor.unflatten, dim=0, sizes=(len(batch), -1))
    return rows, dict(maps=split(maps), attention=split(attention))


def _pixels(
    model: nn.Module,
    batch: List[Tuple[int, dict]],
    erase_seed: Optional[int],
) -> Tensor:
    """Normalise clips; erase parts of each with a random stream of its own."""
    if erase_seed is not None and len(batch) > 1:
        parts = [_pixels(model, [one], erase_seed) for one in batch]
        return torch.cat(parts)  # (B, views, 3, T, H, W)
    data = dict(
        inputs=[item['inputs'] for _, item in batch],
        data_samples=[item['data_samples'] for _, item in batch],
    )
    if erase_seed is not None:
        seed_everything(erase_seed, batch[0][0], 1)
    return model.data_preprocessor(data, erase_seed is not None)['inputs']


def _store(folder: Path, meta: CacheMeta, indices: list, parts: dict) -> None:
    """Write the arrays of some videos and make sure that they are there."""
    for kind in meta.shapes:
        for index, value in zip(indices, parts[kind].cpu().numpy()):
            if not np.isfinite(value).all():
                raise ValueError(
                    f'Video {index % meta.clips} has features beyond half '
                    'precision (65,504); train from video.'
                )
            shard = open_shard(folder, kind, index, meta, create=True)
            shard[index % meta.shard] = value
            shard.flush()


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
