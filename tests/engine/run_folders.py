"""What a run leaves in its folder, and what a killed one does."""

import os
import shutil
from pathlib import Path
from typing import Any, Callable, Dict, List

import torch

from mmvidadapt.engine.training_progress import PROGRESS
from mmvidadapt.weights.adapter_file import SUFFIX, read_adapter

PASSING = ('time', 'data_time', 'memory', 'eta')  # differ from run to run


def contents(folder: Path) -> Dict[str, Any]:
    """Read everything but logs; moments and paths are left out."""
    found = {}
    for path in sorted(folder.iterdir()):
        if path.is_dir() or path.suffix == '.py':
            continue  # logs, and the config
        found[path.name] = path.read_bytes()
        if path.name == 'last_checkpoint':
            found[path.name] = os.path.basename(path.read_text())
        elif path.suffix == '.pth':
            found[path.name] = checkpoint(path)
        elif path.name.endswith(SUFFIX):
            file = read_adapter(path)
            facts = (file.metrics, file.classes, file.trunk)
            found[path.name] = (*facts, listed(file.tensors))
    return found


def checkpoint(path: Path) -> Dict[str, Any]:
    """Read what a training goes on from."""
    saved = torch.load(path, weights_only=False)
    hub, meta = saved['message_hub'], saved['meta']
    scalars = {
        name: buffer.data
        for name, buffer in hub['log_scalars'].items()
        if name.split('/')[-1] not in PASSING
    }
    info = {
        name: os.path.basename(value) if '_ckpt' in name else value
        for name, value in hub['runtime_info'].items()
        if name in ('best_ckpt', 'last_ckpt', 'best_score')
    }
    info['keep_ckpt_ids'] = hub['runtime_info'].get('keep_ckpt_ids')
    progress = saved.get(PROGRESS, {})
    progress.pop('outdated', None)  # says how the run came here
    keys = ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers')
    return dict(
        {key: listed(saved.get(key)) for key in keys},
        scalars=listed(scalars),
        info=info,
        progress=listed(progress),
        done=(meta['epoch'], meta['iter'], meta['seed']),
    )


def listed(value: Any) -> Any:
    """Turn tensors into lists, which can be compared with ==."""
    if isinstance(value, dict):
        return {key: listed(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [listed(item) for item in value]
    return value.tolist() if hasattr(value, 'tolist') else value


class Snapshots:
    """Copy a folder as a kill would leave it, before each thing is written."""

    def __init__(self, folder: Path, copies: Path) -> None:
        self.folder, self.copies = folder, copies
        self.taken: List[str] = []

    def take(self, what: str) -> None:
        """Copy the folder."""
        path = self.copies / f'{len(self.taken)}'
        if self.folder.is_dir():
            shutil.copytree(self.folder, path)
        else:
            path.mkdir(parents=True)
        self.taken.append(what)

    def restore(self, number: int) -> None:
        """Let the folder be as it was."""
        shutil.rmtree(self.folder)
        shutil.copytree(self.copies / f'{number}', self.folder)

    def patch(self, monkeypatch) -> None:
        """Copy in the middle of a write, before renaming and removing."""

        def write(part: Path, content: bytes, write=Path.write_bytes) -> None:
            write(part, content[: len(content) // 2])
            self.take(f'half of {part.name}')
            write(part, content)

        def before(do: Callable, name: str) -> Callable:
            def wrapped(path: Any, *args: Any) -> None:
                if Path(path).parent == self.folder:
                    self.take(f'{name} {os.path.basename(path)}')
                do(path, *args)

            return wrapped

        monkeypatch.setattr(Path, 'write_bytes', write)
        for name in ('replace', 'remove'):
            monkeypatch.setattr(os, name, before(getattr(os, name), name))
