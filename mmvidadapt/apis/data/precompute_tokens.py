"""Tokenize a fixed number of crops of every item, once."""

import copy
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

import numpy as np
import torch
from mmaction.registry import DATASETS, TRANSFORMS
from mmengine.config import Config
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mmvidadapt.datasets.wrappers import inner_config
from mmvidadapt.methods.bevt.dataset_tokenized import (
    DONE,
    META,
    TOKENS,
    TokenMeta,
    draw,
    split_pipeline,
)
from mmvidadapt.methods.bevt.tokenizers import Tokenizer
from mmvidadapt.utils.data_key import data_key
from mmvidadapt.utils.sha256 import fingerprint


class _Views(Dataset):
    """All crops of an item as the tokenizer sees them, with its number."""

    def __init__(self, config: dict, meta: TokenMeta, todo: List[int]) -> None:
        crop, step, _ = split_pipeline(config['pipeline'])
        self.dataset = DATASETS.build(dict(config, pipeline=crop))
        self.step = TRANSFORMS.build(step)
        self.meta, self.todo = meta, todo

    def __len__(self) -> int:
        return len(self.todo)

    def __getitem__(self, i: int) -> Tuple[int, Tensor]:
        index, views = self.todo[i], []
        for view in range(self.meta.views):
            crop = draw(self.dataset, index, view, self.meta.seed)
            views.append(self.step(crop)['view'])
        return index, torch.stack(views)  # (views, T, 3, h, w)


def loaders_of(config: Config) -> Dict[str, dict]:
    """Return the data loaders of a pretraining config by their names.

    Args:
        config (Config): With a ``train_dataloader`` and, where two streams
            are trained, ``train_cfg.other_loaders``.

    Returns:
        Dict[str, dict]: ``'train'``, then ``'other0'`` and so on.
    """
    others = config.train_cfg.get('other_loaders') or []
    named = {f'other{i}': loader for i, loader in enumerate(others)}
    return dict(train=config.train_dataloader, **named)


def plan(
    dataset: dict, tokenizer: Tokenizer, name: str, views: int, seed: int
) -> TokenMeta:
    """Plan the tokens of a data set: hashes, numbers and sizes.

    Args:
        dataset (dict): Its config, with ``TokenizerView`` in its pipeline.
        tokenizer (Tokenizer): What makes the tokens.
        name (str): How the tokenizer is described.
        views (int): Crops of each item.
        seed (int): Of the crops.

    Returns:
        TokenMeta: Hashes, numbers and sizes.
    """
    tokenizer.load()
    if views < 1:
        raise ValueError(f'views={views}: every item needs one crop at least.')
    crop, step, _ = split_pipeline(dataset['pipeline'])
    described = dict(dataset, pipeline=crop)
    built = DATASETS.build(copy.deepcopy(described))
    picture = TRANSFORMS.build(step)(draw(built, 0, 0, seed))['view']
    return TokenMeta(
        data=data_key(described, None, built),
        tokenizer=name,
        weights=fingerprint(tokenizer.state_dict()),
        items=len(built),
        views=views,
        frames=len(picture),
        grid=tokenizer.grid,
        vocab_size=tokenizer.vocab_size,
        seed=seed,
    )


def precompute(
    dataset: dict,
    tokenizer: Tokenizer,
    folder: Path,
    meta: TokenMeta,
    batch_size: int = 1,
    num_workers: int = 0,
    device: str = 'cpu',
) -> Iterator[int]:
    """Write the tokens of a data set, going on where an earlier run stopped.

    Args:
        dataset (dict): Its config.
        tokenizer (Tokenizer): What makes the tokens.
        folder (Path): Where the tokens are, or will be.
        meta (TokenMeta): Of :func:`plan`.
        batch_size (int): Items at a time. Defaults to 1.
        num_workers (int): Processes that decode. Defaults to 0.
        device (str): Where the tokenizer runs. Defaults to 'cpu'.

    Yields:
        int: Number of items that are done.
    """
    tokens, done = _open(folder, meta)
    todo = np.flatnonzero(done == 0).tolist()
    views = _Views(copy.deepcopy(dataset), meta, todo)
    loader = DataLoader(
        views, batch_size, num_workers=num_workers, collate_fn=list
    )
    tokenizer.to(device)
    for batch in loader:
        indices = [index for index, _ in batch]
        views = torch.cat([views.flatten(0, 1) for _, views in batch])
        ids = tokenizer.tokenize(views.to(device))
        tokens[indices] = ids.view(-1, *meta.shape[1:]).cpu().numpy()
        tokens.flush()  # before they are said to be there
        done[indices] = 1
        done.flush()
        yield int(done.sum())


def _open(folder: Path, meta: TokenMeta) -> Tuple[np.ndarray, np.ndarray]:
    """Map the tokens and which items have theirs, or make both."""
    folder.mkdir(parents=True, exist_ok=True)
    shapes = {TOKENS: meta.shape, DONE: (meta.items,)}
    if (folder / META).is_file():
        TokenMeta.read(folder).check(folder, **vars(meta))
        return tuple(np.load(folder / n, mmap_mode='r+') for n in shapes)
    dtypes = {TOKENS: meta.dtype, DONE: np.uint8}
    made = tuple(
        np.lib.format.open_memmap(folder / name, 'w+', dtypes[name], shape)
        for name, shape in shapes.items()
    )
    meta.write(folder)
    return made


def config_with_tokens(config: Config, folders: Dict[str, Path]) -> Config:
    """Make a config read tokens in the place of a tokenizer.

    Args:
        config (Config): A pretraining config.
        folders (Dict[str, Path]): Name of a loader to its tokens.

    Returns:
        Config: A copy that has no tokenizer to run.
    """
    config = copy.deepcopy(config)
    loaders = loaders_of(config)
    for name, folder in folders.items():
        dataset, meta = (
            inner_config(loaders[name]['dataset']),
            TokenMeta.read(folder),
        )
        described = copy.deepcopy(dict(dataset))
        crop, _, rest = split_pipeline(described['pipeline'])
        dataset.clear()  # it may lie inside of a wrapper
        dataset.update(
            type='TokenizedDataset',
            dataset=dict(described, pipeline=crop),
            folder=str(folder),
            pipeline=rest,
        )
        config.model.tokenizer = dict(
            type='PrecomputedTokens',
            vocab_size=meta.vocab_size,
            input_size=meta.grid[0],
        )
    return config
