"""Read the state of a run that mmengine does not keep in checkpoints."""

import os
import re
from typing import Any, Callable, Dict

PROGRESS = 'mmvidadapt_progress'  # our entry in a checkpoint
INTERRUPTED = 'interrupted_iter_{}.pth'  # between two others
KINDS = ('epoch_{}.pth', 'iter_{}.pth', INTERRUPTED)


def kind_of(path: str) -> str:
    """Return the name of a checkpoint with ``{}`` for its number.

    Args:
        path (str): The file.

    Returns:
        str: Such as ``epoch_{}.pth``.
    """
    return re.sub(r'\d+(?=\.\w+$)', '{}', os.path.basename(path))


def may_replace(name: str, template: str) -> bool:
    """Check whether a run may remove a file that a checkpoint names.

    Args:
        name (str): Of the file.
        template (str): Name of the run's checkpoints, with ``{}``.

    Returns:
        bool: For best, interrupted and numbered checkpoints.
    """
    return name.startswith('best_') or kind_of(name) in (template, INTERRUPTED)


def take_progress(checkpoint: Dict[str, Any]) -> Dict[str, Any]:
    """Return our entry of a checkpoint, an empty one where there is none.

    Args:
        checkpoint (Dict[str, Any]): It gets the entry.

    Returns:
        Dict[str, Any]: ``outdated``, the names of files that the checkpoint
        takes the place of; ``last`` and ``best``, those of the newest one
        before and of the best; ``validated``, ``iter`` and ``metrics`` of the
        newest validation; ``batches`` of an epoch that were trained on and
        ``random``, the random state of each process; ``loader``, how many
        clips were trained on at a time.

    Raises:
        ValueError: If it is not what we write.
    """
    progress = checkpoint.setdefault(PROGRESS, {})
    wrong = [PROGRESS]
    if isinstance(progress, dict):
        wrong = [
            name
            for name, is_sound in SOUND.items()
            if name in progress and not is_sound(progress[name])
        ]
    if wrong:
        raise ValueError(
            f'The checkpoint cannot be resumed from: its {wrong} under '
            f"'{PROGRESS}' was not written by this package. It may be given "
            'as `load_from`, which takes the weights alone.'
        )
    return progress


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value == os.path.basename(value) != ''


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_name, value))


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_validated(value: Any) -> bool:
    return value is None or (
        isinstance(value, dict)
        and _is_count(value.get('iter'))
        and isinstance(value.get('metrics'), dict)
        and all(type(v) is float for v in value['metrics'].values())
    )


def _is_loader(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get('batch_size'), list)
        and all(_is_count(value.get(k)) for k in ('processes', 'iterations'))
        and value['iterations'] > 0
    )


SOUND: Dict[str, Callable[[Any], bool]] = dict(
    outdated=_are_names,
    last=lambda value: value is None or _is_name(value),
    best=lambda value: (
        isinstance(value, dict) and _are_names(list(value.values()))
    ),
    validated=_is_validated,
    batches=_is_count,
    random=lambda value: isinstance(value, list),
    loader=_is_loader,
)
