"""Files reach our parts of a model whole, whoever loads them.

mmengine loads with ``strict=False`` and logs what does not fit, so that
mmaction2's ``init_recognizer`` returns a random model for a wrong file. Our
backbones and heads look at a file before they take it.
"""

from collections import OrderedDict
from typing import Any, Dict, Mapping

from torch import nn

from mmvidadapt.utils.printable import printable

from .compare import SHOWN, Difference, compare

KEY = 'mmvidadapt_file'  # of a module's entry in the metadata
ADVICE = (
    'Build the model with the config that the file was made with. Image '
    'weights are the `pretrained` of a backbone. To fine-tune from a part of '
    'a file, give it to `load_from` or `init_cfg`, which fill a model that '
    'has its first weights.'
)
DAMAGED = 'Fetch the file again, or take an earlier checkpoint.'


def mark(content: Mapping[str, Any], source: str) -> Dict[str, Any]:
    """Note in a checkpoint from which file its weights are.

    PyTorch and mmengine pass the metadata of a state dict on to the modules
    that load it.

    Args:
        content (Mapping[str, Any]): What a file holds.
        source (str): The file.

    Returns:
        Dict[str, Any]: The same, with a mark.
    """
    nested = isinstance(content.get('state_dict'), Mapping)
    state_dict = OrderedDict(content['state_dict'] if nested else content)
    names = [name for name in state_dict if isinstance(name, str)]
    note = dict(source=source, names=names)
    known = getattr(content.get('state_dict'), '_metadata', None) or {}
    prefixes = {'.'.join(n.split('.')[:i]) for n in names for i in range(3)}
    places = prefixes | {'backbone', 'cls_head'}
    places |= {place.removeprefix('module.') for place in places}
    state_dict._metadata = OrderedDict(known)
    for place in places:
        entry = known.get(place, {})
        state_dict._metadata[place] = dict(entry, **{KEY: note})
    return dict(content, state_dict=state_dict) if nested else state_dict


def unmark(state_dict: Mapping[str, Any]) -> None:
    """Tell that a whole model was compared, with what it allows to differ."""
    for entry in (getattr(state_dict, '_metadata', None) or {}).values():
        entry.pop(KEY, None)


def refuse_unfit(
    module: nn.Module,
    state_dict: Dict[str, Any],
    prefix: str,
    local_metadata: Dict[str, Any],
    *args: Any,
) -> None:
    """Raise where a file is not for a part of a model: a hook of the part.

    A part without its first weights has to find all of them; one that
    ``init_weights`` has filled may keep some, as fine-tuning asks for.
    Damage is refused in either case.

    Args:
        module (nn.Module): The part.
        state_dict (Dict[str, Any]): What is loaded, under foreign names, too.
        prefix (str): Of the part's names.
        local_metadata (Dict[str, Any]): Holds the mark of a file, if the
            weights are of one.
        *args: What else PyTorch gives to such hooks.

    Raises:
        ValueError: If the file is damaged or not for this part.
    """
    note = local_metadata.get(KEY)
    if note is None:
        return
    own = {
        name[len(prefix) :]: value
        for name, value in state_dict.items()
        if name.startswith(prefix)
    }
    found = compare(module, own)
    if module.is_init or hasattr(module, '_params_init_info'):
        found = Difference([], [], [], found.damaged)
    if found:
        raise ValueError(_complaint(module, prefix, found, note))


def _complaint(
    module: nn.Module, prefix: str, found: Difference, note: Dict[str, Any]
) -> str:
    """Name the file, the part, what differs and the way out."""
    names = note['names']
    others = [name for name in names if not name.startswith(prefix)]
    shown = [printable(name) for name in others[:SHOWN]]
    part = prefix.rstrip('.') or 'model'
    foreign = f'  outside of the {part}: {", ".join(shown)}\n' * bool(others)
    if len(others) > SHOWN:
        foreign += f'  ... and {len(others) - SHOWN} more\n'
    return (
        f'{note["source"]} does not fit the {part}, '
        f'{type(module).__name__}:\n{found}\n{foreign}'
        + (DAMAGED if found.damaged and not any(found[:3]) else ADVICE)
    )
