"""Hash a data set with its transforms: does a cache still belong to it?"""

import json
from itertools import chain
from typing import Optional

from torch.utils.data import Dataset

from .sha256 import hash_bytes


def data_key(
    described: dict, preprocessor: Optional[dict], dataset: Dataset
) -> str:
    """Hash everything that decides which pixels the trunk sees.

    Args:
        described (dict): Config of the data set, pipeline included.
        preprocessor (dict, optional): Config of the data preprocessor.
        dataset (Dataset): What was built of ``described``; the files and
            labels that it lists count, not where they are written down.

    Returns:
        str: SHA-256.
    """
    if not hasattr(dataset, 'get_data_info'):
        raise ValueError(
            f'{type(dataset).__name__} has no get_data_info, so nothing tells '
            'which videos it lists; cache a data set of mmaction2.'
        )
    videos = map(dataset.get_data_info, range(len(dataset)))
    return hash_bytes(map(_json, chain([[described, preprocessor]], videos)))


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, default=str).encode()
