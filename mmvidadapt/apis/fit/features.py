"""Run a frozen trunk over own videos: features of clips and of places."""

from pathlib import Path
from typing import Callable, Dict, Optional

import numpy as np
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from torch import nn
from torch.utils.data import DataLoader

from mmvidadapt.datasets.feature_cache.dataset import build_uncached
from mmvidadapt.utils.whole_file import whole_file

from ..data.feature_cache import (
    PRECISIONS,
    cache_features,
    free_space,
    plan,
)
from .scenes import scene_features

PLAIN, AUGMENTED = 'plain', 'augmented'
SPLITS = {PLAIN: 'test', AUGMENTED: 'train'}  # whose pipelines they are


def build_trunk(config: Config) -> nn.Module:
    """Build a recognizer with the weights of its trunk, for features only."""
    model = MODELS.build(config.model)
    model.init_weights()
    return model.eval()


def fast_precision() -> str:
    """Choose the precision in which a frozen trunk runs fast here.

    Bfloat16 where the processor multiplies its matrices in units of their own
    (AMX; measured on ViT-S/14, 8 frames of 112 px: 0.10 s of a core for a
    clip, 0.30 in float32), else float32.
    """
    found = getattr(torch.cpu, '_is_amx_tile_supported', lambda: False)
    return 'bfloat16' if found() else 'float32'


def cache_clips(
    model: nn.Module,
    config: Config,
    folder: Path,
    passes: int,
    seed: int,
    report: Callable[[int, int], None],
    splits: Optional[Dict[str, str]] = None,
) -> Dict[str, Path]:
    """Cache all clips once as they are tested, and augmented.

    Args:
        model (nn.Module): Of :func:`build_trunk`.
        config (Config): Both its training and its test set list all clips.
        folder (Path): Where the caches are, or will be.
        passes (int): How often clips are augmented.
        seed (int): Of what is drawn.
        report (Callable): Told how many clips are done, and of how many.
        splits (Dict[str, str], optional): Whose pipelines the caches are of,
            by their names. Defaults to None: ``SPLITS``.

    Returns:
        Dict[str, Path]: Folders by the names of caches.
    """
    splits, precision = splits or SPLITS, fast_precision()
    folders = {name: folder / name for name in splits}
    metas = {
        name: plan(model, config, split, seed, passes, precision)
        for name, split in splits.items()
    }
    free_space(folder, metas.values())
    of, before = sum(meta.rows for meta in metas.values()), 0
    for name, split in splits.items():
        meta = metas[name]
        for done in cache_features(
            model, config, split, folders[name], meta, batch_size=4
        ):
            report(before + done, of)
        before += meta.rows
    return folders


@torch.no_grad()
def still_features(model: nn.Module, config: Config, path: Path) -> np.ndarray:
    """Describe what stands still in every clip, (N, C), kept in a file.

    The mean over all frames of
    :func:`~mmvidadapt.apis.fit.scenes.scene_features`.

    Args:
        model (nn.Module): Of :func:`build_trunk`.
        config (Config): Its test set lists all clips.
        path (Path): The file.

    Returns:
        np.ndarray: Float32 ``(N, C)``.
    """
    dataset = build_uncached(config.test_dataloader.dataset)
    if path.is_file() and len(found := np.load(path)) == len(dataset):
        return found
    rows, dtype = [], PRECISIONS[fast_precision()]
    for batch in DataLoader(dataset, 8, collate_fn=pseudo_collate):
        clips = model.data_preprocessor(batch)['inputs'][:, 0]
        with torch.autocast(clips.device.type, dtype, enabled=bool(dtype)):
            frames = scene_features(model.backbone, clips)  # (B, T, C)
        rows.append(frames.mean(1))
    found = np.concatenate(rows).astype(np.float32)
    with whole_file(path) as part, open(part, 'wb') as file:
        np.save(file, found)
    return found
