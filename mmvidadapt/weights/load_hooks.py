"""Reject files that do not fit our parts of a model, whoever loads them.

mmengine loads with ``strict=False`` and logs what does not fit, so that
mmaction2's ``init_recognizer`` returns a random model for a wrong file. Our
backbones and heads look at a file before they take it.
"""

import re
import weakref
from collections import OrderedDict
from contextvars import ContextVar
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from torch import Tensor, nn

from mmvidadapt.utils.printable import printable

from .fit import SHOWN, UNCHECKED, Difference, compare_named, unchecked

ADVICE = (
    'Build the model with the config that the file was made with. Image '
    'weights are the `pretrained` of a backbone. To fine-tune from a part of '
    'a file, give it to `load_from` or `init_cfg`, which fill a model that '
    'has its first weights.'
)


class ReadFile(NamedTuple):
    """The checkpoint that was read last.

    Args:
        source (str): The file.
        names (List[str]): Of its tensors.
        content (weakref.ref): Its state dict, as long as somebody holds it.
    """

    source: str
    names: List[str]
    content: weakref.ref


LAST: ContextVar[Optional[ReadFile]] = ContextVar('last', default=None)


def remember(content: Mapping[str, Any], source: str) -> Mapping[str, Any]:
    """Remember a checkpoint while it is held, for those that load it.

    Args:
        content (Mapping[str, Any]): What a file holds.
        source (str): The file.

    Returns:
        Mapping[str, Any]: The same; weak references are not of plain dicts.
    """
    nested = isinstance(content.get('state_dict'), Mapping)
    state_dict = content['state_dict'] if nested else content
    if not isinstance(state_dict, OrderedDict):
        state_dict = OrderedDict(state_dict)
    names = [name for name in state_dict if isinstance(name, str)]
    LAST.set(ReadFile(source, names, weakref.ref(state_dict)))
    return dict(content, state_dict=state_dict) if nested else state_dict


def refuse_unfit(
    module: nn.Module,
    state_dict: Dict[str, Any],
    prefix: str,
    *args: Any,
) -> None:
    """Raise where a file is not for a part of a model: a hook of the part.

    A part without its first weights has to find all of them; one that
    ``init_weights`` has filled may keep some, as fine-tuning asks for.
    Damage is refused in either case. Weights of no file are the caller's to
    compare.

    Args:
        module (nn.Module): The part.
        state_dict (Dict[str, Any]): What is loaded, under foreign names, too.
        prefix (str): Of the part's names.
        *args: What else PyTorch gives to such hooks.

    Raises:
        ValueError: If the file is damaged or not for this part.
    """
    file = LAST.get()
    if UNCHECKED.get() or file is None or file.content() is None:
        return
    names = [name for name in state_dict if name.startswith(prefix)]
    found = compare(module, {n[len(prefix) :]: state_dict[n] for n in names})
    if module.is_init or hasattr(module, '_params_init_info'):
        found = Difference(damaged=found.damaged)
    if found:
        part = prefix.rstrip('.') or 'model'
        advice = _others(file.names, prefix, part) + ADVICE
        raise found.refusal(file.source, part, module, advice)


def compare(model: nn.Module, state_dict: Mapping[str, Tensor]) -> Difference:
    """Compare a checkpoint with a model as ``load_state_dict`` would see it.

    Args:
        model (nn.Module): The model, without a distributed wrapper.
        state_dict (Mapping[str, Tensor]): The tensors of a checkpoint, under
            foreign names, too. It stays as it is.

    Returns:
        Difference: What would be missing, unknown, of another shape or
        damaged.
    """
    return compare_named(model.state_dict(), renamed(model, state_dict))


def renamed(
    model: nn.Module, state_dict: Mapping[str, Tensor]
) -> Dict[str, Tensor]:
    """Copy a checkpoint under the names that a model's own hooks give.

    Args:
        model (nn.Module): Its modules rename foreign checkpoints in hooks
            before ``load_state_dict``, which run here as PyTorch runs them.
        state_dict (Mapping[str, Tensor]): What is not changed.

    Returns:
        Dict[str, Tensor]: What ``load_state_dict`` would see.
    """
    copy = {re.sub(r'^module\.', '', k): v for k, v in state_dict.items()}
    with unchecked():
        for name, module in model.named_modules():
            prefix = f'{name}.' if name else ''
            for hook in module._load_state_dict_pre_hooks.values():
                hook(copy, prefix, {}, True, [], [], [])
    return copy


def _others(names: List[str], prefix: str, part: str) -> str:
    """List what a file holds beside a part."""
    others = [name for name in names if not name.startswith(prefix)]
    if not others:
        return ''
    shown = ', '.join(map(printable, others[:SHOWN]))
    left = len(others) - SHOWN
    more = f'  ... and {left} more\n' * (left > 0)
    return f'  outside of the {part}: {shown}\n{more}'
