"""Print predictions, and write them as JSON, CSV or video."""

import csv
import json
import os
import textwrap
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Iterator, List, Optional, Sequence, TextIO, Union

import numpy as np

from mmvidadapt.utils.printable import printable
from mmvidadapt.utils.text_table import text_table
from mmvidadapt.utils.video import draw_text, write_video

from .inference import Prediction
from .windows import read_frames, video_info

Place = Union[str, Path]
COLUMNS = ('source', 'start', 'end', 'rank', 'label', 'score')


def table(prediction: Prediction) -> str:
    """Draw the best classes of a window as a table."""
    rows = [
        (f'  {rank}', printable(name), f'{score:.2%}')
        for rank, (name, score) in enumerate(prediction.top, start=1)
    ]
    head = (
        f'{printable(prediction.source)}  {prediction.start:.1f} to '
        f'{prediction.end:.1f} s'
    )
    return f'{head}\n{text_table(rows, "rlr")}'


class PredictionFiles:
    """JSON and CSV files that hold, at any time, all predictions so far.

    Args:
        json_path (str | Path, optional): A JSON list with an entry per
            window. Defaults to None: there is none.
        csv_path (str | Path, optional): A row per window and class.
            Defaults to None: there is none.
    """

    def __init__(
        self,
        json_path: Optional[Place] = None,
        csv_path: Optional[Place] = None,
    ) -> None:
        self.stack, self.files = ExitStack(), []
        self.json = self.csv = None
        if json_path:
            self.json = self._open(json_path)
            # A pipe cannot go back to write over the closing bracket.
            self.bracket = ']' if self.json.seekable() else ''
            self.json.write('[' + self.bracket)
        if csv_path:
            self.csv = csv.writer(self._open(csv_path))
            self.csv.writerow(COLUMNS)
        self.count = 0
        self._flush()

    def _open(self, path: Place) -> TextIO:
        """Open a file for writing."""
        file = open(  # noqa: SIM115
            path, 'w', newline='', encoding='utf-8', errors='backslashreplace'
        )
        self.stack.enter_context(file)
        self.files.append(file)
        return file

    def _flush(self) -> None:
        """Hand everything over to the system, which survives this process."""
        for file in self.files:
            file.flush()

    def add(self, prediction: Prediction) -> None:
        """Write one more prediction."""
        if self.json:
            top = [dict(label=n, score=s) for n, s in prediction.top]
            entry = json.dumps(dict(prediction._asdict(), top=top), indent=2)
            if self.bracket:  # written over, in one piece
                self.json.seek(self.json.tell() - (2 if self.count else 1))
            comma = ',' if self.count else ''
            end = '\n]' if self.bracket else ''
            self.json.write(f'{comma}\n{textwrap.indent(entry, "  ")}{end}')
        if self.csv:
            self.csv.writerows(csv_rows(prediction))
        self.count += 1
        self._flush()

    def __enter__(self) -> 'PredictionFiles':
        """Return itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the files."""
        if self.json and not self.bracket:
            self.json.write('\n]')
        self.stack.close()


def write_json(path: Place, predictions: Sequence[Prediction]) -> None:
    """Write all predictions as a JSON list."""
    with PredictionFiles(json_path=path) as files:
        for prediction in predictions:
            files.add(prediction)


def write_csv(path: Place, predictions: Sequence[Prediction]) -> None:
    """Write one row per window and class."""
    with PredictionFiles(csv_path=path) as files:
        for prediction in predictions:
            files.add(prediction)


def csv_rows(prediction: Prediction) -> Iterator[List[str]]:
    """Yield a row for every class of a prediction."""
    start, end = f'{prediction.start:.3f}', f'{prediction.end:.3f}'
    for rank, (name, score) in enumerate(prediction.top, start=1):
        yield [prediction.source, start, end, rank, name, f'{score:.6f}']


def plan_videos(paths: Sequence[Path], source: Path, out: Path) -> List[Path]:
    """Name the annotated copy of every video.

    Args:
        paths (Sequence[Path]): The videos.
        source (Path): The folder that they are in, or the only video.
        out (Path): The folder of the copies, or the only copy.

    Returns:
        List[Path]: As many, ending in ``.mp4``; of ``a.avi`` and ``a.mov``
        that are ``a.avi.mp4`` and ``a.mov.mp4``.
    """
    if not source.is_dir():
        return [out / f'{source.stem}.mp4' if out.is_dir() else out]
    inside = [path.relative_to(source) for path in paths]
    names = Counter(path.with_suffix('') for path in inside)
    return [
        out / f'{path}.mp4'
        if names[path.with_suffix('')] > 1
        else out / path.with_suffix('.mp4')
        for path in inside
    ]


def check_places(outputs: Sequence[Place], inputs: Sequence[Place]) -> None:
    """Raise where something would be written over what is read.

    Args:
        outputs (Sequence[str | Path]): Files to be written.
        inputs (Sequence[str | Path]): Files to be read.

    Raises:
        ValueError: If a file is both, also under another name, or if two of
            the outputs are one file.
    """
    known = {_identity(path) for path in inputs if Path(path).exists()}
    for path in outputs:
        identity = _identity(path)
        if identity in known:
            raise ValueError(
                f'{path} would be written over a file that is read, or that '
                'was just written; choose another name.'
            )
        known.add(identity)


def _identity(path: Place) -> tuple:
    """Return what identifies a file, whatever it is called."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return (os.path.realpath(path),)
    return found.st_dev, found.st_ino


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
