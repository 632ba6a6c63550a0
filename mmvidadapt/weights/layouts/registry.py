"""Register what the methods' released files call their parameters.

Each ``methods/<name>/names.py`` calls :func:`register_names` and is imported
with :mod:`mmvidadapt.weights`, which itself knows no method.
"""

from typing import (
    Any,
    Callable,
    Dict,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from torch import Tensor

from . import dinov2, dinov3, eva02, pe, siglip, swin, vit, vjepa
from .tables import Layout

# Those with names that only they have come first.
OWN: Tuple[Layout, ...] = tuple(
    layout
    for source in (vjepa, pe, eva02, dinov3, dinov2, siglip, vit, swin)
    for layout in source.LAYOUTS
)
Rename = Callable[[Dict[str, Any]], Optional[Dict[str, Any]]]


class Names(NamedTuple):
    """Layouts and renames of the released files of a method.

    Args:
        layouts (Sequence[Layout]): Tables of its backbones.
            Defaults to ().
        parts (Callable): Puts the parts of its official recognizers under
            ``backbone.`` and ``cls_head.``; of other weights it gives None.
            What is inside the backbone keeps its official name.
            Defaults to None: there are none.
        claim (Callable): Converts weights that no table describes; of the
            weights and of the method they are for, gives a
            :class:`~.convert.Conversion`, or None for others.
            Defaults to None: there are none.
        time_axes (Mapping[str, int]): Regular expressions for parameters
            over time, without what stands before their own name, and their
            axis of time. Defaults to ``{}``.
    """

    layouts: Sequence[Layout] = ()
    parts: Optional[Rename] = None
    claim: Optional[Callable[[Dict[str, Tensor], str], Any]] = None
    time_axes: Mapping[str, int] = {}


METHODS: Dict[str, Names] = {}
# Of trunks whose released files are whole models.
WHOLE = (Names(parts=vjepa.name_parts),)


def register_names(method: str, **names: Any) -> None:
    """Register the names of a method.

    Args:
        method (str): The folder of the method.
        **names: See :class:`Names`.
    """
    METHODS[method] = Names(**names)


def methods() -> Tuple[Names, ...]:
    """List what methods registered, in alphabetical order, and trunks."""
    return (*(METHODS[name] for name in sorted(METHODS)), *WHOLE)


def layouts() -> Tuple[Layout, ...]:
    """List the known layouts, in the order in which they are tried.

    Returns:
        Tuple[Layout, ...]: Those of methods, which have all that their image
        models have and more, come before those of images, except for
        fallbacks.
    """
    theirs = [layout for names in methods() for layout in names.layouts]
    first = [layout for layout in theirs if not layout.fallback]
    last = [layout for layout in theirs if layout.fallback]
    return (*first, *OWN, *last)


def time_axes() -> Dict[str, int]:
    """List the axes of time of parameters, by patterns of their names."""
    found: Dict[str, int] = {}
    for names in methods():
        found.update(names.time_axes)
    return found
