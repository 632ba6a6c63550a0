"""Read the windows of a video for a recognizer, in one pass over the file."""

import logging
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict, Iterator, List, Sequence, Union

import numpy as np
from mmengine.dataset import Compose
from mmengine.logging import print_log

from mmvidadapt.datasets.readers import iter_frames
from mmvidadapt.datasets.readers.open_container import check_regular
from mmvidadapt.utils.video import name_video

from .windows import FALLBACK_FPS, Span, VideoInfo

_WARNED: List[str] = []


class WindowClips:
    """A video, opened once by a test pipeline, and its windows as clips.

    Frames are chosen for every window by itself, decoded in the order of the
    file, each once, and kept for as long as a later window needs them. What
    only mmaction2's own decoders can read is opened anew for every window.

    Args:
        steps (Sequence[dict]): Config of the test pipeline.
        path (str | Path): The video.
        num_segments (int): Clips that the recognizer reads together.
            Defaults to 1.

    Raises:
        ValueError: If the pipeline opens or decodes nothing.
        VideoError: If the video cannot be opened.
    """

    def __init__(
        self,
        steps: Sequence[dict],
        path: Union[str, Path],
        num_segments: int = 1,
    ) -> None:
        opens = find_step(steps, ('Init',), "type='VideoInit'")
        decodes = find_step(steps, ('Decode',), "type='VideoDecode'")
        self.open = Compose(steps[: opens + 1])
        self.choose = Compose(steps[opens + 1 : decodes])
        self.decode = Compose(steps[decodes : decodes + 1])
        self.rest = Compose(steps[decodes + 1 :])
        self.path, self.num_segments = str(path), num_segments
        self.opened = self._open()
        self.info = VideoInfo(
            self.opened['total_frames'],
            self.opened.get('avg_fps') or FALLBACK_FPS,
        )

    def _open(self) -> Dict[str, Any]:
        """Open the file as the pipeline does."""
        said = dict(filename=self.path, start_index=0, label=-1)
        with name_video(self.path):
            check_regular(self.path)  # other openers wait for a pipe for ever
            return self.open(dict(said, modality='RGB'))

    def clips(self, spans: Sequence[Span]) -> Iterator[Dict[str, Any]]:
        """Pass the windows on to the rest of the pipeline.

        Args:
            spans (Sequence[Span]): The windows, in order.

        Yields:
            Dict[str, Any]: What the pipeline makes of a window.

        Raises:
            VideoError: If what a window needs cannot be decoded.
        """
        chosen = [self._choose(span) for span in spans]
        reader = self.opened['video_reader']
        if hasattr(reader, 'get_frames'):
            frames = SharedFrames(reader, [c['frame_inds'] for c in chosen])
        for number, results in enumerate(chosen):
            with name_video(self.path):
                if hasattr(reader, 'get_frames'):
                    take = partial(frames.take, number)
                    results['video_reader'] = SimpleNamespace(get_frames=take)
                elif number and not hasattr(reader, 'get_batch'):
                    # Of other readers nobody knows if they can go back.
                    results['video_reader'] = self._open()['video_reader']
                results = self.decode(results)
            yield self.rest(results)

    def _choose(self, span: Span) -> Dict[str, Any]:
        """Choose the frames of a window."""
        results = dict(self.opened)
        results['start_index'] += span.first
        results['total_frames'] = span.last - span.first
        results = self.choose(results)
        warn_of_loops(results)
        return merge_equal_clips(results, self.num_segments)


class SharedFrames:
    """Frames of windows that may overlap, decoded once.

    Args:
        reader (object): Of :func:`mmvidadapt.datasets.readers.open_video`.
        wanted (List[np.ndarray]): Numbers of the frames of every window.
    """

    def __init__(self, reader: object, wanted: List[np.ndarray]) -> None:
        numbers = [np.unique(inds) for inds in wanted]
        self.coming = iter_frames(reader, np.unique(np.concatenate(numbers)))
        self.kept: Dict[int, np.ndarray] = {}
        # The first frame that the windows behind each one need.
        firsts = [inds[0] for inds in numbers[1:]] + [np.inf]
        self.firsts = np.minimum.accumulate(firsts[::-1])[::-1]

    def take(self, window: int, indices: np.ndarray) -> List[np.ndarray]:
        """Return the frames of a window; call it for one after the other.

        Args:
            window (int): Its number.
            indices (np.ndarray): Numbers of its frames, in any order.

        Returns:
            List[np.ndarray]: RGB frames (H, W, 3), each with its own memory.
        """
        indices = np.ravel(indices).tolist()
        while not self.kept.keys() >= set(indices):
            self.kept.update([next(self.coming)])
        images = [self.kept[i].copy() for i in indices]
        for number in [n for n in self.kept if n < self.firsts[window]]:
            del self.kept[number]
        return images


def merge_equal_clips(
    results: Dict[str, Any], num_segments: int = 1
) -> Dict[str, Any]:
    """Drop test clips that are all the same: one has the same result.

    Args:
        results (Dict[str, Any]): With ``frame_inds``.
        num_segments (int): Clips that the recognizer reads together, so that
            as many have to stay. Defaults to 1.

    Returns:
        Dict[str, Any]: The results, of ``num_segments`` clips where all were
        the same.
    """
    length = results.get('clip_len', 1)
    inds = np.ravel(results['frame_inds'])
    if length != 1 and results.get('num_clips', 1) * length == len(inds):
        clips = inds.reshape(-1, length)
        if (clips == clips[0]).all():
            kept = clips[:num_segments]
            results.update(frame_inds=kept.ravel(), num_clips=len(kept))
    return results


def warn_of_loops(results: Dict[str, Any]) -> None:
    """Warn once that a sampler starts again where a window ends."""
    length, interval = results.get('clip_len', 1), results['frame_interval']
    total = results['total_frames']
    if length == 1 or total >= length * (interval or 1) or _WARNED:
        return
    steps = np.diff(results['frame_inds'].reshape(-1, length))
    if (steps < 0).any() and (steps > 0).any():
        _WARNED.append(results['filename'])
        print_log(
            f'{results["filename"]}, or a window of it, has {total} frames, '
            f'fewer than a clip of {length} x {interval}, and test_pipeline '
            'starts again at the first of them, so that they are out of '
            "order. dict(type='SpreadSampleFrames') in the place of "
            "'SampleFrames' reads them in order. This is said once.",
            logger='current',
            level=logging.WARNING,
        )


def step_name(step: dict) -> str:
    """Name the class of a step of a pipeline."""
    kind = step['type']
    name = kind if isinstance(kind, str) else kind.__name__
    return name.rpartition('.')[2]


def find_step(steps: Sequence[dict], ends: tuple, example: str) -> int:
    """Find the first step whose name has one of several ends."""
    for place, step in enumerate(steps):
        if step_name(step).endswith(ends):
            return place
    raise ValueError(
        'test_pipeline does not open and decode videos: it has no step such '
        f'as dict({example}).'
    )
