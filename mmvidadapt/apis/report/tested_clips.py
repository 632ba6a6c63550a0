"""Predict the clips of a test, in several orders of frames, and read them."""

import copy
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np
import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from torch import nn
from torch.utils.data import DataLoader, Dataset

from ..inspect.motion_report import reordered
from ..inspect.temporal_dependency import SHUFFLED, SINGLE, varied
from ..use.class_scores import class_probabilities, raw_scores

ORDERS = ('shuffled', 'reversed', 'single frame')
KEYS = ('filename', 'total_frames', 'original_shape')


class Facts(NamedTuple):
    """What a test saw of a video; 0 for what it did not see."""

    frames: int = 0
    width: int = 0
    height: int = 0


class Predictions(NamedTuple):
    """What was predicted of the N clips of a data set."""

    paths: List[str]
    labels: np.ndarray  # (N,)
    scores: np.ndarray  # (N, K)
    facts: Dict[str, Facts]
    unread: List[Tuple[str, str]]


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
    model: nn.Module, dataset: Dataset, batch_size: int, num_workers: int = 0
) -> Predictions:
    """Compute the probabilities of all clips of a data set.

    Args:
        model (nn.Module): A recognizer with its weights and its ``cfg``.
        dataset (Dataset): The clips.
        batch_size (int): Clips at a time.
        num_workers (int): Processes that decode. Defaults to 0.

    Returns:
        Predictions: In the order of the data set.
    """
    loader = DataLoader(
        dataset, batch_size, num_workers=num_workers, collate_fn=pseudo_collate
    )
    labels, scores, facts, unread = [], [], {}, []
    paths = [path_of(dataset, i) for i in range(len(dataset))]
    with torch.no_grad(), raw_scores(model):
        for batch in loader:
            for sample in model.test_step(batch):
                path = paths[len(labels)]
                labels.append(int(sample.gt_label.flatten()[0]))
                scores.append(class_probabilities(model, sample).numpy())
                if 'reason' in sample:
                    unread.append((path, f'counts as wrong: {sample.reason}'))
                else:
                    facts[path] = _facts(sample)
    return Predictions(
        paths, np.array(labels), np.stack(scores), facts, unread
    )


def path_of(dataset: Dataset, index: int) -> str:
    """Return the file, or the folder of frames, of a clip."""
    info = dataset.get_data_info(index)
    return str(info.get('filename') or info.get('frame_dir') or index)


def _facts(sample: Any) -> Facts:
    """Read what the pipeline has seen of a video."""
    height, width = sample.get('original_shape', (0, 0))[:2]
    return Facts(int(sample.get('total_frames', 0)), int(width), int(height))


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
