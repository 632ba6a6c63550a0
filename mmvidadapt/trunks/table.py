"""One word names a trunk: its sizes, pixels, weights and licence.

``backbone=dict(type='AIM', trunk='openai/ViT-B-16', num_frames=8)`` brings
what the row says. ``arch``, ``dialect``, ``pretrained`` and ``img_size`` keep
working without it; beside it

- ``pretrained`` takes the place of the row's weights: a path, another alias,
  or None for random ones;
- ``img_size`` takes the place of the row's image size, and positions are
  resized to it;
- ``arch`` and ``dialect`` must be the row's, or are refused;
- other ``arch`` or ``dialect`` together with ``pretrained`` take the place of
  the trunk: so configs are written on top of ours that name none. The one of
  the two that is left out stays the row's.

What follows from a trunk in the rest of a model, the preprocessor's mean and
std and the head's width, is filled in by
:mod:`mmvidadapt.trunks.follow_trunk`. What a recipe wants otherwise, such as
ImageNet's means under CLIP's weights, is written into the trunk itself:
``trunk=dict(name='openai/ViT-B-16', mean=[...], std=[...])``.

The rows are in ``rows/``, a file for every family of weights. Nothing here
imports PyTorch, so that configs and the table are printed in no time.
"""

import difflib
from typing import Dict, Union

from .row import Trunk
from .rows import ROWS

TRUNKS: Dict[str, Trunk] = {
    name: row._replace(name=name, weights=name) for name, row in ROWS.items()
}
# What timm calls the same weights, and what we call them.
MIRRORS: Dict[str, str] = {
    row.mirror.repo: name for name, row in TRUNKS.items() if row.mirror
}
# Names without what all of a family end in.
SHORT: Dict[str, str] = {
    name.removesuffix(end): name
    for end in ('-pretrain-lvd1689m',)
    for name in TRUNKS
    if name.endswith(end)
}


def find_trunk(trunk: Union[str, dict]) -> Trunk:
    """Look a trunk up by its name.

    Args:
        trunk (str | dict): Name in :data:`TRUNKS`, :data:`MIRRORS` or
            :data:`SHORT`, or a dict with ``name`` and what differs from its
            row, ``mean`` and ``std`` say.

    Returns:
        Trunk: The row.

    Raises:
        ValueError: On names and entries that there are none of, with those
            that are near.
    """
    changes = dict(trunk) if isinstance(trunk, dict) else dict(name=trunk)
    name, known = changes.pop('name', None), (*TRUNKS, *MIRRORS, *SHORT)
    if not isinstance(name, str) or name not in known:
        close = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5)
        guess = ' or '.join(map(repr, close))
        raise ValueError(
            f'There is no trunk {name!r}.'
            + (f' Did you mean {guess}?' if close else '')
            + ' `python -m mmvidadapt trunks` lists them; or describe it by '
            'arch, dialect and pretrained.'
        )
    unknown = set(changes) - {'mean', 'std'}
    if unknown:
        raise ValueError(
            f'trunk={dict(trunk)!r}: {sorted(unknown)} cannot differ from the '
            f'row of {name!r}, mean and std can; leave the trunk out and give '
            'arch, dialect and pretrained for other sizes.'
        )
    changes = {k: None if v is None else tuple(v) for k, v in changes.items()}
    if name in MIRRORS:  # the same weights, from another place
        changes.update(name=name, weights=name)
    name = MIRRORS.get(name, SHORT.get(name, name))
    return TRUNKS[name]._replace(**changes)
