"""A small data set of real video files that the package renders itself.

Every clip has two labels: its appearance, which one frame decides, and its
motion, which only the order of frames decides; see
:mod:`mmvidadapt.datasets.motion_scenes`.

Command line: ``python -m mmvidadapt.datasets.motion_clips OUT``.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Union

import numpy as np

from mmvidadapt.utils.video import write_video

from .motion_scenes import APPEARANCES, MOTIONS, PAIRS, film_scene

FORMAT = 1  # to be raised when the same settings give other clips
FPS = 8
SPLITS = ('train', 'val')
SETTINGS, DONE = 'settings.json', 'complete'


class Clip(NamedTuple):
    """A clip of the data set."""

    path: str  # relative to the root
    scene: int
    appearance: int
    motion: int


def _render_split(
    root: Path, split: str, seed: List[int], settings: Dict[str, int]
) -> None:
    """Write the lists of a split and the clips that are not there yet."""
    clips = list(_plan(split, settings[f'num_{split}']))
    length, side = settings['num_frames'], settings['side']
    for pair in zip(clips[::2], clips[1::2]):
        paths = [root / clip.path for clip in pair]
        if all(path.exists() for path in paths):
            continue  # rendered before an interruption
        rng, kind = np.random.default_rng([*seed, pair[0].scene]), pair[0]
        _write_pair(
            paths,
            film_scene(kind.appearance, kind.motion // 2, rng, length, side),
        )
    _write_lists(root, split, clips)


def render_motion_clips(
    root: Union[str, Path],
    num_train: int = 240,
    num_val: int = 120,
    seed: int = 0,
    num_frames: int = 16,
    side: int = 112,
) -> Path:
    """Render the data set; go on where an earlier call was interrupted.

    Writes ``videos/``, for ``appearance`` and ``motion`` the lists
    ``*_{train,val}.txt`` and the names of the classes, ``*_classes.txt``.
    Every scene gives two clips, one the time reversal of the other. Motions
    are balanced, and with multiples of 60 clips so are appearances.

    Args:
        root (str | Path): Folder of the data set.
        num_train (int): Number of training clips. Defaults to 240.
        num_val (int): Number of validation clips. Defaults to 120.
        seed (int): Decides everything random. Defaults to 0.
        num_frames (int): Frames of a clip. Defaults to 16.
        side (int): Height and width in pixels. Defaults to 112.

    Returns:
        Path: The folder.

    Raises:
        ValueError: If a number is impossible, or if the folder holds clips
            of other settings.
    """
    root = Path(root)
    settings = dict(format=FORMAT, num_train=num_train, num_val=num_val)
    settings.update(seed=seed, num_frames=num_frames, side=side)
    _check(settings)
    if _claim(root, settings):
        return root
    for number, split in enumerate(SPLITS):
        _render_split(root, split, [seed, number], settings)
    _write(root / DONE, '')
    return root


def _check(settings: Dict[str, int]) -> None:
    """Raise on numbers that no data set can have."""
    for key in ('num_train', 'num_val'):
        if settings[key] < len(MOTIONS) or settings[key] % len(MOTIONS):
            raise ValueError(
                f'{key}={settings[key]}: give a positive multiple of '
                f'{len(MOTIONS)}, so that the motions are balanced.'
            )
    if settings['num_frames'] < 2:
        raise ValueError(
            f'num_frames={settings["num_frames"]}: motion takes two or more.'
        )
    if settings['side'] < 32 or settings['side'] % 2:
        raise ValueError(
            f'side={settings["side"]}: MPEG-4 takes even sides, and less '
            'than 32 shows nothing.'
        )


def _claim(root: Path, settings: Dict[str, int]) -> bool:
    """Write the settings down, or compare; return whether all is done."""
    path = root / SETTINGS
    if path.exists():
        found = json.loads(path.read_text())
        if found != settings:
            raise ValueError(
                f'{root} holds clips of other settings: {found}, not '
                f'{settings}. Choose another folder, or delete this one.'
            )
        return (root / DONE).exists()
    (root / 'videos').mkdir(parents=True, exist_ok=True)
    _write(path, json.dumps(settings))
    return False


def _plan(split: str, num_clips: int) -> Iterator[Clip]:
    """List the clips; the two of a scene follow one another."""
    for scene in range(num_clips // 2):
        pair = scene % len(PAIRS)
        appearance = scene // len(PAIRS) % len(APPEARANCES)
        for motion in (2 * pair, 2 * pair + 1):
            name = f'{split}_{scene:04d}_{MOTIONS[motion]}.mp4'
            yield Clip(f'videos/{name}', scene, appearance, motion)


def _write_pair(paths: List[Path], frames: np.ndarray) -> None:
    """Encode a scene forwards and backwards, whole files only."""
    for path, film in zip(paths, (frames, frames[::-1])):
        # OpenCV takes the format from the end of the name.
        part = path.with_name(f'.part-{path.name}')
        write_video(part, film, FPS)
        part.replace(path)


def _write_lists(root: Path, split: str, clips: List[Clip]) -> None:
    """Write the lists of a split and the names of the classes."""
    for kind, names in (('appearance', APPEARANCES), ('motion', MOTIONS)):
        lines = [f'{clip.path} {getattr(clip, kind)}\n' for clip in clips]
        _write(root / f'{kind}_{split}.txt', ''.join(lines))
        _write(root / f'{kind}_classes.txt', ''.join(f'{n}\n' for n in names))


def _write(path: Path, text: str) -> None:
    """Write a whole text file or none."""
    part = path.with_name(f'.part-{path.name}')
    part.write_text(text, encoding='utf-8')
    part.replace(path)


def main() -> None:
    """Render as the command line says."""
    parser = argparse.ArgumentParser(description='Render the motion clips')
    parser.add_argument('out', help='folder of the data set')
    parser.add_argument('--num-train', type=int, default=240)
    parser.add_argument('--num-val', type=int, default=120)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--num-frames', type=int, default=16)
    parser.add_argument('--side', type=int, default=112)
    args = vars(parser.parse_args())
    start = time.time()
    try:
        root = render_motion_clips(args.pop('out'), **args)
    except ValueError as error:
        parser.error(str(error))
    videos = list((root / 'videos').glob('[!.]*.mp4'))
    size = sum(video.stat().st_size for video in videos)
    print(
        f'{root}: {len(videos)} clips, {size / 1e6:.1f} MB, '
        f'{time.time() - start:.1f} s'
    )


if __name__ == '__main__':
    main()
