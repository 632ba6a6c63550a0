"""Run a frozen trunk over own videos: features of clips and of places."""

from pathlib import Path
from typing import Callable, Dict, Optional

import numpy as np
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mmvidadapt.datasets.feature_cache.dataset import build_uncached
from mmvidadapt.utils.whole_file import whole_file

from ..data.feature_cache import cache_features, free_space, plan

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

    The mean over patches and frames of the tokens in the middle of the
    trunk, see :func:`~mmvidadapt.apis.fit.scenes.similarity`.

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
    blocks, rows = model.backbone.transformer.resblocks, []
    for batch in DataLoader(dataset, 8, collate_fn=pseudo_collate):
        clips = model.data_preprocessor(batch)['inputs'][:, 0]
        x = middle_tokens(model.backbone, clips, len(blocks) // 2)
        rows.append(x.mean((1, 2)).cpu().numpy())
    found = np.concatenate(rows).astype(np.float32)
    with whole_file(path) as part, open(part, 'wb') as file:
        np.save(file, found)
    return found


def middle_tokens(backbone: nn.Module, video: Tensor, depth: int) -> Tensor:
    """Run the first blocks on every other frame, (B, T/2, N, C)."""
    video = video[:, :, ::2]  # (B, 3, T/2, H, W)
    patches = backbone.patchify(video)  # (B*T/2, N, C)
    x = backbone.ln_pre(backbone.add_positions(patches))
    for block in backbone.transformer.resblocks[:depth]:
        x = block(x)  # (B*T/2, P+N, C)
        x = x[0] if isinstance(x, tuple) else x
    x = x[:, backbone.num_prefix_tokens :]  # (B*T/2, N, C)
    return x.unflatten(0, (len(video), -1))  # (B, T/2, N, C)
