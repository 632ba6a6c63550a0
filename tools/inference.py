"""Classify: python tools/inference.py VIDEO CONFIG CHECKPOINT."""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
import itertools
import sys
from pathlib import Path
from typing import List

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
from mmvidadapt.apis.windows import FALLBACK_FPS
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
    classifier: Classifier, paths: List[Path], args: argparse.Namespace
) -> List[Prediction]:
    """Classify files one by one; what cannot be read is named."""
    done = []
    for path in paths:
        try:
            found = list(classifier.video(path, args.window, args.stride))
        except ValueError as error:
            if len(paths) == 1:
                raise
            args.failed += 1
            print(f'failed: {error}', file=sys.stderr)
            continue
        print('\n'.join(table(p) for p in found))
        if args.out:
            many = Path(args.video).is_dir()
            out = (
                Path(args.out, path.relative_to(args.video)).with_suffix(
                    '.mp4'
                )
                if many
                else args.out
            )
            annotate(path, found, out)
        done += found
    return done


def classify_camera(
    classifier: Classifier, index: int, args: argparse.Namespace
) -> List[Prediction]:
    """Classify what a camera sees until it ends or Ctrl-C."""
    done, frames = [], []
    try:
        for prediction, seen in itertools.islice(
            classifier.camera(index, args.window), args.max_windows
        ):
            print(table(prediction), flush=True)
            done.append(prediction)
            if args.out:
                frames += [draw_text(f, caption(prediction)) for f in seen]
    except KeyboardInterrupt:
        print('stopped', file=sys.stderr)
    if frames:
        write_video(args.out, frames, FALLBACK_FPS)
    return done


def main() -> int:
    """Classify as the command line says; return the exit status."""
    args = parse_args()
    args.failed = 0
    labels = read_labels(args.label_file) if args.label_file else None
    sources = find_sources(args.video)
    classifier = Classifier(
        load_config(args.config),
        args.checkpoint,
        args.device,
        labels,
        args.topk,
    )
    if isinstance(sources[0], int):
        done = classify_camera(classifier, sources[0], args)
    else:
        done = classify_files(classifier, sources, args)
    if args.json:
        write_json(args.json, done)
    if args.csv:
        write_csv(args.csv, done)
    return int(args.failed > 0)


if __name__ == '__main__':
    try:
        sys.exit(main())
    except ValueError as error:
        sys.exit(f'error: {error}')
