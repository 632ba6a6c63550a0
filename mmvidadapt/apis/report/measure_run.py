"""Test a recognizer in several orders of frames, and collect a report."""

import copy
import json
import os
from pathlib import Path
from typing import (
    Any,
    Callable,
    Dict,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

import numpy as np
import torch
from mmaction.apis import init_recognizer
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmvidadapt.datasets.prepare.own_videos import RECORD
from mmvidadapt.datasets.prepare.video_folders import (
    Clip,
    Source,
    group_by,
)
from mmvidadapt.engine.plain_config import plain_config

from ..inspect.motion_report import reordered
from ..inspect.temporal_dependency import SHUFFLED, SINGLE, varied
from ..use.class_names import class_names
from ..use.class_scores import (
    class_probabilities,
    has_several_labels,
    raw_scores,
)
from ..use.inference import auto_device, load_strictly
from .contents import Looked, Report
from .learning_curves import read_curves
from .measures import surest_mistakes
from .where_looked import look

ORDERS = ('shuffled', 'reversed', 'single frame')
KEYS = ('filename', 'total_frames', 'original_shape', 'avg_fps')
MOST_LOOKED = 24


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
                    unread.append((path, sample.reason))
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


class RunReporter:
    """Test a recognizer, and collect what its report shows.

    Args:
        config (Config): Config of any recognizer, with a ``test_dataloader``.
        checkpoint (str): Checkpoint or adapter file that fits the config.
        labels (Sequence[str], optional): Names of the classes. Defaults to
            None: those that the checkpoint or the config knows, else their
            numbers.
        device (str, optional): Such as 'cpu' or 'cuda:0'. Defaults to None:
            the first GPU if there is one.
        num_workers (int): Processes that decode. Defaults to 0.
        seed (int): Of shuffled frames. Defaults to 0.

    Raises:
        ValueError: Where the config tests no videos, the checkpoint does not
            fit, or clips may have several labels.
    """

    def __init__(
        self,
        config: Config,
        checkpoint: str,
        labels: Optional[Sequence[str]] = None,
        device: Optional[str] = None,
        num_workers: int = 0,
        seed: int = 0,
    ) -> None:
        self.config, self.checkpoint = plain_config(config), checkpoint
        self.num_workers, self.seed = num_workers, seed
        check_pipeline(self.config)
        self.model = init_recognizer(
            self.config, device=device or auto_device()
        )
        meta = load_strictly(self.model, checkpoint)
        if has_several_labels(self.model):
            raise ValueError(
                f'{checkpoint} gives a clip several labels; a report compares '
                'one label with one prediction. Test it with tools/test.py.'
            )
        self.given = labels or class_names(
            self.config,
            meta,
            getattr(self.model.cls_head, 'num_classes', None),
        )

    def predict(self, order: str = 'plain') -> Predictions:
        """Test all clips, their frames in one order.

        Args:
            order (str): ``'plain'`` or one of ``ORDERS``.
                Defaults to 'plain'.

        Returns:
            Predictions: Of the clips in the order of the list.
        """
        size = self.config.test_dataloader.get('batch_size', 1)
        dataset = self.dataset(order)
        return predict_scores(self.model, dataset, size, self.num_workers)

    def dataset(self, order: str = 'plain') -> Dataset:
        """Build the data set of the test.

        Args:
            order (str): See :meth:`predict`. Defaults to 'plain'.

        Returns:
            Dataset: Its samples know file, length and size of their video.
        """
        described = copy.deepcopy(self.config.test_dataloader.dataset)
        steps = in_order(described.pipeline, order, self.seed)
        for step in steps:
            if str(step['type']).endswith('PackActionInputs'):
                step['meta_keys'] = (*step.get('meta_keys', ()), *KEYS)
        described.pipeline = steps
        return DATASETS.build(described)

    def classes(self, number: int) -> List[str]:
        """Name the classes; by their numbers where nobody knows names."""
        if self.given is None:
            return [str(i) for i in range(number)]
        if len(self.given) != number:
            raise ValueError(
                f'There are {len(self.given)} names of classes, and the model '
                f'has {number} classes; give one name for each.'
            )
        return list(self.given)

    def collect(
        self,
        orders: Sequence[str] = ORDERS,
        groups: Optional[str] = None,
        most_looked: int = MOST_LOOKED,
        title: str = 'Test report',
    ) -> Report:
        """Test the clips in all orders, and see where the model looks.

        Args:
            orders (Sequence[str]): Other orders of frames.
                Defaults to ('shuffled', 'reversed', 'single frame').
            groups (str, optional): Regular expression: paths where it finds
                the same are of one group. Defaults to None.
            most_looked (int): Clips into which the look is drawn.
                Defaults to 24.
            title (str): Heading. Defaults to 'Test report'.

        Returns:
            Report: Without commands.
        """
        plain = self.predict()
        names = self.classes(plain.scores.shape[1])
        root = common_root(plain.paths)
        clips = [
            Clip(os.path.relpath(path, root), names[label])
            for path, label in zip(plain.paths, plain.labels)
        ]
        if groups is not None:
            clips = group_by(Source(Path(root), clips), groups).clips
        report = Report(
            clips,
            names,
            plain.scores,
            title,
            root,
            [describe_split(self.config, len(clips), groups)],
            {order: self.predict(order).scores for order in orders},
            curves=read_curves(self.checkpoint),
            facts=plain.facts,
            left_out=[
                *((p, f'counts as wrong: {why}') for p, why in plain.unread),
                *left_out_of(self.config),
            ],
        )
        report.looked = self.look(report, plain, most_looked)
        return report

    def look(
        self, report: Report, plain: Predictions, most: int
    ) -> List[Looked]:
        """See where the model looks: mistakes, and a right clip a class.

        Args:
            report (Report): What was tested.
            plain (Predictions): Of the same clips.
            most (int): How many clips.

        Returns:
            List[Looked]: At most half of them mistakes.
        """
        unread = {path for path, _ in plain.unread}
        wrong = surest_mistakes(report.scores, report.labels)[: most // 2]
        clips = wrong + surest_of_classes(report)[: most - len(wrong)]
        dataset, found = self.dataset(), []
        for clip in clips:
            if plain.paths[clip] not in unread:
                frames, maps = look(self.model, dataset[clip])
                found.append(Looked(clip, frames.numpy(), maps.numpy()))
        return found

    def reader(self) -> Callable[[int], Sequence[np.ndarray]]:
        """Return what reads the frames of a clip, whole, by its number."""
        dataset = self.dataset()

        def read(clip: int) -> Sequence[np.ndarray]:
            return decoded_frames(dataset, clip)

        return read


def check_pipeline(config: Config) -> None:
    """Raise unless a config tests videos."""
    loader = config.get('test_dataloader') or {}
    if 'pipeline' not in loader.get('dataset', {}):
        raise ValueError(
            'The config has no `test_dataloader` whose `dataset` has a '
            '`pipeline`; give the config of a recognizer that tests videos.'
        )


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


def surest_of_classes(report: Report) -> List[int]:
    """List for every class the right clip with the highest score."""
    sure = np.where(report.right, report.scores.max(1), -1)  # (N,)
    found = []
    for label in range(len(report.classes)):
        own = np.flatnonzero((report.labels == label) & report.right)
        if len(own):
            found.append(int(own[sure[own].argmax()]))
    return found


def common_root(paths: Sequence[str]) -> str:
    """Return the deepest folder that holds all files."""
    folders = [os.path.dirname(os.path.abspath(path)) for path in paths]
    return os.path.commonpath(folders)


def describe_split(
    config: Config, number: int, groups: Optional[str] = None
) -> str:
    """Say which clips were tested."""
    listed = config.test_dataloader.dataset.get('ann_file', '')
    said = f'Tested were the {number} clips of {listed}'
    if groups is None:
        return f'{said}. Nothing is known of groups (--group-pattern).'
    return f'{said}; clips whose paths have the same {groups!r} are a group.'


def left_out_of(config: Config) -> List[Tuple[str, str]]:
    """Read what prepare_data.py left out, from its record beside the list."""
    listed = config.test_dataloader.dataset.get('ann_file')
    record = Path(str(listed)).with_name(RECORD)
    if not listed or not record.is_file():
        return []
    rejected = json.loads(record.read_text()).get('rejected', [])
    return [(entry['path'], entry['reason']) for entry in rejected]
