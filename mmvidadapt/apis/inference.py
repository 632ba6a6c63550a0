"""Classify videos with a trained recognizer."""

from pathlib import Path
from typing import (
    Callable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import numpy as np
import torch
from mmaction.apis import inference_recognizer, init_recognizer
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.dataset import Compose
from torch import nn

from mmvidadapt.engine.checkpoints import read_checkpoint
from mmvidadapt.engine.plain_config import plain_config
from mmvidadapt.utils.video import name_video
from mmvidadapt.weights.compare import compare, renamed

from .windows import (
    Camera,
    Span,
    list_videos,
    restrict,
    spans,
    video_info,
)

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
            Defaults to None: their numbers.
        topk (int): How many classes to name. Defaults to 5.
    """

    def __init__(
        self,
        config: Config,
        checkpoint: str,
        device: Optional[str] = None,
        labels: Optional[Sequence[str]] = None,
        topk: int = 5,
    ) -> None:
        config = plain_config(config)
        if 'test_pipeline' not in config:
            raise ValueError(
                'The config has no top-level `test_pipeline`, '
                'which says how to read a video; add one.'
            )
        self.model = init_recognizer(config, device=device or auto_device())
        load_strictly(self.model, checkpoint)
        self.pipeline = list(config.test_pipeline)
        self.labels, self.topk = labels, topk

    def video(
        self,
        path: Union[str, Path],
        window: Optional[float] = None,
        stride: Optional[float] = None,
    ) -> Iterator[Prediction]:
        """Classify a video as a whole, or window by window.

        Args:
            path (str | Path): The video.
            window (float, optional): Seconds per window. Defaults to None:
                the video as a whole.
            stride (float, optional): Seconds from window to window.
                Defaults to None: one window.

        Yields:
            Prediction: One per window.

        Raises:
            VideoError: If the video cannot be opened or decoded.
        """
        info = video_info(path)
        for span in spans(info, window, stride):
            result = inference_recognizer(
                self.model, str(path), self.restricted(span)
            )
            yield Prediction(
                str(path),
                span.first / info.fps,
                span.last / info.fps,
                self.best(result),
            )

    def frames(self, frames: Sequence[np.ndarray]) -> List[Tuple[str, float]]:
        """Classify RGB frames (H, W, 3) that are in memory."""
        steps = [dict(type='ArrayDecode')] + [
            s for s in self.pipeline if not is_decoding(s)
        ]
        # Frames are chosen before they are decoded.
        steps.insert(0, steps.pop(sampling_index(steps)))
        data = dict(
            array=frames,
            total_frames=len(frames),
            start_index=0,
            label=-1,
            modality='RGB',
        )
        return self.best(
            inference_recognizer(self.model, data, Compose(steps))
        )

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

    def restricted(self, span: Span) -> Callable[[dict], dict]:
        """Return the pipeline that sees one window only."""
        steps = list(self.pipeline)
        opens = [i for i, s in enumerate(steps) if s['type'].endswith('Init')]
        if not opens:
            raise ValueError(
                'test_pipeline does not open videos: it has no '
                "step such as dict(type='DecordInit')."
            )
        steps.insert(opens[0] + 1, restrict(span))
        pipeline = Compose(steps)

        def run(results: dict) -> dict:
            with name_video(results['filename']):
                return pipeline(results)

        return run

    def best(self, result: ActionDataSample) -> List[Tuple[str, float]]:
        """Name the best classes of a result."""
        scores = result.pred_score.float().cpu()
        if self.labels is not None and len(self.labels) != len(scores):
            raise ValueError(
                f'There are {len(self.labels)} labels, but the '
                f'model has {len(scores)} classes.'
            )
        values, ids = scores.topk(min(self.topk, len(scores)))
        names = self.labels or [str(i) for i in range(len(scores))]
        return [(names[i], v) for i, v in zip(ids.tolist(), values.tolist())]


def is_decoding(step: dict) -> bool:
    """Whether a step of a pipeline opens or decodes a file."""
    return step['type'].endswith(('Init', 'Decode'))


def sampling_index(steps: Sequence[dict]) -> int:
    """Return the place of the step that chooses frames."""
    found = [i for i, s in enumerate(steps) if 'Sample' in s['type']]
    if not found:
        raise ValueError(
            'test_pipeline chooses no frames: it has no step '
            "such as dict(type='SampleFrames')."
        )
    return found[0]


def load_strictly(model: nn.Module, checkpoint: str) -> None:
    """Load a checkpoint, or raise and say what differs."""
    content = read_checkpoint(checkpoint, copy=False)  # loading copies it
    state_dict = content.get('state_dict', content)
    difference = compare(model, state_dict)
    if difference:
        raise ValueError(
            f'{checkpoint} does not fit the model '
            f'{type(model).__name__}:\n{difference}\n'
            'Give the config it was trained with.'
        )
    model.load_state_dict(renamed(model, state_dict), strict=False)


def read_labels(path: Union[str, Path]) -> List[str]:
    """Read the names of classes, one per line."""
    lines = Path(path).read_text(encoding='utf-8').splitlines()
    return [line.strip() for line in lines if line.strip()]


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
