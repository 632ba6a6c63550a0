"""Read clips and images whose crops were tokenized beforehand."""

import copy
import json
import random
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Iterator, List, Sequence, Tuple, Union

import numpy as np
import torch
from mmaction.registry import DATASETS
from mmengine.dataset import Compose
from torch.utils.data import Dataset

from mmvidadapt.utils.data_key import data_key
from mmvidadapt.utils.random_seed import seed_everything
from mmvidadapt.utils.whole_file import whole_file

META, TOKENS, DONE = 'tokens.json', 'tokens.npy', 'done.npy'


@dataclass(frozen=True)
class TokenMeta:
    """Describe what a folder of tokens holds, and of what.

    Args:
        data (str): Hash of the data set and of the pipeline that draws crops.
        tokenizer (str): Config of the tokenizer.
        weights (str): Hash of the tokenizer's weights.
        items (int): Number of clips or images.
        views (int): Crops of each.
        frames (int): Pictures of a crop.
        grid (tuple[int, int]): Tokens of a picture.
        vocab_size (int): Number of different tokens.
        seed (int): Of the crops.
    """

    data: str
    tokenizer: str
    weights: str
    items: int
    views: int
    frames: int
    grid: Tuple[int, int]
    vocab_size: int
    seed: int

    @property
    def shape(self) -> Tuple[int, ...]:
        """Shape of all tokens."""
        return (self.items, self.views, self.frames, *self.grid)

    @property
    def dtype(self) -> type:
        """The smallest type that holds a token."""
        return np.uint16 if self.vocab_size <= 2**16 else np.uint32

    @property
    def bytes(self) -> int:
        """Bytes of all tokens."""
        return int(np.prod(self.shape)) * np.dtype(self.dtype).itemsize

    def write(self, folder: Path) -> None:
        """Write it down, whole or not at all."""
        with whole_file(folder / META) as part:
            part.write_text(json.dumps(asdict(self), indent=2) + '\n')

    @classmethod
    def read(cls, folder: Union[str, Path]) -> 'TokenMeta':
        """Read what :meth:`write` wrote."""
        path = Path(folder) / META
        if not path.is_file():
            raise FileNotFoundError(
                f'{path} does not exist: {folder} holds no tokens. Make them '
                'with tools/precompute_tokens.py.'
            )
        values = json.loads(path.read_text())
        names = {field.name for field in fields(cls)}
        if set(values) != names:
            raise ValueError(
                f'{path} is of another version of this package: missing are '
                f'{sorted(names - set(values))}, unknown '
                f'{sorted(set(values) - names)}. Delete {folder} and run '
                'tools/precompute_tokens.py again.'
            )
        return cls(**dict(values, grid=tuple(values['grid'])))

    def check(self, folder: Union[str, Path], **wanted: Any) -> None:
        """Raise where the tokens are of something else than what is wanted."""
        for name, value in wanted.items():
            own = getattr(self, name)
            if own != value:
                raise ValueError(
                    f'The tokens in {folder} have {name}={own}, but {name}='
                    f'{value} is asked for. Compute them again, into another '
                    'folder, or use the config that they are of.'
                )


@contextmanager
def seeded(*entropy: int) -> Iterator[None]:
    """Draw from a stream of one's own, then go on as before."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    seed_everything(*entropy)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])


def draw(dataset: Dataset, index: int, view: int, seed: int) -> dict:
    """Draw a crop that seed, index and view decide.

    Args:
        dataset (Dataset): Its pipeline ends with the crop.
        index (int): Which clip or image.
        view (int): Which of its crops.
        seed (int): Of all crops.

    Returns:
        dict: What the pipeline made, its pictures in ``imgs``.
    """
    with seeded(seed, index, view):
        return dataset[index]


def split_pipeline(
    pipeline: Sequence[dict],
) -> Tuple[List[dict], dict, List[dict]]:
    """Cut a pipeline where the tokenizer takes its pictures.

    Args:
        pipeline (Sequence[dict]): With a step ``TokenizerView``.

    Returns:
        tuple: What draws the crop, the step, what comes after it.
    """
    steps = list(pipeline)
    found = [i for i, s in enumerate(steps) if s['type'] == 'TokenizerView']
    if not found:
        raise ValueError(
            f'The pipeline {[s["type"] for s in steps]} takes no pictures for '
            "a tokenizer: it has no step dict(type='TokenizerView')."
        )
    cut = found[0]
    return steps[:cut], steps[cut], steps[cut + 1 :]


@DATASETS.register_module()
class TokenizedDataset(Dataset):
    """A data set with a fixed number of crops per item, and their tokens.

    Made by ``tools/precompute_tokens.py``, which also writes the config that
    reads it. Every time one of the crops is drawn again, exactly as it was
    tokenised; masks are always new. The model has
    :class:`~mmvidadapt.methods.bevt.tokenizers.PrecomputedTokens`.

    Args:
        dataset (dict): Config of the data set; its pipeline ends with the
            crop.
        folder (str): The tokens.
        pipeline (Sequence[dict]): What comes after the crop: layout, mask and
            packing.

    Raises:
        ValueError: If the tokens are of other data, or not complete.
    """

    def __init__(
        self, dataset: dict, folder: str, pipeline: Sequence[dict]
    ) -> None:
        self.folder = Path(folder)
        self.meta = TokenMeta.read(self.folder)
        self.dataset = DATASETS.build(copy.deepcopy(dataset))
        self.meta.check(folder, data=data_key(dataset, None, self.dataset))
        self.metainfo: dict = {}
        done = int(np.load(self.folder / DONE).sum())
        if done != self.meta.items:
            raise ValueError(
                f'{folder} holds the tokens of {done} of {self.meta.items} '
                'items; run tools/precompute_tokens.py again, it goes on '
                'where it stopped.'
            )
        self.pipeline = Compose(list(pipeline))
        self.tokens = np.load(self.folder / TOKENS, mmap_mode='r')

    def full_init(self) -> None:
        """Do nothing: all was read. mmengine's wrappers ask for it."""

    def __len__(self) -> int:
        """Count the items."""
        return self.meta.items

    def __getitem__(self, index: int) -> dict:
        """Draw one of the crops of an item, packed."""
        # Importing models takes seconds, which other data sets do without.
        from .tokenizers.precomputed import ids_to_picture

        view = random.randrange(self.meta.views)
        results = draw(self.dataset, index, view, self.meta.seed)
        ids = torch.from_numpy(self.tokens[index, view].astype(np.int64))
        results['view'] = ids_to_picture(ids)  # (T, 3, gh, gw)
        return self.pipeline(results)
