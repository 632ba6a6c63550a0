"""Transcode the videos of lists or of a folder, and say what it is worth."""

import json
import os
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from mmengine.registry import DefaultScope

from mmvidadapt.datasets.prepare.annotation_lists import (
    keep_sources,
    read_list,
    write_list,
    write_text,
)
from mmvidadapt.datasets.prepare.transcode import Copy, transcode
from mmvidadapt.datasets.prepare.transcode_source import Settings
from mmvidadapt.datasets.prepare.video_folders import (
    name_others,
    no_video,
    walk_videos,
)
from mmvidadapt.utils.printable import say
from mmvidadapt.utils.process_pool import map_in_processes, show_progress

from ..train.config import load_config

SETTINGS, FAILED = 'transcode.json', 'failed.txt'
SUFFIX = '.mp4'
TIMEOUT = 3600.0  # seconds that a video may take
SAMPLE = 8  # videos whose loading is timed
# mmaction2's training pipeline for 8 x 16 frames of Kinetics-400.
STOCK = (
    dict(type='DecordInit'),
    dict(type='SampleFrames', clip_len=8, frame_interval=16, num_clips=1),
    dict(type='DecordDecode'),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='RandomResizedCrop'),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
)
OURS = 'aim/vitb16_k400'


class Work(NamedTuple):
    """Result of transcoding: copies made, copies found, failures."""

    done: Dict[str, Copy]  # of this call, by path
    there: List[str]  # copies of an earlier call
    failed: Dict[str, str]  # reasons by path


def plan(
    sources: Sequence[Path], root: Optional[Path] = None
) -> Tuple[Path, List[str]]:
    """Collect the videos of lists, or of one folder.

    Args:
        sources (Sequence[Path]): Annotation lists, or one folder. Below it,
            what :func:`transcode_all` wrote is left out.
        root (Path, optional): The folder that the paths in the lists are
            relative to. Defaults to None: that of the first list.

    Returns:
        tuple: The folder, and paths relative to it.
    """
    if sources[0].is_dir():
        if len(sources) > 1:
            raise ValueError(
                f'{sources[0]} is a folder; give one folder, or lists only.'
            )
        others: List[str] = []
        videos = list(walk_videos(sources[0], others))
        if not videos:
            raise ValueError(no_video(sources[0], others))
        for note in name_others(others):
            say(note)
        copies = {path.parent for path in sources[0].rglob(SETTINGS)}
        return sources[0], [
            path
            for path in videos
            if copies.isdisjoint((sources[0] / path).parents)
        ]
    root = root or sources[0].parent
    paths = [path for source in sources for path, _ in read_list(source)]
    away = [p for p in paths if os.path.isabs(p) or '..' in Path(p).parts]
    if away:
        raise ValueError(
            f"'{away[0]}' is not below --root {root}; give paths that are."
        )
    return root, sorted(set(paths))


def copy_name(path: str) -> str:
    """Return what the copy of a video is called, always ``*.mp4``."""
    return path if path.lower().endswith(SUFFIX) else path + SUFFIX


def _check_names(root: Path, paths: Sequence[str], out: Path) -> None:
    """Reject copies that would take the place of a video or another copy."""
    originals = {str(root.resolve() / path) for path in paths}
    copies = {str(out.resolve() / copy_name(path)) for path in paths}
    if originals & copies:
        raise ValueError(
            f'{min(originals & copies)} would be written over; choose '
            'another folder for the copies.'
        )
    names = Counter(map(copy_name, paths)).most_common(1)
    if names and names[0][1] > 1:
        raise ValueError(
            f'Two videos would become {out / names[0][0]}; rename one.'
        )


def transcode_all(
    root: Path,
    paths: Sequence[str],
    out: Path,
    settings: Settings,
    num_workers: Optional[int] = None,
) -> Work:
    """Transcode videos on all cores; go on where an earlier call ended.

    Args:
        root (Path): The folder of the videos.
        paths (Sequence[str]): Their paths, relative to it.
        out (Path): The folder of the copies.
        settings (Settings): How they are made.
        num_workers (int, optional): Processes. Defaults to None: one per
            core.

    Returns:
        Work: What was done, was there, and failed.
    """
    _check_names(root, paths, out)
    _claim(out, settings)
    there = [p for p in paths if _is_done(root / p, out / copy_name(p))]
    to_do = sorted(set(paths) - set(there))
    work = Work({}, there, {})
    outcomes = map_in_processes(
        partial(_transcode, root, out, settings), to_do, num_workers, TIMEOUT
    )
    for path, copy, error in show_progress(outcomes, len(to_do)):
        if error is None:
            work.done[path] = copy
        else:
            work.failed[path] = error
    lines = (f'{path}\t{why}\n' for path, why in sorted(work.failed.items()))
    write_text(out / FAILED, ''.join(lines))
    return work


def _claim(out: Path, settings: Settings) -> None:
    """Write the settings down, or compare; the encoder does not matter."""
    settings.check()
    said = settings._asdict()
    del said['encoder']
    path = out / SETTINGS
    if path.exists():
        found = json.loads(path.read_text())
        if found != said:
            raise ValueError(
                f'{out} holds copies made with {found}, not {said}. Choose '
                'another folder, or delete it.'
            )
    write_text(path, json.dumps(said))


def _is_done(source: Path, target: Path) -> bool:
    """Check whether there is a copy that is not older than the video."""
    if not (target.exists() and source.exists()):
        return False
    return target.stat().st_mtime >= source.stat().st_mtime


def _transcode(root: Path, out: Path, settings: Settings, path: str) -> Copy:
    """Transcode a video of a folder."""
    return transcode(root / path, out / copy_name(path), settings)


def write_lists(sources: Sequence[Path], out: Path) -> List[Path]:
    """Write the lists again with the names of the copies.

    All lines stay: of a video that could not be transcoded, whoever reads
    the list has to know.
    """
    written = [out / source.name for source in sources]
    keep_sources(sources, written)
    if len(set(written)) < len(written):
        raise ValueError('Two lists have the same name; rename one of them.')
    for source, target in zip(sources, written):
        rows = [(copy_name(path), label) for path, label in read_list(source)]
        write_list(target, rows)
    return written


def loading_speeds(
    root: Path, paths: Sequence[str], out: Path, rounds: int = 2
) -> Tuple[float, float]:
    """Time how training clips are loaded, before and after, in one run.

    Args:
        root (Path): The folder of the videos.
        paths (Sequence[str]): Those that have a copy.
        out (Path): The folder of the copies.
        rounds (int): How often every video is loaded. Defaults to 2.

    Returns:
        Tuple[float, float]: Clips per CPU-second: the videos through
        mmaction2's pipeline, the copies through ours.
    """
    from mmcv.transforms import Compose

    chosen = paths[:: max(1, len(paths) // SAMPLE)][:SAMPLE]
    with DefaultScope.overwrite_default_scope('mmaction'):
        ways = (
            (Compose(STOCK), [root / path for path in chosen]),
            (
                Compose(load_config(OURS).train_pipeline),
                [out / copy_name(path) for path in chosen],
            ),
        )
        seconds = [0.0, 0.0]
        for turn in range(rounds + 1):
            for i, (pipeline, files) in enumerate(ways):
                spent = _load(pipeline, files)
                seconds[i] += spent * bool(turn)  # the first one warms up
    clips = rounds * len(chosen)
    return clips / seconds[0], clips / seconds[1]


def _load(pipeline: Callable, files: Sequence[Path]) -> float:
    """Load one clip of every file; return the CPU-seconds."""
    np.random.seed(0)
    start = time.process_time()
    for file in files:
        pipeline(
            dict(filename=str(file), label=0, start_index=0, modality='RGB')
        )
    return time.process_time() - start
