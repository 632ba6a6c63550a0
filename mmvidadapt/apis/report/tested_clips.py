"""Predict the clips of a test, in several orders of frames, and read them."""

import copy
from typing import (
    Any,
    Dict,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

import numpy as np
import torch
from mmaction.registry import DATASETS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from torch import nn
from torch.utils.data import DataLoader, Dataset

from ..inspect.motion_report import reordered
from ..inspect.temporal_dependency import SHUFFLED, SINGLE, varied
from ..use.class_scores import class_probabilities, raw_scores, tasks_of

ORDERS = ('shuffled', 'reversed', 'single frame')
KEYS = ('filename', 'total_frames', 'original_shape')


class Facts(NamedTuple):
    """What a test saw of a video; 0 for what it did not see."""

    frames: int = 0
    width: int = 0
    height: int = 0


class Predictions(NamedTuple):
    """What was predicted of the N clips of a data set that have a label."""

    numbers: List[int]  # of the clips in the data set
    paths: List[str]
    labels: np.ndarray  # (N,)
    scores: np.ndarray  # (N, K)
    facts: Dict[str, Facts]
    unread: List[Tuple[str, str]]


class Task(NamedTuple):
    """Which of a clip's labels a report is of, and which of its scores."""

    name: Optional[str] = None
    label: int = 0
    scores: slice = slice(None)


def find_task(model: nn.Module, name: Optional[str] = None) -> Task:
    """Find a task of a recognizer by its name.

    Args:
        model (nn.Module): The recognizer.
        name (str, optional): None where it has one task. Defaults to None.

    Returns:
        Task: Its place among labels and scores.

    Raises:
        ValueError: If there is none of this name, or several without one.
    """
    tasks = tasks_of(model) or {}
    if name is None and not tasks:
        return Task()
    if name not in tasks:
        raise ValueError(
            f'task={name!r}: a report is of one task, and the recognizer has '
            f'{list(tasks) or "a single one, which has no name"}.'
        )
    place = list(tasks).index(name)
    first = sum(list(tasks.values())[:place])
    return Task(name, place, slice(first, first + tasks[name]))


def build_dataset(
    config: Config, order: str = 'plain', seed: int = 0
) -> Dataset:
    """Build the data set of a test, its frames in one order.

    Args:
        config (Config): With a ``test_dataloader``.
        order (str): ``'plain'`` or one of ``ORDERS``. Defaults to 'plain'.
        seed (int): Of random orders. Defaults to 0.

    Returns:
        Dataset: Its samples know file, length and size of their video.
    """
    described = copy.deepcopy(config.test_dataloader.dataset)
    steps = in_order(described.pipeline, order, seed)
    for step in steps:
        if str(step['type']).endswith('PackActionInputs'):
            step['meta_keys'] = (*step.get('meta_keys', ()), *KEYS)
    described.pipeline = steps
    return DATASETS.build(described)


def in_order(
    pipeline: Sequence[dict], order: str, seed: int = 0
) -> List[dict]:
    """Return a test pipeline that shows frames in another order.

    Args:
        pipeline (Sequence[dict]): Samples frames, then decodes them.
        order (str): ``'plain'`` or one of ``ORDERS``.
        seed (int): Of random orders. Defaults to 0.

    Returns:
        List[dict]: The steps.
    """
    if order == 'reversed':
        return reordered(pipeline, 'reversed')
    names = {'shuffled': SHUFFLED, 'single frame': SINGLE}
    return varied(pipeline, names.get(order, order), seed=seed)


def predict_scores(
    model: nn.Module,
    dataset: Dataset,
    batch_size: int,
    num_workers: int = 0,
    task: Optional[Task] = None,
) -> Predictions:
    """Compute the probabilities of the clips of a data set.

    Args:
        model (nn.Module): A recognizer with its weights and its ``cfg``.
        dataset (Dataset): The clips; those without a label are passed over.
        batch_size (int): Clips at a time.
        num_workers (int): Processes that decode. Defaults to 0.
        task (Task, optional): Whose labels and scores. Defaults to None: the
            only one's.

    Returns:
        Predictions: In the order of the data set.

    Raises:
        ValueError: If no clip has a label.
    """
    found, task = Predictions([], [], [], [], {}, []), task or Task()
    samples = _samples(model, dataset, batch_size, num_workers)
    for number, sample in enumerate(samples):
        label = int(sample.gt_label.flatten()[task.label])
        if label >= 0:
            scores = class_probabilities(model, sample)[task.scores]
            found.scores.append(scores.numpy())
            found.labels.append(label)
            _note(found, number, path_of(dataset, number), sample)
    if not found.labels:
        raise ValueError(
            f'None of {len(dataset)} clips has a label; write one behind '
            'every path of the list.'
        )
    arrays = np.array(found.labels), np.stack(found.scores)
    return found._replace(labels=arrays[0], scores=arrays[1])


def _samples(
    model: nn.Module, dataset: Dataset, batch_size: int, num_workers: int
) -> Iterator[ActionDataSample]:
    """Yield the clips of a data set with what is predicted of them."""
    loader = DataLoader(
        dataset, batch_size, num_workers=num_workers, collate_fn=pseudo_collate
    )
    with torch.no_grad(), raw_scores(model):
        for batch in loader:
            yield from model.test_step(batch)


def _note(found: Predictions, number: int, path: str, sample: Any) -> None:
    """Note which clip a sample is of, and what was seen of its video."""
    found.numbers.append(number)
    found.paths.append(path)
    if 'reason' in sample:
        found.unread.append((path, f'counts as wrong: {sample.reason}'))
        return
    height, width = sample.get('original_shape', (0, 0))[:2]
    frames = int(sample.get('total_frames', 0))
    found.facts[path] = Facts(frames, int(width), int(height))


def path_of(dataset: Dataset, index: int) -> str:
    """Return the file, or the folder of frames, of a clip."""
    info = dataset.get_data_info(index)
    return str(info.get('filename') or info.get('frame_dir') or index)


def decoded_frames(dataset: Dataset, clip: int) -> Sequence[np.ndarray]:
    """Run a pipeline until frames are decoded; return the middle view's.

    Args:
        dataset (Dataset): Of a test.
        clip (int): Number of the clip.

    Returns:
        Sequence[np.ndarray]: RGB, uint8, each ``(H, W, 3)``.
    """
    data = dataset.get_data_info(clip)
    for step in dataset.pipeline.transforms:
        data = step(data)
        if 'imgs' in data:
            break
    views = max(1, int(data.get('num_clips', 1)))
    length = len(data['imgs']) // views
    first = views // 2 * length
    return data['imgs'][first : first + length]
