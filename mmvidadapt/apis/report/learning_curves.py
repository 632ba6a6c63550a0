"""Read the learning curves that mmengine writes down."""

import json
import re
from pathlib import Path
from typing import Dict, List, Tuple, Union

from mmvidadapt.engine.checkpoints import is_remote

from .contents import Curve

MOST_POINTS = 60
TRAINED = {
    'loss': 'training loss',
    'top1_acc': 'training accuracy',
    'lr': 'learning rate',
}
KEPT = re.compile(r'(.*/)?(acc/top1|mAP.*|loss)')


def read_curves(place: Union[str, Path]) -> List[Curve]:
    """Read the learning curves beside a checkpoint.

    Args:
        place (str | Path): A checkpoint or the folder of a run, whose
            ``*/vis_data/scalars.json`` are read, the later ones over the
            earlier ones.

    Returns:
        List[Curve]: None where there is no such file.
    """
    if is_remote(str(place)):
        return []
    folder = Path(place)
    folder = folder if folder.is_dir() else folder.parent
    curves: Dict[str, Dict[float, float]] = {}
    for path in sorted(folder.glob('*/vis_data/scalars.json')):
        _add(curves, path)
    order = [*TRAINED.values(), *curves]
    return [
        Curve(name, _thin(sorted(curves[name].items())))
        for name in sorted(curves, key=order.index)
        if len(curves[name]) > 1
    ]


def _add(curves: Dict[str, Dict[float, float]], path: Path) -> None:
    """Add the values of a file; a line that was cut off is none."""
    last = 0.0  # validation counts epochs, or steps
    for line in path.read_text(encoding='utf-8').splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        trains = 'lr' in entry
        step = entry.get('iter' if trains else 'step')
        if not isinstance(step, (int, float)):
            continue
        step = entry.get('step', step) if trains else max(last, step)
        last = max(last, step)
        for key, value in entry.items():
            name = _name(key, trains)
            if name and isinstance(value, (int, float)):
                curves.setdefault(name, {})[step] = float(value)


def _name(key: str, trains: bool) -> str:
    """Name a curve; its last word is what shares a chart."""
    if trains:
        return TRAINED.get(key, '')
    if not KEPT.fullmatch(key):
        return ''
    return 'validation ' + {'acc/top1': 'accuracy'}.get(key, key)


def _thin(points: List[Tuple[float, float]]) -> List[Tuple[float, float]]:
    """Average neighbours, so that a picture has room for the points."""
    every = -(-len(points) // MOST_POINTS)
    parts = [points[i : i + every] for i in range(0, len(points), every)]
    return [
        (part[-1][0], sum(value for _, value in part) / len(part))
        for part in parts
    ]
