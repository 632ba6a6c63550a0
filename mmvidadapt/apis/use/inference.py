"""Classify videos with a trained recognizer."""

import sys
from functools import partial
from pathlib import Path
from typing import (
    Any,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import numpy as np
import torch
from mmaction.apis import inference_recognizer, init_recognizer
from mmengine.config import Config
from mmengine.dataset import Compose
from torch import nn

from mmvidadapt.engine.checkpoints import read_checkpoint
from mmvidadapt.engine.plain_config import plain_config
from mmvidadapt.trunks.parts.segments import segments_of
from mmvidadapt.utils.process_iterator import ProcessDied, iterate_in_process
from mmvidadapt.utils.video import VideoError
from mmvidadapt.weights.load_hooks import compare, renamed

from .class_names import class_names, read_labels  # noqa: F401
from .class_scores import (
    best_classes,
    class_probabilities,
    raw_scores,
    tasks_of,
)
from .other_class import other_of
from .window_clips import WindowClips, merge_equal_clips, step_name
from .windows import Camera, list_videos, spans

DEFAULT_WINDOW = 2.0  # seconds of a camera


class Prediction(NamedTuple):
    """The best classes of one window of one video, best first."""

    source: str
    start: float  # seconds
    end: float
    top: List[Tuple[str, float]]  # (class, score)


def auto_device() -> str:
    """Return the first GPU, or the CPU where there is none."""
    return 'cuda:0' if torch.cuda.is_available() else 'cpu'


class Classifier:
    """A recognizer, its test pipeline and the names of its classes.

    Args:
        config (Config): Config with a ``test_pipeline``.
        checkpoint (str): Path or URL of a checkpoint that fits the config.
        device (str, optional): Such as 'cpu' or 'cuda:0'. Defaults to None:
            the first GPU if there is one.
        labels (Sequence[str], optional): Names of the classes.
            Defaults to None: those that the checkpoint or the config knows,
            else their numbers.
        topk (int): How many classes to name, of every task. Defaults to 5.
    """

    def __init__(
        self,
        config: Config,
        checkpoint: str,
        device: Optional[str] = None,
        labels: Optional[Sequence[str]] = None,
        topk: int = 5,
    ) -> None:
        if topk < 1:
            raise ValueError(f'topk={topk}: at least 1 class is named.')
        config = plain_config(config)
        if 'test_pipeline' not in config:
            raise ValueError(
                'The config has no top-level `test_pipeline`, '
                'which says how to read a video; add one.'
            )
        self.model = init_recognizer(config, device=device or auto_device())
        meta = load_strictly(self.model, checkpoint)
        self.pipeline, self.topk = list(config.test_pipeline), topk
        self.tasks = tasks_of(self.model)
        number = getattr(self.model.cls_head, 'num_classes', None)
        number = sum(self.tasks.values()) if self.tasks else number
        if labels is not None and number not in (None, len(labels)):
            raise ValueError(
                f'There are {len(labels)} labels, but the model has {number} '
                'classes.'
            )
        self.labels = labels or class_names(config, meta, number)
        self.other = other_of(config, meta, checkpoint)

    def _read(
        self,
        path: Union[str, Path],
        window: Optional[float],
        stride: Optional[float],
    ) -> Iterator[tuple]:
        """Yield start and end of every window, and what is classified."""
        clips = WindowClips(self.pipeline, path, segments_of(self.model))
        windows = spans(clips.info, window, stride)
        for span, data in zip(windows, clips.clips(windows)):
            yield (*(n / clips.info.fps for n in span), data)

    def video(
        self,
        path: Union[str, Path],
        window: Optional[float] = None,
        stride: Optional[float] = None,
        isolate: bool = False,
    ) -> Iterator[Prediction]:
        """Classify a video as a whole, or window by window.

        The file is opened once, and every frame is decoded once at most.

        Args:
            path (str | Path): The video.
            window (float, optional): Seconds per window. Defaults to None:
                the video as a whole.
            stride (float, optional): Seconds from window to window.
                Defaults to None: one window.
            isolate (bool): Whether a process of its own reads the video, so
                that a decoder that dies is an error, too. On Linux.
                Defaults to False.

        Yields:
            Prediction: One per window.

        Raises:
            VideoError: If the video cannot be opened or decoded.
        """
        read = partial(self._read, path, window, stride)
        isolate = isolate and sys.platform == 'linux'
        try:
            for *times, data in (
                iterate_in_process(read) if isolate else read()
            ):
                yield Prediction(str(path), *times, self.classify(data))
        except ProcessDied as error:
            raise VideoError(
                f'{path} cannot be read as a video: {error} Fetch the file '
                'again, or leave it out.'
            ) from error

    def frames(self, frames: Sequence[np.ndarray]) -> List[Tuple[str, float]]:
        """Classify RGB frames (H, W, 3) that are in memory."""
        steps = [dict(type='ArrayDecode')] + [
            s for s in self.pipeline if not is_decoding(s)
        ]
        # Frames are chosen before they are decoded.
        steps.insert(0, steps.pop(sampling_index(steps)))
        count = segments_of(self.model)
        steps.insert(1, partial(merge_equal_clips, num_segments=count))
        data = dict(
            array=frames,
            total_frames=len(frames),
            start_index=0,
            label=-1,
            modality='RGB',
        )
        return self.classify(Compose(steps)(data))

    def camera(
        self, camera: Camera, window: Optional[float] = None
    ) -> Iterator[Tuple[Prediction, List[np.ndarray]]]:
        """Classify what a camera sees, ``window`` seconds at a time."""
        window = window or DEFAULT_WINDOW
        for i, frames in enumerate(camera.windows(window)):
            yield (
                Prediction(
                    f'camera {camera.index}',
                    i * window,
                    (i + 1) * window,
                    self.frames(frames),
                ),
                frames,
            )

    def classify(self, data: dict) -> List[Tuple[str, float]]:
        """Name the best classes of what the pipeline has made."""
        with raw_scores(self.model):
            result = inference_recognizer(self.model, data, Compose([]))
        scores = class_probabilities(self.model, result)
        return best_classes(
            scores, self.labels, self.topk, self.tasks, self.other
        )


def is_decoding(step: dict) -> bool:
    """Check whether a step of a pipeline opens or decodes a file."""
    return step_name(step).endswith(('Init', 'Decode'))


def sampling_index(steps: Sequence[dict]) -> int:
    """Return the place of the step that chooses frames."""
    found = [i for i, s in enumerate(steps) if 'Sample' in step_name(s)]
    if not found:
        raise ValueError(
            'test_pipeline chooses no frames: it has no step '
            "such as dict(type='SampleFrames')."
        )
    return found[0]


def load_strictly(model: nn.Module, checkpoint: str) -> Mapping[str, Any]:
    """Load a checkpoint, or raise and say what differs; return its meta."""
    content = read_checkpoint(checkpoint, copy=False)  # loading copies it
    state_dict = content.get('state_dict', content)
    difference = compare(model, state_dict)
    if difference:
        advice = 'Give the config it was trained with.'
        raise difference.refusal(checkpoint, 'model', model, advice)
    model.load_state_dict(renamed(model, state_dict), strict=False)
    meta = content.get('meta') if 'state_dict' in content else None
    return meta if isinstance(meta, Mapping) else {}


def find_sources(source: str) -> List[Union[Path, int]]:
    """Return the videos behind a path or folder, or the camera's number."""
    path = Path(source)
    if path.is_dir():
        return list(list_videos(path))
    if path.is_file():
        return [path]
    if source.isdigit():
        return [int(source)]
    raise ValueError(f"'{source}' is no file, no folder and no camera number.")
