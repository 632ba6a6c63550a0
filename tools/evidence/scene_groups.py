"""Which clips look like one recording: tools/evidence/scene_groups.py DATA.

DATA holds folders of videos, each with clips.csv (file, label and group or
scene), and ``weights/``, an image trunk. Prints, for every folder, how alike
clips of one group and of others are, what is found with the groups hidden,
whether groups are warned of, as they are and where each is cut in two, and
the accuracy of a linear classifier, cross-validated without groups, with those
that were found and with those that are known.
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
from pathlib import Path
from typing import List, Sequence

import cv2
import numpy as np
import torch

from mmvidadapt.apis.fit.clips import read_source
from mmvidadapt.apis.fit.folds import folds
from mmvidadapt.apis.fit.groups import given_groups
from mmvidadapt.apis.fit.scenes import (
    find_scenes,
    pair_groups,
    scene_features,
    similarity,
)
from mmvidadapt.datasets.prepare.video_folders import Clip
from mmvidadapt.datasets.readers.pyav import PyAVReader
from mmvidadapt.models import ImageViT
from mmvidadapt.utils.text_table import text_table

WEIGHTS = 'weights/dinov2_vits14_as_clip_visual_fp16.pt'
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
SIZE, FRAMES, CUTS, SEEDS, RIDGE = 112, 4, 20, 5, 0.1
HEADER = (
    *('videos', 'clips', 'groups', 'cosine in groups', 'others, highest'),
    *('found', 'pure', 'complete', 'warned', 'warned if cut'),
    *('no groups', 'found', 'known'),
)


def read_frames(path: Path) -> torch.Tensor:
    """Read frames spread over a video, normalised, (3, T, H, W)."""
    reader = PyAVReader(str(path))
    places = [int((i + 0.5) * len(reader) / FRAMES) for i in range(FRAMES)]
    frames = [
        cv2.resize(frame, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        for frame in reader.get_frames(places)
    ]
    video = (np.stack(frames) - np.array(MEAN)) / np.array(STD)
    return torch.from_numpy(video).float().permute(3, 0, 1, 2)


def classify(clips: Sequence[Clip], features: np.ndarray) -> float:
    """Cross-validate ridge regression on features (N, D), over groups."""
    labels = np.unique([c.label for c in clips], return_inverse=True)[1]
    x = (features - features.mean(0)) / (features.std(0) + 1e-6)  # (N, D)
    kernel = x @ x.T / x.shape[1]  # (N, N)
    wanted = np.eye(labels.max() + 1)[labels]  # (N, K)
    right = []
    for fold in (f for seed in range(SEEDS) for f in folds(clips, 5, seed)):
        train, test = fold
        inner = kernel[np.ix_(train, train)] + RIDGE * np.eye(len(train))
        y = wanted[train] - wanted[train].mean(0)
        scores = kernel[np.ix_(test, train)] @ np.linalg.solve(inner, y)
        right.append(scores.argmax(1) == labels[test])
    return float(np.concatenate(right).mean())


def compare_splits(
    clips: Sequence[Clip], alike: np.ndarray, features: np.ndarray
) -> List[str]:
    """Measure accuracies without groups, with found and with known ones."""
    cells = []
    for groups in (
        [None] * len(clips),
        find_scenes(alike),
        [clip.group for clip in clips],
    ):
        named = [c._replace(group=g) for c, g in zip(clips, groups)]
        cells.append(f'{100 * classify(named, features):.0f} %')
    return cells


def measure(clips: Sequence[Clip], alike: np.ndarray) -> List[str]:
    """Compare likeness with the groups that are known; return a row."""
    groups = np.array([clip.group for clip in clips])
    scenes = np.array(find_scenes(alike))
    pairs = np.triu(np.ones_like(alike, dtype=bool), 1)
    same = (groups[:, None] == groups)[pairs]
    joined = (scenes[:, None] == scenes)[pairs]
    both = (same & joined).sum()
    known = len(set(groups))
    return [
        str(len(clips)),
        str(known),
        f'{np.median(alike[pairs][same]):.2f}',
        f'{np.quantile(alike[pairs][~same], 0.999):.2f}',
        str(len(set(scenes))),
        f'{both / max(joined.sum(), 1):.2f}',
        f'{both / same.sum():.2f}',
        f'{len(pair_groups(clips, alike))} of {known * (known - 1) // 2}',
        f'{100 * warned_if_cut(clips, alike):.0f} %',
    ]


def warned_if_cut(clips: Sequence[Clip], alike: np.ndarray) -> float:
    """Cut each group in two at random, often; return how often it shows."""
    rng = np.random.default_rng(0)
    groups = np.array([clip.group for clip in clips])
    found = []
    for name in sorted(set(groups)):
        places = np.flatnonzero(groups == name)
        for _ in range(CUTS * (len(places) > 3)):
            order = rng.permutation(places)
            cut = [
                clips[i]._replace(group=str(n < len(order) // 2))
                for n, i in enumerate(order)
            ]
            found.append(bool(pair_groups(cut, alike[order][:, order])))
    return float(np.mean(found))


def main() -> None:
    """Print a table, a row for every folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('data', type=Path)
    parser.add_argument('--videos', nargs='+', help='folders; default: all')
    args = parser.parse_args()
    trunk = ImageViT(
        trunk='facebook/dinov2-small',
        img_size=SIZE,
        pretrained=str(args.data / WEIGHTS),
    )
    trunk.init_weights()
    trunk.eval()
    rows = []
    for table in sorted(args.data.glob('*/clips.csv')):
        name = table.parent.name
        if args.videos and name not in args.videos:
            continue
        clips = given_groups(read_source(table), table)[0].clips
        scenes, looks = [], []
        for clip in clips:
            video = read_frames(table.parent / clip.path)[None]
            scenes.append(scene_features(trunk, video))
            with torch.no_grad():
                looks.append(trunk(video).flatten(1).numpy())  # (1, C*T)
        alike = similarity(np.concatenate(scenes))
        accuracies = compare_splits(clips, alike, np.concatenate(looks))
        rows.append([name, *measure(clips, alike), *accuracies])
    print(text_table([HEADER, *rows]))


if __name__ == '__main__':
    main()
