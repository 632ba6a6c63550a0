"""Classify: python tools/inference.py VIDEO CONFIG CHECKPOINT."""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
import collections
import itertools
import sys
from pathlib import Path
from typing import Iterator, List

import numpy as np

from mmvidadapt.apis.config import load_config
from mmvidadapt.apis.inference import (
    Classifier,
    Prediction,
    find_sources,
    read_labels,
)
from mmvidadapt.apis.prediction_files import (
    annotate,
    caption,
    table,
    write_csv,
    write_json,
)
from mmvidadapt.apis.windows import Camera
from mmvidadapt.utils.printable import fail, say
from mmvidadapt.utils.video import draw_text, write_video


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Classify videos')
    parser.add_argument('video', help='video, folder, or number of a camera')
    parser.add_argument('config', help='path, or name such as aim/vitb16_k400')
    parser.add_argument('checkpoint', help='path or URL of a checkpoint')
    parser.add_argument('--label-file', help='names of classes, one per line')
    parser.add_argument('--device', help='by default a GPU if there is one')
    parser.add_argument('--topk', type=int, default=5)
    parser.add_argument(
        '--window', type=float, help='classify every so many seconds'
    )
    parser.add_argument(
        '--stride', type=float, help='seconds from window to window'
    )
    parser.add_argument(
        '--max-windows', type=int, help='stop a camera after so many windows'
    )
    parser.add_argument(
        '--out', help='annotated video; a folder if VIDEO is one'
    )
    parser.add_argument('--json', help='write the predictions here')
    parser.add_argument('--csv', help='write the predictions here')
    return parser.parse_args()


def classify_files(
    classifier: Classifier,
    paths: List[Path],
    args: argparse.Namespace,
    done: List[Prediction],
) -> int:
    """Classify files into ``done``; name and count those that fail."""
    failed = 0
    for path in paths:
        try:
            classify_file(classifier, path, args, done)
        except (OSError, ValueError) as error:
            if len(paths) == 1:
                raise
            failed += 1
            say(f'failed: {error}', file=sys.stderr)
    return failed


def classify_file(
    classifier: Classifier,
    path: Path,
    args: argparse.Namespace,
    done: List[Prediction],
) -> None:
    """Classify one file into ``done``, and annotate it."""
    start = len(done)
    for prediction in classifier.video(path, args.window, args.stride):
        say(table(prediction))
        done.append(prediction)
    if args.out:
        out = Path(args.out)
        if Path(args.video).is_dir():
            out = (out / path.relative_to(args.video)).with_suffix('.mp4')
        annotate(path, done[start:], out)


def classify_camera(
    classifier: Classifier,
    camera: Camera,
    args: argparse.Namespace,
    done: List[Prediction],
) -> None:
    """Classify what a camera sees until it ends or Ctrl-C."""

    def frames() -> Iterator[np.ndarray]:
        for prediction, seen in itertools.islice(
            classifier.camera(camera, args.window), args.max_windows
        ):
            say(table(prediction), flush=True)
            done.append(prediction)
            if args.out:
                lines = caption(prediction)
                yield from (draw_text(frame, lines) for frame in seen)

    try:
        if args.out:  # frame by frame: a camera runs for days
            write_video(args.out, frames(), camera.fps)
        else:
            collections.deque(frames(), maxlen=0)
    except KeyboardInterrupt:
        say('stopped', file=sys.stderr)


def main() -> int:
    """Classify as the command line says; return the exit status."""
    args = parse_args()
    labels = read_labels(args.label_file) if args.label_file else None
    sources = find_sources(args.video)
    classifier = Classifier(
        load_config(args.config),
        args.checkpoint,
        args.device,
        labels,
        args.topk,
    )
    done: List[Prediction] = []
    failed = 0
    try:
        if isinstance(sources[0], int):
            classify_camera(classifier, Camera(sources[0]), args, done)
        else:
            failed = classify_files(classifier, sources, args, done)
    finally:  # what was classified is written, whatever came then
        if args.json:
            write_json(args.json, done)
        if args.csv:
            write_csv(args.csv, done)
    return int(failed > 0)


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (OSError, ValueError) as error:
        fail(error)
