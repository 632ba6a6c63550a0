"""Find out which videos can be used, and why the others cannot."""

import os
from functools import partial
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from mmvidadapt.datasets.readers.open_container import check_regular
from mmvidadapt.datasets.readers.pyav import PyAVReader
from mmvidadapt.utils.printable import say
from mmvidadapt.utils.process_pool import map_in_processes, show_progress
from mmvidadapt.utils.sha256 import hash_file
from mmvidadapt.utils.video import UnreadableError, name_video

from .check_cache import CheckCache
from .decode_frames import decode_all
from .frame_folders import FrameFiles, check_frames
from .video_facts import VideoFacts
from .video_folders import Clip

LEVELS = ('exists', 'open', 'decode')
KNOWN = (
    '{} of {} videos were looked at before; remove {} to look at them again.'
)


def check_video(path: str, level: str = 'decode') -> VideoFacts:
    """Look at a video.

    Args:
        path (str): The video.
        level (str): ``'decode'`` decodes all of it and reads its hash,
            ``'open'`` decodes its first frame, ``'exists'`` asks for its
            size. Defaults to 'decode'.

    Returns:
        VideoFacts: Number and size of the frames, as they are shown, and more.

    Raises:
        UnreadableError: If it is not good for training.
    """
    check_regular(path)
    size = Path(path).stat().st_size
    if size == 0:
        raise UnreadableError('the file is empty.')
    if level == 'exists':
        return VideoFacts(bytes=size)
    with name_video(path):
        reader = PyAVReader(path)
        height, width = reader.get_frames([0])[0].shape[:2]
    if level == 'open':
        return VideoFacts(len(reader), width, height, size)
    count = sum(1 for _ in decode_all(path))
    return VideoFacts(count, width, height, size, hash_file(path))


def check_videos(
    root: Path,
    paths: Sequence[str],
    level: str = 'decode',
    num_workers: Optional[int] = None,
    ledger: Optional[Path] = None,
    frames: Optional[FrameFiles] = None,
) -> Tuple[Dict[str, VideoFacts], Dict[str, str]]:
    """Look at many videos, in processes that may crash; show how far it is.

    Args:
        root (Path): The folder that the paths are relative to.
        paths (Sequence[str]): The videos.
        level (str): See :func:`check_video`. Defaults to 'decode'.
        num_workers (int, optional): Processes; None: one per core.
            Defaults to None.
        ledger (Path, optional): File in which the good ones are noted, so
            that a run that was cut off goes on. Defaults to None.
        frames (FrameFiles, optional): How frames are called where every
            video is a folder of them. Defaults to None: they are files.

    Returns:
        tuple: The facts of the good ones and the reasons against the others.
    """
    known = CheckCache(ledger, level)
    full = {path: os.path.abspath(os.path.join(root, path)) for path in paths}
    facts = {path: known.get(full[path]) for path in paths}
    new = [path for path in facts if facts[path] is None]
    if len(new) < len(facts):
        say(KNOWN.format(len(facts) - len(new), len(facts), ledger))
    bad = {}
    look = partial(_look, str(root), level, frames)
    outcomes = map_in_processes(look, new, num_workers)
    for outcome in show_progress(outcomes, len(new)):
        if outcome.error is None:
            facts[outcome.item] = outcome.result
            known.add(full[outcome.item], outcome.result)
        else:
            bad[outcome.item] = outcome.error
    return {path: f for path, f in facts.items() if f is not None}, bad


def _look(
    root: str, level: str, frames: Optional[FrameFiles], path: str
) -> VideoFacts:
    """Check a path that a list can hold."""
    try:
        path.encode('utf-8')
    except UnicodeEncodeError as error:
        raise UnreadableError('its name is not UTF-8; rename it.') from error
    if path != path.strip() or any(c in path for c in '\t\r\n'):
        raise UnreadableError(
            'its name has a tab, a line break or a space at an end; rename it.'
        )
    full = os.path.join(root, path)
    if frames is not None:
        if any(sign.isspace() for sign in path):
            raise UnreadableError('its name has a space; rename it.')
        return check_frames(full, level, FrameFiles(*frames))
    try:
        return check_video(full, level)
    except FileNotFoundError as error:
        raise UnreadableError('there is no such file.') from error


def drop_duplicates(
    clips: Sequence[Clip], facts: Dict[str, VideoFacts]
) -> Tuple[List[Clip], List[Tuple[str, str]]]:
    """Leave out videos whose content is there already.

    Args:
        clips (Sequence[Clip]): The clips.
        facts (Dict[str, VideoFacts]): What is known of every path.

    Returns:
        tuple: The clips that stay, and the paths that do not, with reasons.
        Of equal videos of one class the first stays; of those with several
        labels none does.
    """
    same: Dict[str, List[Clip]] = {}
    for clip in clips:
        same.setdefault(facts[clip.path].sha256 or clip.path, []).append(clip)
    kept, dropped = set(), []
    for equal in same.values():
        labels = sorted({', '.join(sorted(c.labels)) for c in equal})
        paths = ' and '.join(dict.fromkeys(clip.path for clip in equal))
        if len(labels) == 1:
            kept.add(id(equal[0]))
            reason = f'the same content as {equal[0].path}.'
            dropped += [(clip.path, reason) for clip in equal[1:]]
        else:
            reason = f'one content, labels {" and ".join(labels)}: {paths}.'
            dropped += [(clip.path, reason) for clip in equal]
    return [clip for clip in clips if id(clip) in kept], dropped
