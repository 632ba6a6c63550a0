"""Look inside of data sets that repeat or join others."""

from typing import Iterator

from torch.utils.data import Dataset


def inner_datasets(dataset: Dataset) -> Iterator[Dataset]:
    """Yield the data sets inside of wrappers, or the data set itself.

    Args:
        dataset (Dataset): Such as a ``RepeatDataset`` of mmengine, a
            ``ClassBalancedDataset`` or a ``ConcatDataset``, however nested.

    Yields:
        Dataset: One that wraps no other.
    """
    inner = [*getattr(dataset, 'datasets', ())]
    if hasattr(dataset, 'dataset'):
        inner.append(dataset.dataset)
    for part in inner:
        yield from inner_datasets(part)
    if not inner:
        yield dataset


def inner_config(dataset: dict) -> dict:
    """Return the config of the data set inside of wrappers that repeat it.

    Args:
        dataset (dict): Config of a data set.

    Returns:
        dict: The part of it that has a pipeline; not a copy.

    Raises:
        ValueError: If there is none, or it is one of several.
    """
    while 'pipeline' not in dataset:
        if 'dataset' not in dataset:
            raise ValueError(
                f'A data set of type {dataset.get("type")} has no pipeline '
                'of its own here; give a config that reads one data set, '
                'wrapped or not.'
            )
        dataset = dataset['dataset']
    return dataset
