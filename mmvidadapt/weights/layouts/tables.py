"""Tables of names: data only.

Sources of weights have their tables in files of their own beside this one. A
table maps names of the source to ours, the first match counts, and None marks
what a video model has no use for. In a name ``{i}`` and ``{j}`` stand for a
number, ``*`` for ``weight`` or ``bias`` and ``**`` for anything, each at most
once; a name of ours that ends in ``#q``, ``#k`` or ``#v`` is a third of a
fused tensor.
"""

from typing import Dict, NamedTuple, Optional, Tuple

Table = Dict[str, Optional[str]]


class Layout(NamedTuple):
    """A source of weights: its model, the names that tell it, its table."""

    name: str
    model: str
    marks: Tuple[str, ...]
    table: Table


def _blocks(prefix: str, table: Dict[str, str]) -> Table:
    """Put the names of a block under those of all blocks."""
    return {
        prefix + source: 'transformer.resblocks.{i}.' + own
        for source, own in table.items()
    }


def _same(*names: str) -> Table:
    """Keep names as they are."""
    return {name: name for name in names}


# Our own checkpoints may come from any method; loading is strict anyway.
NATIVE: Table = _same('**')

# What stands around the weights of a backbone, and may be left out with it.
WRAPPERS: Dict[str, Tuple[str, ...]] = {
    'backbone.': ('cls_head.', 'head.', 'neck.', 'data_preprocessor.'),
    'vit.': ('classifier.',),
    'vivit.': ('classifier.',),
}

# Parts that other models have and ours do not.
FOREIGN: Dict[str, str] = {
    '**fc_norm.*': 'a norm after mean pooling in place of the last norm',
    '**dist_token': 'a distillation token',
    '**.ls{i}.gamma': 'layer scale; multiply it into the projection before it',
    '**.gamma{i}.*': 'layer scale; multiply it into the projection before it',
    '**ln2.*': 'a norm of pooled features',
}
