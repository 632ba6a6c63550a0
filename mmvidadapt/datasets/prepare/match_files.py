"""Find the files of a data set's videos by their names."""

from pathlib import Path
from typing import Dict, List, Optional, Set, Tuple

from .annotation_lists import Label
from .official_annotations import Entry
from .video_folders import walk_videos

MISSING = 'missing'  # what reasons begin with


class Videos:
    """The videos below a folder, by name.

    Args:
        root (Path): The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.paths: Dict[str, List[str]] = {}
        others: List[str] = []
        for path in walk_videos(root, others):
            for key in _names(path):
                self.paths.setdefault(key, []).append(path)
        self.others = {key: path for path in others for key in _names(path)}

    def find_all(
        self, entries: List[Entry], classes: List[str]
    ) -> Tuple[List[Tuple[str, Label]], List[Tuple[str, str]]]:
        """Return paths with labels, and the entries that have no file."""
        found, missing = [], []
        for entry in entries:
            one = isinstance(entry.label, int)  # else no folder is its class
            path = self.find(entry, classes[entry.label] if one else '')
            if path is None:
                missing.append((entry.names[0], self._why(entry)))
            else:
                found.append((path, entry.label))
        return found, missing

    def _why(self, entry: Entry) -> str:
        """Explain why a video is missing: its file may be called otherwise."""
        there = [self.others[n] for n in entry.names if n in self.others]
        if not there:
            return f'{MISSING}.'
        return f'{MISSING}: {there[0]} is there, no video is called so.'

    def find(self, entry: Entry, name: str) -> Optional[str]:
        """Find a video.

        Args:
            entry (Entry): The video.
            name (str): The name of its class, which decides where several
                files have its name.

        Returns:
            str | None: Its path, relative to the root.
        """
        for key in entry.names:
            paths = self.paths.get(key, ())
            for path in paths:
                parents = path.replace(' ', '_').split('/')[:-1]
                if name.replace(' ', '_') in parents:
                    return path
            if paths:
                return paths[0]
        return None


def _names(path: str) -> Set[str]:
    """Return what a file may be known by: its stem, also with its folder."""
    folder, _, name = path.rpartition('/')
    stem = name.rpartition('.')[0]
    return {stem, f'{folder.rpartition("/")[2]}/{stem}'}
