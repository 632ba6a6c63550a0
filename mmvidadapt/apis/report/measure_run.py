"""Test a recognizer, and collect what its report shows."""

import json
import os
from pathlib import Path
from typing import Callable, List, Optional, Sequence, Tuple, Union

import numpy as np
from mmaction.apis import init_recognizer
from mmengine.config import Config

from mmvidadapt.datasets.prepare.own_videos import RECORD
from mmvidadapt.datasets.prepare.video_folders import Clip, Source, group_by
from mmvidadapt.engine.plain_config import plain_config

from ..use.class_names import class_names
from ..use.class_scores import has_several_labels
from ..use.inference import auto_device, load_strictly
from ..use.other_class import other_of
from .contents import Looked, Report
from .learning_curves import read_curves
from .measures import surest_mistakes, surest_of_classes
from .tested_clips import (
    ORDERS,
    Predictions,
    build_dataset,
    decoded_frames,
    find_task,
    predict_scores,
)
from .where_looked import look

MOST_LOOKED = 24
Groups = Union[str, Sequence[Optional[str]], None]


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
        task (str, optional): Which task of a recognizer that has several.
            Defaults to None.

    Raises:
        ValueError: Where the config tests no videos, the checkpoint does not
            fit, there is no such task, or clips may have several labels.
    """

    def __init__(
        self,
        config: Config,
        checkpoint: str,
        labels: Optional[Sequence[str]] = None,
        device: Optional[str] = None,
        num_workers: int = 0,
        seed: int = 0,
        task: Optional[str] = None,
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
        self.task = find_task(self.model, task)
        number = getattr(self.model.cls_head, 'num_classes', None)
        number = sum(number.values()) if self.task.name else number
        self.given = labels or class_names(self.config, meta, number)
        self.other = other_of(self.config, meta, checkpoint)
        self.numbers: Optional[List[int]] = None

    def predict(self, order: str = 'plain') -> Predictions:
        """Test all clips, their frames in one order.

        Args:
            order (str): ``'plain'`` or one of ``ORDERS``.
                Defaults to 'plain'.

        Returns:
            Predictions: Of the clips in the order of the list.
        """
        size = self.config.test_dataloader.get('batch_size', 1)
        dataset = build_dataset(self.config, order, self.seed)
        return predict_scores(
            self.model, dataset, size, self.num_workers, self.task
        )

    def classes(self, number: int) -> List[str]:
        """Name the classes; by their numbers where nobody knows names."""
        if self.given is None:
            return [str(i) for i in range(number)]
        names = list(self.given)
        if len(names) != number:  # those of all tasks
            names = names[self.task.scores]
        if len(names) != number:
            raise ValueError(
                f'There are {len(self.given)} names of classes, and the model '
                f'has {number} classes; give one name for each.'
            )
        return names

    def collect(
        self,
        orders: Sequence[str] = ORDERS,
        groups: Groups = None,
        most_looked: int = MOST_LOOKED,
        title: str = 'Test report',
    ) -> Report:
        """Test the clips in all orders, and see where the model looks.

        Args:
            orders (Sequence[str]): Other orders of frames.
                Defaults to ('shuffled', 'reversed', 'single frame').
            groups (str | Sequence[str | None], optional): Regular expression,
                paths where it finds the same are of one group; or the group
                of every clip of the list. Defaults to None.
            most_looked (int): Clips that are looked into. Defaults to 24.
            title (str): Heading. Defaults to 'Test report'.

        Returns:
            Report: Without commands.
        """
        plain = self.predict()
        self.numbers = plain.numbers
        names = self.classes(plain.scores.shape[1])
        clips, root = grouped_clips(plain, names, groups)
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
            left_out=[*plain.unread, *left_out_of(self.config)],
            other=self.other,
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
        named = report.predicted
        found = (report.scores, report.labels, named)
        wrong = surest_mistakes(*found)[: most // 2]
        right = surest_of_classes(*found)
        clips = wrong + right[: most - len(wrong)]
        dataset, looks = build_dataset(self.config), []
        for clip in clips:
            if plain.paths[clip] not in unread:
                sample = dataset[plain.numbers[clip]]
                frames, maps = look(
                    self.model, sample, int(named[clip]), self.task.name
                )
                looks.append(Looked(clip, frames.numpy(), maps.numpy()))
        return looks

    def reader(self) -> Callable[[int], Sequence[np.ndarray]]:
        """Return what reads the frames of a clip of the report, whole."""
        dataset, numbers = build_dataset(self.config), self.numbers
        return lambda clip: decoded_frames(
            dataset, clip if numbers is None else numbers[clip]
        )


def check_pipeline(config: Config) -> None:
    """Raise unless a config tests videos."""
    loader = config.get('test_dataloader') or {}
    if 'pipeline' not in loader.get('dataset', {}):
        raise ValueError(
            'The config has no `test_dataloader` whose `dataset` has a '
            '`pipeline`; give the config of a recognizer that tests videos.'
        )


def grouped_clips(
    plain: Predictions, names: Sequence[str], groups: Groups
) -> Tuple[List[Clip], str]:
    """List the clips that were tested, with their groups.

    Args:
        plain (Predictions): Of them.
        names (Sequence[str]): Of the classes.
        groups (str | Sequence[str | None], optional): See
            :meth:`RunReporter.collect`.

    Returns:
        Tuple[List[Clip], str]: In the order of the list, and the deepest
        folder that holds all files, which paths are relative to.

    Raises:
        ValueError: If there are not as many groups as clips, or the
            expression finds nothing in a path.
    """
    folders = [os.path.dirname(os.path.abspath(p)) for p in plain.paths]
    root = os.path.commonpath(folders)
    clips = [
        Clip(os.path.relpath(path, root), names[label])
        for path, label in zip(plain.paths, plain.labels)
    ]
    if groups is None:
        return clips, root
    if isinstance(groups, str):
        return group_by(Source(Path(root), clips), groups).clips, root
    if len(groups) != len(clips):
        raise ValueError(
            f'{len(groups)} groups for {len(clips)} clips: give one for every '
            'line of the list.'
        )
    return [c._replace(group=g) for c, g in zip(clips, groups)], root


def describe_split(config: Config, number: int, groups: Groups = None) -> str:
    """Say which clips were tested."""
    listed = config.test_dataloader.dataset.get('ann_file', '')
    said = f'Tested were the {number} clips of {listed}'
    if groups is None:
        return f'{said}. Nothing is known of groups (--group-pattern).'
    if isinstance(groups, str):
        said += f'; paths where {groups} finds the same are a group'
    return f'{said}.'


def left_out_of(config: Config) -> List[Tuple[str, str]]:
    """Read what prepare_data.py left out, from its record beside the list."""
    listed = config.test_dataloader.dataset.get('ann_file')
    record = Path(str(listed)).with_name(RECORD)
    if not listed or not record.is_file():
        return []
    rejected = json.loads(record.read_text()).get('rejected', [])
    return [(entry['path'], entry['reason']) for entry in rejected]
