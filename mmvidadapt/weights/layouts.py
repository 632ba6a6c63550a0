"""Recognise a layout by its names and give every tensor ours."""

import math
import re
from functools import lru_cache
from typing import Dict, Iterable, List, Optional

import torch
from torch import Tensor

from . import evl_tables, tables
from .tables import FOREIGN, WRAPPERS, Layout

LAYOUTS = (*tables.LAYOUTS, *evl_tables.LAYOUTS)
OFFICIAL = ('aim-', 'evl')  # layouts of methods, beside those of images
StateDict = Dict[str, Tensor]
TUBELET = 2  # frames that a patch of AIM's Swin spans


def to_native(state_dict: StateDict, model: str = 'vit') -> StateDict:
    """Rename the weights of any known source as our backbones name them.

    Heads, text towers and buffers are left out. Tensors keep their type.

    Args:
        state_dict (Dict[str, Tensor]): Weights of a backbone, or of a whole
            model around one.
        model (str): ``'vit'`` or ``'swin'``. Defaults to ``'vit'``.

    Returns:
        Dict[str, Tensor]: Weights under the names of our backbones.
    """
    models = sorted({layout.model for layout in LAYOUTS})
    if model not in models:
        raise ValueError(f"Unknown model '{model}'; choose from {models}.")
    state_dict = _unwrap(state_dict)
    layout = _recognise(state_dict)
    if layout is None:
        raise ValueError(
            f'Weights of an unknown layout, with names like '
            f'{sorted(state_dict)[:4]}. Known layouts are '
            f'{[known.name for known in LAYOUTS]}; give one of them.'
        )
    if layout.model != model:
        raise ValueError(
            f"Weights in the layout '{layout.name}' belong to a "
            f'{layout.model}, and this model is a {model}; '
            'change the weights or the backbone.'
        )
    return _convert(state_dict, layout)


def rename_official_(state_dict: StateDict, prefix: str = '') -> None:
    """Rename a method's official checkpoint in place; leave others alone.

    For a hook before ``load_state_dict``, so that official checkpoints load
    strictly by their path alone.

    Args:
        state_dict (Dict[str, Tensor]): What is about to be loaded.
        prefix (str): Where the backbone's names start. Defaults to ``''``.
    """
    official = {
        name[len(prefix) :]: value
        for name, value in state_dict.items()
        if name.startswith(prefix)
    }
    layout = _recognise(official)
    if layout is None or not layout.name.startswith(OFFICIAL):
        return
    for name in official:
        del state_dict[prefix + name]
    for name, value in _convert(official, layout).items():
        state_dict[prefix + name] = value


def _unwrap(state_dict: StateDict) -> StateDict:
    """Take a backbone out of the model around it."""
    for wrapper, companions in WRAPPERS.items():
        if any(name.startswith(wrapper) for name in state_dict):
            return {
                name[len(wrapper) :] if name.startswith(wrapper) else name: v
                for name, v in state_dict.items()
                if not name.startswith(companions)
            }
    return state_dict


def _recognise(names: Iterable[str]) -> Optional[Layout]:
    """Find the first layout whose marks are all among the names."""
    names = list(names)
    for layout in LAYOUTS:
        marks = map(_pattern, layout.marks)
        if all(any(map(mark.fullmatch, names)) for mark in marks):
            return layout
    return None


def _convert(state_dict: StateDict, layout: Layout) -> StateDict:
    """Rename by the table of a layout; every name must be in it."""
    renamed: StateDict = {}
    unknown: List[str] = []
    for name, value in state_dict.items():
        matches = (
            (own, _pattern(source).fullmatch(name))
            for source, own in layout.table.items()
        )
        own, match = next((pair for pair in matches if pair[1]), (None, None))
        if match is None:
            unknown.append(name)
        elif own is not None:
            renamed[_fill(own, match)] = value
    if unknown:
        raise ValueError(_foreign(unknown, layout))
    return _reshape(_join(renamed))


def _foreign(names: List[str], layout: Layout) -> str:
    """Say which names a layout does not have, and what they are."""
    parts = {
        what
        for name in names
        for source, what in FOREIGN.items()
        if _pattern(source).fullmatch(name)
    }
    why = f' They are {" and ".join(sorted(parts))}.' if parts else ''
    rest = f' and {len(names) - 12} more' if len(names) > 12 else ''
    return (
        f"Weights in the layout '{layout.name}' have no place for "
        f'{sorted(names)[:12]}{rest}.{why} Remove these names from the '
        'file if the model is right without them.'
    )


def _join(state_dict: StateDict) -> StateDict:
    """Fuse queries, keys and values."""
    joined = {k: v for k, v in state_dict.items() if '#' not in k}
    for name in dict.fromkeys(k.split('#')[0] for k in state_dict if '#' in k):
        thirds = [state_dict.get(f'{name}#{part}') for part in 'qkv']
        missing = [p for p, v in zip('qkv', thirds) if v is None]
        if missing:
            raise ValueError(
                f'The weights have no {missing} of {name}; '
                'query, key and value must all be there.'
            )
        joined[name] = torch.cat(thirds)
    return joined


def _reshape(state_dict: StateDict) -> StateDict:
    """Remove batch axes, give patches their axes and Swin's their depth."""
    cls, pos = 'class_embedding', 'positional_embedding'
    if cls in state_dict:
        state_dict[cls] = state_dict[cls].flatten()  # (C,)
    if pos in state_dict and state_dict[pos].ndim == 3:
        state_dict[pos] = state_dict[pos].flatten(0, 1)  # (1+N, C)
    conv1 = state_dict.get('conv1.weight')
    if conv1 is not None and conv1.ndim == 2:  # (C, 3 * p * p)
        side = math.isqrt(conv1.shape[1] // 3)
        state_dict['conv1.weight'] = conv1.unflatten(1, (3, side, side))
    patch = state_dict.get('patch_embed.proj.weight')
    if patch is not None and patch.ndim == 4:
        patch = patch.unsqueeze(2).repeat(1, 1, TUBELET, 1, 1)
        state_dict['patch_embed.proj.weight'] = patch / TUBELET
    return state_dict


@lru_cache(maxsize=None)
def _pattern(template: str) -> 're.Pattern[str]':
    """Compile a name of a table."""
    regex = re.escape(template)
    for sign, pattern in (
        (r'\{i\}', r'(?P<i>\d+)'),
        (r'\{j\}', r'(?P<j>\d+)'),
        (r'\*\*', '(?P<any>.*)'),
        (r'\*', '(?P<kind>weight|bias)'),
    ):
        regex = regex.replace(sign, pattern, 1)
    return re.compile(regex)


def _fill(template: str, match: 're.Match[str]') -> str:
    """Write what a match found into a name of ours."""
    found = match.groupdict()
    for sign, group in (
        ('{i}', 'i'),
        ('{j}', 'j'),
        ('**', 'any'),
        ('*', 'kind'),
    ):
        if group in found:
            template = template.replace(sign, found[group])
    return template
