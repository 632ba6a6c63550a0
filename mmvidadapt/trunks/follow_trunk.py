"""Fill a model in with what follows from its backbone's trunk.

``backbone.trunk`` decides what pixels the trunk was trained on and how wide
its features are, so ``data_preprocessor.mean``, ``std`` and
``cls_head.in_channels`` may be left out of a config. They are filled in

- where one of our tools reads a config, so that printed and saved configs
  hold the numbers and run under any tool;
- where :class:`~.recognizer.AdaptedRecognizer` or another recognizer of ours
  is built, whoever builds it.

What is given stays, and must be the trunk's.
"""

from typing import Any, Callable, Dict, Optional

from .table import Trunk, find_trunk
from .use_trunk import is_replaced

# Papers round the means that CLIP was trained with, AIM by 0.054 of 255.
ROUNDING = 0.1


def _both_paths(backbone: dict, width: int) -> int:
    """Count DualPath's channels: those of each path, projected or not."""
    paths = backbone.get('paths', ('temporal', 'spatial'))
    return len(set(paths)) * (backbone.get('output_dims') or width)


def _probed(backbone: dict, width: int) -> int:
    """Count a probe's channels: those that it projects to, if any."""
    return (backbone.get('pooler') or {}).get('embed_dims', width)


# Backbones whose features are not as wide as their trunk.
CHANNELS: Dict[str, Callable[[dict, int], int]] = dict(
    AttentiveProbe=_probed,
    DualPath=_both_paths,
    Side4Video=lambda backbone, width: backbone.get('side_dims', 320),
    VJEPA2=_probed,
)
# Heads that read what a decoder gives, or no channels: mmaction2 puts the last
# one into any config to write features.
DECODED = ('BEVTHead', 'FeatureHead')


def follow_trunk(model: Any) -> Any:
    """Fill in mean, std and head width, or refuse what contradicts them.

    Args:
        model (dict): Config of a recognizer. It is changed; without a
            ``trunk`` in its backbone it stays as it is.

    Returns:
        dict: The model.

    Raises:
        ValueError: Where what is given is not the trunk's, with both values.
    """
    row = trunk_of(model)
    if row is None:
        return model
    # Other sizes may have other channels and pixels; ours are the default.
    check = _accept if is_replaced(row, model['backbone']) else compare_entry
    head = model.get('cls_head')
    if isinstance(head, dict) and _name(head) not in DECODED:
        wanted = _channels(model['backbone'], row)
        given = head.setdefault('in_channels', wanted)
        check(_name(head), 'in_channels', given, wanted, row)
    if model.get('data_preprocessor') is None:
        model['data_preprocessor'] = dict(type='ActionDataPreprocessor')
    pixels = model['data_preprocessor']
    if row.mean is not None:
        pixels.setdefault('format_shape', 'NCTHW')
        for key in ('mean', 'std'):
            wanted = list(getattr(row, key))
            given = pixels.setdefault(key, wanted)
            check(_name(pixels), key, given, wanted, row)
    return model


def trunk_of(model: Any) -> Optional[Trunk]:
    """Return the row of a model's trunk, None where none is named."""
    backbone = model.get('backbone') if isinstance(model, dict) else None
    trunk = backbone.get('trunk') if isinstance(backbone, dict) else None
    return None if trunk is None else find_trunk(trunk)


def forget_trunk(model: dict) -> None:
    """Take out of a model what another trunk fills in anew."""
    for key in ('arch', 'dialect', 'pretrained', 'img_size', 'trunk'):
        model['backbone'].pop(key, None)
    head = model.get('cls_head') or {}
    if _name(head) not in DECODED:
        head.pop('in_channels', None)
    for key in ('mean', 'std'):
        (model.get('data_preprocessor') or {}).pop(key, None)


def _channels(backbone: dict, row: Trunk) -> int:
    """Count the channels of the features that a backbone gives."""
    rule = CHANNELS.get(_name(backbone))
    return row.width if rule is None else rule(backbone, row.width)


def _name(part: dict) -> str:
    """Return the name of a part's class, without its scope."""
    kind = part.get('type')
    return str(getattr(kind, '__name__', kind)).rpartition('.')[2]


def _accept(*entry: Any) -> None:
    """Take any entry beside a trunk that is replaced."""


def compare_entry(
    part: str, key: str, given: Any, wanted: Any, row: Trunk
) -> None:
    """Refuse an entry that is not what a trunk wants.

    Args:
        part (str): Name of the class that has it.
        key (str): ``'in_channels'``, ``'mean'`` or ``'std'``.
        given (Any): What it is.
        wanted (Any): What the trunk wants.
        row (Trunk): The trunk.

    Raises:
        ValueError: If they differ, means by more than rounding.
    """
    if _same(given, wanted):
        return
    way = 'Leave it out, and the trunk brings it'
    if key != 'in_channels':
        way += (
            ', or say that the recipe means it: '
            f'backbone.trunk=dict(name={row.name!r}, mean=..., std=...)'
        )
    raise ValueError(
        f'{part} has {key}={given!r}, and the trunk {row.name!r} wants '
        f'{key}={wanted!r}. {way}.'
    )


def _same(given: Any, wanted: Any) -> bool:
    """Compare numbers, means up to rounding."""
    if not isinstance(wanted, list):
        return given == wanted
    if not isinstance(given, (list, tuple)) or len(given) != len(wanted):
        return False
    return all(abs(a - b) <= ROUNDING for a, b in zip(given, wanted))
