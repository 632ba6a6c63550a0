"""Recognize a layout by its names, and rename every tensor as ours.

The one place that renames: backbones and recognizers call it in their hooks
before ``load_state_dict``, ``pretrained`` and converters before they load.
"""

import math
import re
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..files.readers import first_classifier
from .flax import is_flax, to_torch
from .registry import layouts, methods
from .tables import FOREIGN, WRAPPERS, Layout, match_names, pattern

TEXT_TOWER = '**token_embedding.weight'
BACKBONE = 'backbone.'
StateDict = Dict[str, Tensor]
FUSED = ('q', 'k', 'v'), ('q', 'kv'), ('gate', 'up')  # parts of a tensor
PATCHES = re.compile(r'(.*\.)?(conv1|patch_embed\.proj)\.weight')
VECTORS = ('class_embedding', 'modality_embedding', 'attn_pool.probe')
ROWS = ('positional_embedding', 'registers', 'attn_pool.query_tokens')
ALONE = ('#mask', '#patches')
TUBELET = 2  # frames that a patch of a video Swin spans


def to_native(state_dict: StateDict, family: str = 'vit') -> StateDict:
    """Rename the weights of any known source as our backbones name them.

    Heads, text towers and buffers are left out. Tensors keep their type.

    Args:
        state_dict (Dict[str, Tensor]): Weights of a backbone, or of a whole
            model around one.
        family (str): ``'vit'`` or ``'swin'``. Defaults to ``'vit'``.

    Returns:
        Dict[str, Tensor]: Weights under the names of our backbones.
    """
    return rename(state_dict, family)[0]


def rename(state_dict: StateDict, family: str) -> Tuple[StateDict, Layout]:
    """Rename weights as :func:`to_native` does; return their layout, too."""
    families = sorted({layout.family for layout in layouts()})
    if family not in families:
        raise ValueError(f"Unknown family '{family}'; choose from {families}.")
    state_dict = unwrap(state_dict)
    layout = recognize(state_dict)
    if layout is None:
        text = any(map(pattern(TEXT_TOWER).fullmatch, state_dict))
        hint = ' These are of a text tower alone.' if text else ''
        raise ValueError(
            f'Weights of an unknown layout, with names like '
            f'{sorted(state_dict)[:4]}. Known layouts are '
            f'{list(dict.fromkeys(known.name for known in layouts()))}; '
            f'give one of them.{hint}'
        )
    if layout.family != family:
        raise ValueError(
            f"Weights in the layout '{layout.name}' belong to a "
            f'{layout.family}, and this model is a {family}; '
            'change the weights or the backbone.'
        )
    return _convert(state_dict, layout), layout


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
    names = list(official)
    official = to_torch(official) if is_flax(names) else official
    layout = recognize(official)
    if layout is None or not layout.official:
        return
    for name in names:
        del state_dict[prefix + name]
    for name, value in _convert(official, layout).items():
        state_dict[prefix + name] = value


def rename_whole_(state_dict: Dict[str, Any]) -> None:
    """Rename a method's official recognizer in place; leave others alone.

    Args:
        state_dict (Dict[str, Any]): What is about to be loaded into a
            recognizer.
    """
    if name_parts_(state_dict):
        rename_official_(state_dict, BACKBONE)


def name_parts_(state_dict: Dict[str, Any]) -> bool:
    """Put an official recognizer's parts under the names of parts, in place.

    Args:
        state_dict (Dict[str, Any]): A whole checkpoint, or names alone.

    Returns:
        bool: Whether it was one; others are left alone.
    """
    inner = [state_dict.get('model'), *first_classifier(state_dict)]
    inner = next((v for v in inner if v is not None), state_dict)
    if not isinstance(inner, Mapping):
        return False
    inner = {re.sub(r'^(module\.)+', '', k): v for k, v in inner.items()}
    for names in methods():
        parts = names.parts and names.parts(inner)
        if parts is not None:
            state_dict.clear()
            state_dict.update(parts)
            return True
    return False


def unwrap(state_dict: StateDict) -> StateDict:
    """Take a backbone out of the model around it, flax's ones as torch's."""
    if is_flax(state_dict):
        return to_torch(state_dict)
    for wrapper, companions in WRAPPERS.items():
        if any(name.startswith(wrapper) for name in state_dict):
            return {
                name[len(wrapper) :] if name.startswith(wrapper) else name: v
                for name, v in state_dict.items()
                if not name.startswith(companions)
            }
    return state_dict


def recognize(names: Iterable[str]) -> Optional[Layout]:
    """Find the first layout whose marks are all among the names.

    Args:
        names (Iterable[str]): Names, or names and tensors: only these tell
            whether patches span frames.

    Returns:
        Layout, optional: The layout; None for none that is known.
    """
    tubelets, names = has_tubelets(names), list(names)
    for layout in layouts():
        if layout.tubelets and not tubelets:
            continue
        marks = [_is_there(mark, names) for mark in layout.marks]
        if all(marks) and not any(_is_there(n, names) for n in layout.without):
            return layout
    return None


def has_tubelets(weights: Any) -> bool:
    """Check whether patches span frames, in weights that have shapes."""
    if not isinstance(weights, Mapping):
        return False
    patches = [v for k, v in weights.items() if PATCHES.fullmatch(k)]
    return bool(patches) and getattr(patches[0], 'ndim', 0) == 5


def _is_there(name: str, names: List[str]) -> bool:
    """Check whether any name matches one of a table."""
    return any(map(pattern(name).fullmatch, names))


def _convert(state_dict: StateDict, layout: Layout) -> StateDict:
    """Rename by the table of a layout; every name must be in it."""
    ours, unknown = match_names(state_dict, layout.table)
    if unknown:
        raise ValueError(_foreign(unknown, layout))
    parts = {
        ours[name]: value
        for name, value in state_dict.items()
        if ours[name] is not None
    }
    parts = parts if layout.biases else _with_biases(parts)
    return _reshape(_join(parts), layout.channels_last)


def _foreign(names: List[str], layout: Layout) -> str:
    """Name what a layout does not have, and what it is."""
    parts = {
        what
        for name in names
        for source, what in FOREIGN.items()
        if pattern(source).fullmatch(name)
    }
    why = f' They are {" and ".join(sorted(parts))}.' if parts else ''
    rest = f' and {len(names) - 12} more' if len(names) > 12 else ''
    return (
        f"Weights in the layout '{layout.name}' have no place for "
        f'{sorted(names)[:12]}{rest}.{why} Remove these names from the '
        'file if the model is right without them.'
    )


def _with_biases(parts: StateDict) -> StateDict:
    """Add the biases that queries, keys and values have not: zero."""
    added = dict(parts)
    for name, value in parts.items():
        block, fused, part = name.partition('attn.in_proj_weight')
        if not fused:
            continue
        bias = f'{block}attn.in_proj_bias'
        if f'{bias}#q' in parts:  # of queries and values alone
            added.setdefault(f'{bias}#k', torch.zeros_like(parts[f'{bias}#q']))
        else:
            added.setdefault(bias + part, value.new_zeros(len(value)))
    return added


def _join(parts: StateDict) -> StateDict:
    """Fuse parts of tensors."""
    joined = {k: v for k, v in parts.items() if '#' not in k}
    whole = {k: v for k, v in parts.items() if k.endswith(ALONE)}
    fused = [k.split('#')[0] for k in parts if '#' in k and k not in whole]
    for name in dict.fromkeys(fused):
        order = max(
            FUSED, key=lambda order: sum(f'{name}#{p}' in parts for p in order)
        )
        found = [parts.get(f'{name}#{part}') for part in order]
        missing = [p for p, v in zip(order, found) if v is None]
        if missing:
            raise ValueError(
                f'The weights have no {missing} of {name}; '
                f'{", ".join(order)} must all be there.'
            )
        joined[name] = torch.cat(found)
    for name, value in whole.items():
        own, _, what = name.partition('#')
        if what == 'mask':  # not 0 * NaN
            joined[own] = joined[own].where(value == 1, 0)
        else:
            rows = value.flatten(0, -2)  # (N, C)
            joined[own] = F.pad(rows, (0, 0, 1, 0))  # (1+N, C)
    return joined


def _reshape(state_dict: StateDict, channels_last: bool = False) -> StateDict:
    """Remove batch axes, give patches their axes and Swin's their depth."""
    for name, value in state_dict.items():
        if name.endswith(VECTORS):
            state_dict[name] = value.flatten()  # (C,)
        elif name.endswith(ROWS) and value.ndim == 3:
            state_dict[name] = value.flatten(0, 1)  # (1+N, C)
    conv1 = state_dict.get('conv1.weight')
    if conv1 is not None and conv1.ndim == 2:  # (C, 3 * p * p)
        side = math.isqrt(conv1.shape[1] // 3)
        if channels_last:
            conv1 = conv1.unflatten(1, (side, side, 3)).permute(0, 3, 1, 2)
        else:
            conv1 = conv1.unflatten(1, (3, side, side))
        state_dict['conv1.weight'] = conv1
    patch = state_dict.get('patch_embed.proj.weight')
    if patch is not None and patch.ndim == 4:
        patch = patch.unsqueeze(2).repeat(1, 1, TUBELET, 1, 1)
        state_dict['patch_embed.proj.weight'] = patch / TUBELET
    return state_dict
