"""Classify: python tools/inference.py VIDEO CONFIG CHECKPOINT."""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
import collections
import itertools
import sys
from pathlib import Path
from typing import Iterator, List, Union

import numpy as np

from mmvidadapt.apis.train.config import load_config
from mmvidadapt.apis.use.class_names import read_labels
from mmvidadapt.apis.use.inference import Classifier, find_sources
from mmvidadapt.apis.use.prediction_files import (
    PredictionFiles,
    annotate,
    caption,
    check_places,
    plan_videos,
    table,
)
from mmvidadapt.apis.use.windows import Camera
from mmvidadapt.utils.printable import fail, say
from mmvidadapt.utils.video import draw_text, unreadable, write_video


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
    files: PredictionFiles,
    videos: List[Path],
) -> int:
    """Classify files; name and count those that fail."""
    failed = 0
    for i, path in enumerate(paths):
        try:
            done = []
            for prediction in classifier.video(
                path, args.window, args.stride, isolate=True
            ):
                say(table(prediction), flush=True)
                files.add(prediction)
                done.append(prediction)
            if videos:
                annotate(path, done, videos[i])
        except (*unreadable(), ValueError) as error:
            if len(paths) == 1:
                raise
            failed += 1
            say(f'failed: {error}', file=sys.stderr, flush=True)
    if failed:
        say(f'{failed} of {len(paths)} videos failed.', file=sys.stderr)
    return failed


def classify_camera(
    classifier: Classifier,
    camera: Camera,
    args: argparse.Namespace,
    files: PredictionFiles,
) -> None:
    """Classify what a camera sees until it ends or Ctrl-C."""

    def frames() -> Iterator[np.ndarray]:
        for prediction, seen in itertools.islice(
            classifier.camera(camera, args.window), args.max_windows
        ):
            say(table(prediction), flush=True)
            files.add(prediction)
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


def find_outputs(
    sources: List[Union[Path, int]], args: argparse.Namespace
) -> List[Path]:
    """Name the annotated videos; raise where an input would be lost."""
    if isinstance(sources[0], int):
        videos, inputs = [args.out] if args.out else [], []
    else:
        videos = (
            plan_videos(sources, Path(args.video), Path(args.out))
            if args.out
            else []
        )
        inputs = sources
    others = [args.config, args.checkpoint, args.label_file]
    check_places(
        [path for path in (*videos, args.json, args.csv) if path],
        [path for path in (*inputs, *others) if path],
    )
    return videos


def main() -> int:
    """Classify as the command line says; return the exit status."""
    args = parse_args()
    labels = read_labels(args.label_file) if args.label_file else None
    sources = find_sources(args.video)
    videos = find_outputs(sources, args)
    classifier = Classifier(
        load_config(args.config),
        args.checkpoint,
        args.device,
        labels,
        args.topk,
    )
    with PredictionFiles(args.json, args.csv) as files:
        if isinstance(sources[0], int):
            classify_camera(classifier, Camera(sources[0]), args, files)
            return 0
        return int(
            classify_files(classifier, sources, args, files, videos) > 0
        )


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (OSError, ValueError) as error:
        fail(error)
