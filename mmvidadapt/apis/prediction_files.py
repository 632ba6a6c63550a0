"""Print predictions, and write them as JSON, CSV or video."""

import csv
import json
from pathlib import Path
from typing import List, Sequence, Union

import numpy as np

from mmvidadapt.utils.printable import printable
from mmvidadapt.utils.video import draw_text, write_video

from .inference import Prediction
from .windows import read_frames, video_info

Place = Union[str, Path]


def table(prediction: Prediction) -> str:
    """Draw the best classes of a window as a table."""
    top = [(printable(name), score) for name, score in prediction.top]
    width = max(len(name) for name, _ in top)
    rows = [
        f'  {i}  {name:<{width}}  {score:7.2%}'
        for i, (name, score) in enumerate(top, start=1)
    ]
    head = (
        f'{printable(prediction.source)}  {prediction.start:.1f} to '
        f'{prediction.end:.1f} s'
    )
    return '\n'.join([head] + rows)


def write_json(path: Place, predictions: Sequence[Prediction]) -> None:
    """Write all predictions as a JSON list."""
    rows = [
        dict(p._asdict(), top=[dict(label=n, score=s) for n, s in p.top])
        for p in predictions
    ]
    Path(path).write_text(json.dumps(rows, indent=2), encoding='utf-8')


def write_csv(path: Place, predictions: Sequence[Prediction]) -> None:
    """Write one row per window and class."""
    with open(path, 'w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(['source', 'start', 'end', 'rank', 'label', 'score'])
        for p in predictions:
            for rank, (name, score) in enumerate(p.top, start=1):
                writer.writerow(
                    [
                        p.source,
                        f'{p.start:.3f}',
                        f'{p.end:.3f}',
                        rank,
                        name,
                        f'{score:.6f}',
                    ]
                )


def caption(prediction: Prediction) -> List[str]:
    """Return the lines to burn into the frames of a window."""
    return [f'{name} {score:.0%}' for name, score in prediction.top[:3]]


def annotate(
    path: Place, predictions: Sequence[Prediction], out: Place
) -> None:
    """Write a video again with its predictions burnt in.

    A frame in several windows shows the one whose middle is nearest.

    Args:
        path (str | Path): The video.
        predictions (Sequence[Prediction]): Its predictions.
        out (str | Path): The file to write, ending in ``.mp4``.
    """
    fps = video_info(path).fps
    middles = np.array([(p.start + p.end) / 2 for p in predictions])

    def lines(index: int) -> List[str]:
        nearest = int(np.abs(middles - (index + 0.5) / fps).argmin())
        return caption(predictions[nearest])

    write_video(
        out,
        (
            draw_text(frame, lines(i))
            for i, frame in enumerate(read_frames(path))
        ),
        fps,
    )
