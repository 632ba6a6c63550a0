"""Find the checkpoint that a training goes on from."""

import logging
import os
import re
import zipfile
from pathlib import Path
from typing import Dict, List, Optional

from mmengine.logging import print_log

from mmvidadapt.weights.files.containers import ZIP, recognize
from mmvidadapt.weights.files.readers import load_checkpoint_file

from .training_progress import KINDS, kind_of

POINTER = 'last_checkpoint'  # the file in which mmengine names the newest


def find_checkpoint(work_dir: str) -> Optional[str]:
    """Find the newest whole checkpoint of a run.

    That is the one that ``last_checkpoint`` names, or a newer one that a
    killed run did not come to name; damaged ones are passed over.

    Args:
        work_dir (str): Folder of the run.

    Returns:
        str, optional: Its path; None where there is none.

    Raises:
        ValueError: If there are some, but none is whole.
    """
    named = read_pointer(work_dir)
    if named and '://' in named:
        return named  # mmengine's to fetch
    refused, found = {}, None
    for path in candidates(work_dir, named):
        reason = damage(path)
        if reason is None:
            found = path
            break
        refused[path] = reason
    if found is None and refused:
        raise ValueError(
            f'There is no whole checkpoint in {work_dir}:{_listed(refused)}\n'
            'Name one that lies elsewhere, or remove these to start anew.'
        )
    if named == '':
        refused[os.path.join(work_dir, POINTER)] = 'it is empty.'
    if found is not None and refused:
        print_log(
            f'Resuming from {found}, the newest whole checkpoint. Passed over:'
            + _listed(refused),
            logger='current',
            level=logging.WARNING,
        )
    return found


def read_pointer(work_dir: str) -> Optional[str]:
    """Return what ``last_checkpoint`` says.

    Args:
        work_dir (str): Folder of the run.

    Returns:
        Optional[str]: Path or URL of a checkpoint. A file of that name in the
        folder itself comes first: the folder may be a copy. '' for an empty
        file, None where there is none.
    """
    pointer = Path(work_dir, POINTER)
    if not pointer.is_file():
        return None
    text = pointer.read_text(errors='replace').strip('\0 \r\n\t')
    beside = os.path.join(work_dir, os.path.basename(text))
    if text and '://' not in text and os.path.isfile(beside):
        return beside
    return text


def candidates(work_dir: str, named: Optional[str]) -> List[str]:
    """List the checkpoints of a run, the newest first.

    Args:
        work_dir (str): Folder of the run.
        named (str, optional): What ``last_checkpoint`` says.

    Returns:
        List[str]: Paths. Before the named one come only those that were
        written later and have a higher number or another kind of name.
    """
    folder = (os.path.dirname(named) or '.') if named else work_dir
    kinds = {*KINDS, kind_of(named or '')}
    names = os.listdir(folder) if os.path.isdir(folder) else []
    paths = [os.path.join(folder, n) for n in names if kind_of(n) in kinds]
    paths.sort(key=lambda path: (os.path.getmtime(path), _number(path)))
    others = [path for path in reversed(paths) if not _same(path, named)]
    if not named:
        return others
    if not os.path.exists(named):
        return [named, *others]
    newer = [path for path in others if _is_newer(path, named)]
    return [*newer, named, *(path for path in others if path not in newer)]


def damage(path: str) -> Optional[str]:
    """Find what is wrong with the file of a checkpoint.

    Args:
        path (str): The file.

    Returns:
        Optional[str]: None where it is whole.
    """
    try:
        if os.path.isfile(path) and recognize(path) is ZIP:
            with zipfile.ZipFile(path) as archive:
                wrong = archive.testzip()
            return wrong and f'the checksum of {wrong} is wrong.'
        load_checkpoint_file(path)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        return str(error)
    return None


def _number(path: str) -> int:
    """Return the number in the name of a checkpoint, or 0."""
    found = re.search(r'(\d+)\.\w+$', path)
    return int(found[1]) if found else 0


def _is_newer(path: str, named: str) -> bool:
    """Distinguish what a killed run did not come to name from older files."""
    return os.path.getmtime(path) > os.path.getmtime(named) and (
        kind_of(path) != kind_of(named) or _number(path) > _number(named)
    )


def _same(path: str, named: Optional[str]) -> bool:
    """Check whether two paths are of one file."""
    return bool(named) and os.path.abspath(path) == os.path.abspath(named)


def _listed(refused: Dict[str, str]) -> str:
    """List files with what is wrong with them."""
    return ''.join(f'\n  {path}: {why}' for path, why in refused.items())
