"""Cache the results of checking videos, so that a run can be resumed."""

import json
import os
import stat
from pathlib import Path
from typing import Dict, List, Optional, Tuple

from .video_facts import VideoFacts

CHECKED = 'checked.jsonl'


class CheckCache:
    """Good videos that were looked at, one line of JSON each.

    A line holds as long as size and time of the file are those that it had
    when it was looked at. Bad videos are not kept: they are few, and a disk
    or a process may have failed instead.

    Args:
        path (Path, optional): The file; it need not be there. None: nothing
            is known and nothing kept.
        level (str): How closely the videos are looked at.
    """

    def __init__(self, path: Optional[Path], level: str) -> None:
        self.path, self.level = path, level
        self.lines: Dict[str, Tuple[List[int], VideoFacts]] = {}
        self.states: Dict[str, List[int]] = {}
        text = ''
        if path is not None and path.exists():
            text = path.read_text('utf-8', errors='replace')
        self.cut_off = bool(text) and not text.endswith('\n')
        for line in text.splitlines():
            self._read(line)

    def _read(self, line: str) -> None:
        """Keep a line; one that was cut off is worth nothing."""
        try:
            row = json.loads(line)
            if row['level'] == self.level:
                known = (row['state'], VideoFacts(**row['facts']))
                self.lines[row['video']] = known
        except (ValueError, KeyError, TypeError):
            pass

    def get(self, video: str) -> Optional[VideoFacts]:
        """Return what is known of a video as it is; None if nothing is."""
        try:
            state = os.stat(video)
        except (OSError, ValueError):
            return None
        if stat.S_ISDIR(state.st_mode):
            return None  # what lies in it may change
        self.states[video] = [state.st_size, state.st_mtime_ns]
        then, facts = self.lines.get(video, (None, None))
        return facts if then == self.states[video] else None

    def add(self, video: str, facts: VideoFacts) -> None:
        """Note a video that :meth:`get` was asked for, on the disk at once."""
        state = self.states.get(video)
        if self.path is None or state is None:
            return  # the video was not there a moment ago
        row = dict(
            video=video, level=self.level, state=state, facts=facts._asdict()
        )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        start = '\n' if self.cut_off else ''
        with open(self.path, 'a', encoding='utf-8') as file:
            file.write(f'{start}{json.dumps(row)}\n')
        self.cut_off = False
