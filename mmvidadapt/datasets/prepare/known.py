"""What an earlier run found out about videos, so that it goes on."""

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional

from .facts import Facts

LEDGER = 'checked.jsonl'


class Known:
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
        self.lines: Dict[str, dict] = {}
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
            if row['level'] == self.level and Facts(**row['facts']):
                self.lines[row['video']] = row
        except (ValueError, KeyError, TypeError):
            pass

    def get(self, video: str) -> Optional[Facts]:
        """Return what is known of a video; note its state if nothing is."""
        try:
            state = os.stat(video)
        except (OSError, ValueError):
            return None
        self.states[video] = [state.st_size, state.st_mtime_ns]
        row = self.lines.get(video)
        if row is not None and row['state'] == self.states[video]:
            return Facts(**row['facts'])
        return None

    @contextmanager
    def adding(self) -> Iterator[Callable[[str, Facts], None]]:
        """Return a function that adds a video, on the disk at once."""
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path or os.devnull, 'a', encoding='utf-8') as file:
            if self.cut_off:
                file.write('\n')

            def add(video: str, facts: Facts) -> None:
                state, known = self.states[video], facts._asdict()
                row = dict(
                    video=video, level=self.level, state=state, facts=known
                )
                file.write(f'{json.dumps(row)}\n')
                file.flush()

            yield add
