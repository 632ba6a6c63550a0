"""Videos of which some cannot be read, without losing a run or a count."""

import logging
import os.path as osp
import random
from typing import Any, Callable, Dict, List, Optional, Sequence, Union

import torch
from mmaction.datasets import VideoDataset
from mmaction.registry import DATASETS
from mmaction.structures import ActionDataSample
from mmengine.logging import print_log

from mmvidadapt.utils.printable import printable, printable_lines
from mmvidadapt.utils.video import VideoError, unreadable

from .annotations import read_annotations
from .worker_state import WorkerState

IN_A_ROW = 20  # unreadable videos, one after the other, are no accident
SHOWN = 10  # files that an error lists


@DATASETS.register_module()
class CheckedVideoDataset(VideoDataset):
    """mmaction2's ``VideoDataset`` with some damaged videos in it.

    In training an unreadable video is replaced by another one, logged once
    with the reason, and counted; too many stop the run. In evaluation it is
    kept and counts as wrong, whatever the model says, and
    :class:`~mmvidadapt.engine.ManifestHook` lists it. Bad lines of the
    annotation file are named with their numbers.

    Args:
        ann_file (str): Path and label in every line; paths may hold spaces.
        pipeline (List[dict | Callable]): Transforms.
        data_prefix (dict): Folder of the videos.
            Defaults to ``{'video':''}``.
        max_bad_ratio (float): Share of the videos that may be unreadable in
            training. Defaults to 0.01.
        tasks (Sequence[str]): Names of the tasks, such as ``('verb',
            'noun')``, where every line has a label for each in this order,
            ``a.mp4 3 17``, -1 where it is not known. ``gt_label`` holds them
            in the alphabetical order of the tasks. Defaults to (): there is
            one label.
        **dataset: Passed on to ``VideoDataset``.

    Raises:
        ValueError: If lines of the annotation file are not understood, or
            with ``tasks`` and ``multi_class``.
    """

    def __init__(
        self,
        ann_file: str,
        pipeline: List[Union[dict, Callable]],
        data_prefix: dict = dict(video=''),  # noqa: B006
        max_bad_ratio: float = 0.01,
        tasks: Sequence[str] = (),
        **dataset: Any,
    ) -> None:
        if not 0 <= max_bad_ratio <= 1:
            raise ValueError(
                f'max_bad_ratio={max_bad_ratio}: give a share from 0 to 1.'
            )
        if tasks and dataset.get('multi_class'):
            raise ValueError(
                f'tasks={tuple(tasks)} has one label for each task, and '
                'multi_class=True any number of labels: choose one of them.'
            )
        self.max_bad_ratio, self.in_a_row = max_bad_ratio, 0
        self.tasks = tuple(tasks)
        super().__init__(
            ann_file, pipeline=pipeline, data_prefix=data_prefix, **dataset
        )

    def load_data_list(self) -> List[dict]:
        """Read the annotation file."""
        names, labels = self._annotations(self.num_classes)
        folder = self.data_prefix['video'] or ''
        several = self.multi_class or self.tasks
        self.top_label = max(
            (max(found, default=-1) for found in labels) if several else labels
        )
        if self.tasks:  # of every head in this order
            order = sorted(range(len(self.tasks)), key=self.tasks.__getitem__)
            labels = [[found[i] for i in order] for found in labels]
        return [
            dict(filename=osp.join(folder, name), label=label)
            for name, label in zip(names, labels)
        ]

    def check_labels(
        self, num_classes: Union[int, Dict[str, int]], needed: bool = True
    ) -> None:
        """Raise where a label is none of the model's classes.

        Args:
            num_classes (int | Dict[str, int]): Of the model, or of each of
                its tasks.
            needed (bool): Whether a list without any labels is wrong, too.
                Defaults to True.
        """
        if needed and self.top_label < 0:
            raise ValueError(
                f'{self.ann_file} has no labels to learn from; write one '
                'behind every path.'
            )
        wanted = sorted(num_classes) if isinstance(num_classes, dict) else []
        if needed and sorted(self.tasks) != wanted:
            raise ValueError(
                f'The data set of {self.ann_file} has tasks={self.tasks}, and '
                f'the head has num_classes={num_classes}: name the same '
                'tasks.'
            )
        if wanted:
            self._annotations([num_classes[task] for task in self.tasks])
        elif self.top_label >= num_classes:
            self._annotations(num_classes)

    def _annotations(
        self, num_classes: Union[int, Sequence[int], None]
    ) -> tuple:
        """Read names and labels, which must be lower than a number."""
        return read_annotations(
            self.ann_file,
            self.delimiter,
            self.multi_class,
            num_classes,
            len(self.tasks),
        )

    def full_init(self) -> None:
        """Read the annotation file, and know of no bad video yet."""
        if not self._fully_initialized:
            super().full_init()
            self.ledger = WorkerState(len(self))

    def prepare_data(self, idx: int) -> Optional[dict]:
        """Load a clip, or what replaces it if it cannot be read."""
        try:
            data = self._read(idx)
        except unreadable() as error:
            reason = (str(error).strip() or repr(error)).splitlines()[0]
            if self.test_mode:
                return self._counted_as_wrong(idx, reason)
            return self._left_out(idx, reason)
        self.in_a_row = 0
        return data

    def get_cat_ids(self, idx: int) -> List[int]:
        """Return the labels of a clip, for ``ClassBalancedDataset``.

        Args:
            idx (int): Number of the clip.

        Returns:
            List[int]: Its labels, none where it has no label; where there
            are tasks, the label of the last of ``tasks``.
        """
        label = self.get_data_info(idx)['label']
        if isinstance(label, torch.Tensor):  # a number a class
            return label.nonzero().flatten().tolist()
        if self.tasks:
            label = label[sorted(self.tasks).index(self.tasks[-1])]
        return [label] if label >= 0 else []

    def path(self, idx: int) -> str:
        """Return the file of a clip."""
        return self.get_data_info(idx)['filename']

    def _read(self, idx: int) -> Optional[dict]:
        """Load a clip; note its number, so that a crash can be named."""
        with self.ledger.reading(idx):
            return super().prepare_data(idx)

    def _left_out(self, idx: int, reason: str) -> None:
        """Skip an unreadable clip, unless that happens too often."""
        self._log(idx, f'It is replaced in training: {reason}')
        self.in_a_row += 1
        if self.in_a_row > IN_A_ROW:
            raise VideoError(
                f'{self.path(idx)} is the last of {self.in_a_row} videos in a '
                f'row that cannot be read ({reason}). Is data_prefix='
                f'{dict(self.data_prefix)} right?'
            )
        self.check_ratio()

    def check_ratio(self) -> None:
        """Raise where too many videos were found unreadable."""
        bad, size = self.ledger.count(), len(self)
        if bad > self.max_bad_ratio * size:
            paths = [self.path(i) for i in self.ledger.listed(SHOWN)]
            raise VideoError(
                f'{bad} of the {size} videos of {self.ann_file} were found '
                f'unreadable, more than max_bad_ratio={self.max_bad_ratio:g}:'
                + ''.join(f'\n  {path}' for path in paths)
                + ('\n  ...' if bad > SHOWN else '')
                + '\nFetch them again, take them out of the list, correct '
                f'data_prefix={dict(self.data_prefix)} if they are elsewhere, '
                'or set max_bad_ratio higher. The log has the reasons.'
            )

    def _counted_as_wrong(self, idx: int, reason: str) -> dict:
        """Return the pixels of another clip as an unreadable sample."""
        self._log(idx, f'It counts as wrong: {reason}')
        data, info = self._another(idx), self.get_data_info(idx)
        sample = UnreadableSample(metainfo=data['data_samples'].metainfo)
        sample.set_metainfo(dict(filename=info['filename'], reason=reason))
        data['data_samples'] = sample.set_gt_label(info['label'])
        return data

    def _another(self, idx: int) -> dict:
        """Load a clip of a readable video, the same every time."""
        draw = random.Random(idx)
        for other in (draw.randrange(len(self)) for _ in range(IN_A_ROW)):
            try:
                return self._read(other)
            except unreadable():
                continue
        raise VideoError(
            f'{self.path(idx)} cannot be read, nor can any of {IN_A_ROW} '
            f'other videos of {self.ann_file}. Is data_prefix='
            f'{dict(self.data_prefix)} right?'
        )

    def _log(self, idx: int, message: str) -> None:
        """Log a video once. Level 'error' is shown by all processes."""
        if self.ledger.add(idx):
            bad = f'{self.ledger.count()} of {len(self)} so far'
            print_log(
                f'Unreadable video {printable(self.path(idx))} ({bad}). '
                f'{printable_lines(message)}',
                logger='current',
                level=logging.ERROR,
            )


class UnreadableSample(ActionDataSample):
    """A sample that no prediction can make right; ``reason`` says why."""

    def set_pred_score(
        self, value: Union[torch.Tensor, Dict[str, torch.Tensor]]
    ) -> 'UnreadableSample':
        """Set the score of the true classes to 0, the others equal."""
        if isinstance(value, dict):  # a task each, with a label each
            score = {
                task: _all_but(known[known >= 0], scores)
                for (task, scores), known in zip(
                    value.items(), self.gt_label.split(1)
                )
            }
            return super().set_pred_score(score)
        truth = self.gt_label
        # One number per class where there are several classes to a video.
        several = len(truth) == value.shape[-1]
        known = (truth > 0).nonzero() if several else truth[truth >= 0]
        return super().set_pred_score(_all_but(known, value))

    def set_pred_label(self, value: torch.Tensor) -> 'UnreadableSample':
        """Take the label from the scores that were given."""
        scores = self.pred_score
        scores = scores.values() if isinstance(scores, dict) else [scores]
        best = [score.argmax(-1, keepdim=True) for score in scores]
        return super().set_pred_label(torch.cat(best))


def _all_but(classes: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """Return scores that are equal, and 0 for some classes."""
    equal = torch.full_like(scores, 1 / max(1, scores.shape[-1] - 1))
    equal[..., classes.to(scores.device)] = 0
    return equal
