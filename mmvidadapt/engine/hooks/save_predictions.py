"""Look at what was predicted."""

from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional, Sequence

import cv2
import numpy as np
from mmaction.registry import HOOKS
from mmaction.structures import ActionDataSample
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from mmvidadapt.utils.video import draw_text, write_video

FPS = 8


@HOOKS.register_module()
class SavePredictionsHook(Hook):
    """Write or show test clips with label and prediction burnt in.

    In the place of mmaction2 1.2.0's ``VisualizationHook``, which passes its
    visualizer an argument that it does not have and reads clips ``(3, T, H,
    W)`` where recognizers get ``(views, 3, T, H, W)``.

    Args:
        out_dir (str, optional): Folder for the videos. Defaults to None.
        interval (int): Every how many clips one is taken. Defaults to 1.
        show (bool): Whether to open a window. Defaults to False.
        wait_time (float): Seconds that a shown clip stays. Defaults to 2.0.
    """

    def __init__(
        self,
        out_dir: Optional[str] = None,
        interval: int = 1,
        show: bool = False,
        wait_time: float = 2.0,
    ) -> None:
        self.out_dir, self.interval = out_dir, interval
        self.show, self.wait_time = show, wait_time
        self.seen = 0

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Optional[dict] = None,
        outputs: Sequence[ActionDataSample] = (),
    ) -> None:
        """Take every ``interval``-th clip of the batch."""
        classes = runner.test_dataloader.dataset.metainfo.get('classes')
        for views, sample in zip(data_batch['inputs'], outputs):
            if self.seen % self.interval == 0:
                lines = describe(sample, classes)
                # first view (3, T, H, W) -> (T, H, W, 3)
                clip = views[0].permute(1, 2, 3, 0).byte().cpu().numpy()
                self.draw(
                    f'rank{runner.rank}_{self.seen:05d}',
                    [draw_text(f, lines) for f in clip],
                )
            self.seen += 1

    def draw(self, name: str, frames: Sequence[np.ndarray]) -> None:
        """Write the clip, show it, or both."""
        if self.out_dir is not None:
            write_video(Path(self.out_dir, f'{name}.mp4'), frames, FPS)
        if self.show:
            pause = max(1, int(1000 * self.wait_time / len(frames)))
            for frame in frames:
                cv2.imshow('prediction', frame[..., ::-1])
                cv2.waitKey(pause)


def describe(
    sample: ActionDataSample, classes: Optional[Sequence[str]]
) -> Sequence[str]:
    """Format the prediction, its score and the true class."""

    def name(label: int) -> str:
        return str(classes[label] if classes else label)

    scores, truth = sample.pred_score, sample.gt_label
    if isinstance(scores, dict):  # of several tasks
        return [
            line
            for part, label, start in _tasks(scores, truth)
            for line in _lines(part, label, lambda i, s=start: name(s + i))
        ]
    if len(truth) > 1:  # one number per class, of several labels
        truth = truth.nonzero().flatten()
    return _lines(scores, truth, name)


def _tasks(scores: Dict[str, Tensor], truth: Tensor) -> Iterator[tuple]:
    """Yield scores and label of every task, and where its names begin."""
    start = 0
    for part, label in zip(scores.values(), truth.split(1)):
        yield part, label, start
        start += len(part)


def _lines(
    scores: Tensor, truth: Tensor, name: Callable[[int], str]
) -> List[str]:
    """Name the best class and the true ones."""
    guess = int(scores.argmax())
    lines = [f'{name(guess)} {float(scores[guess]):.2f}']
    known = [name(label) for label in truth.tolist() if label >= 0]
    if known:
        lines.append(f'label: {", ".join(known)}')
    return lines
