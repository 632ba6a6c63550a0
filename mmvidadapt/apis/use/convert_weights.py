"""Convert weights files."""

from collections import Counter
from pathlib import Path
from typing import Dict

import torch
from torch import Tensor

from mmvidadapt.utils.printable import printable
from mmvidadapt.utils.whole_file import whole_file
from mmvidadapt.version import __version__
from mmvidadapt.weights import load_weights_file, resolve
from mmvidadapt.weights.damage import find_damage
from mmvidadapt.weights.layouts.convert import Conversion, convert, kind


def read_conversion(source: str, method: str = '') -> Conversion:
    """Read and rename the weights of a file.

    Args:
        source (str): Alias, URL or path.
        method (str): What they are for, such as ``'aim'``. Defaults to ''.

    Returns:
        Conversion: The weights under our names.

    Raises:
        ValueError: If the file is damaged, or of no known layout.
    """
    weights = load_weights_file(resolve(source))
    try:
        found = convert(weights, method)
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from error
    floats = {k: torch.zeros(()) for k in found.weights}
    damage = find_damage(floats, found.weights)
    if damage:
        raise ValueError(
            f'{source} is damaged: {damage[:20]}. Fetch it again.'
        )
    return found


def describe(found: Conversion, source: str) -> str:
    """Describe weights, and what became of every name.

    Args:
        found (Conversion): The weights.
        source (str): What to call them.

    Returns:
        str: Lines to print.
    """
    size = sum(v.numel() * v.element_size() for v in found.weights.values())
    what = 'backbone and head' if found.whole else 'a backbone'
    lines = [
        f"{source}: layout '{found.layout}', {what}, "
        f'{len(found.weights)} tensors, {size / 2**20:.1f} MiB',
        f'matches: {len(found.matches)}',
    ]
    pairs = Counter((kind(a), kind(b)) for a, b in found.matches.items())
    lines += [
        f'  {printable(a)} -> {printable(b)}  x{n}'
        for (a, b), n in pairs.items()
    ]
    lines.append(
        f'leftovers, of no use to a video model: {len(found.leftovers)}'
    )
    left = Counter(map(kind, found.leftovers))
    lines += [f'  {printable(name)}  x{n}' for name, n in left.items()]
    return '\n'.join(lines)


def save_conversion(found: Conversion, source: str, out: str) -> Path:
    """Write converted weights, whole or not at all.

    Args:
        found (Conversion): The weights.
        source (str): Where they came from, for the record.
        out (str): A ``.safetensors`` file, or one of ``torch.save``.

    Returns:
        Path: The file.
    """
    path = Path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = dict(source=source, layout=found.layout, mmvidadapt=__version__)
    weights: Dict[str, Tensor] = {
        name: value.clone(memory_format=torch.contiguous_format)
        for name, value in found.weights.items()
    }
    with whole_file(path) as part:
        if path.suffix == '.safetensors':
            from safetensors.torch import save_file

            save_file(weights, part, dict(format='pt', **meta))
        else:
            torch.save(dict(meta=meta, state_dict=weights), part)
    return path
