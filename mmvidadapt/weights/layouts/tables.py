"""Match names by tables, with signs that stand for numbers and parts.

Sources of weights have their tables in files of their own: image models
beside this one, methods in their ``names.py``. A table maps names of the
source to ours, the first match counts, and None marks what a video model has
no use for. In a name ``{i}`` and ``{j}`` stand for a number, ``*`` for
``weight`` or ``bias`` and ``**`` for anything, each at most once; a name of
ours that ends in ``#q``, ``#k`` or ``#v`` is a third of a fused tensor, in
``#gate`` or ``#up`` a half of one; ``mlp.c_proj.#scale`` is a factor that is
folded into that layer, exactly: a frozen LayerScale.
"""

import re
from functools import lru_cache
from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

Table = Dict[str, Optional[str]]


class Layout(NamedTuple):
    """A source of weights: its model, the names that tell it, its table.

    Args:
        name (str): Of the layout; a method's begins with that of the method.
        family (str): Trunks that it is for, ``'vit'`` or ``'swin'``.
        marks (Tuple[str, ...]): Names that all have to be there.
        table (Dict[str, Optional[str]]): Their names to ours.
        official (bool): Whether such a backbone is renamed wherever it is
            loaded, not only as image weights. Defaults to False.
        fallback (bool): Whether layouts of images are tried before it.
            Defaults to False.
        video (str): Its name where patches span frames.
            Defaults to ``''``: the same.
        biases (bool): Whether every linear layer has its bias; else those
            that are absent are zero. Defaults to True.
        without (Tuple[str, ...]): Names none of which is there.
            Defaults to ().
        tubelets (bool): Whether patches have to span frames, in weights that
            have shapes. Defaults to False.
    """

    name: str
    family: str
    marks: Tuple[str, ...]
    table: Table
    official: bool = False
    fallback: bool = False
    video: str = ''
    biases: bool = True
    without: Tuple[str, ...] = ()
    tubelets: bool = False


def in_blocks(prefix: str, table: Dict[str, str]) -> Table:
    """Put the names of a block under those of all blocks."""
    return {
        prefix + source: 'transformer.resblocks.{i}.' + own
        for source, own in table.items()
    }


def same(*names: str) -> Table:
    """Keep names as they are."""
    return {name: name for name in names}


# Our own checkpoints may come from any method; loading is strict anyway.
NATIVE: Table = same('**')

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


def match_names(
    names: Iterable[str], table: Table
) -> Tuple[Dict[str, Optional[str]], List[str]]:
    """Match the names of a layout with ours.

    Args:
        names (Iterable[str]): Names in the layout.
        table (Dict[str, Optional[str]]): Table of the layout.

    Returns:
        Tuple[Dict[str, Optional[str]], List[str]]: Their name to ours, None
        for what a video model has no use for, and names that no row of the
        table has.
    """
    ours: Dict[str, Optional[str]] = {}
    unknown: List[str] = []
    for name in names:
        matches = (
            (own, pattern(source).fullmatch(name))
            for source, own in table.items()
        )
        own, match = next((pair for pair in matches if pair[1]), (None, None))
        if match is None:
            unknown.append(name)
        else:
            ours[name] = None if own is None else _fill(own, match)
    return ours, unknown


@lru_cache(maxsize=None)
def pattern(template: str) -> 're.Pattern[str]':
    """Compile a name of a table.

    Args:
        template (str): As the head of this file describes it.

    Returns:
        re.Pattern: Matches the names that it stands for.
    """
    regex = re.escape(template)
    for sign, part in (
        (r'\{i\}', r'(?P<i>\d+)'),
        (r'\{j\}', r'(?P<j>\d+)'),
        (r'\*\*', '(?P<any>.*)'),
        (r'\*', '(?P<kind>weight|bias)'),
    ):
        regex = regex.replace(sign, part, 1)
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
