"""Match names by tables, with signs that stand for numbers and parts.

Sources of weights have their tables in files of their own: image models
beside this one, methods in their ``names.py``. A table maps names of the
source to ours, the first match counts, and None marks what a video model has
no use for. In a name ``{i}`` and ``{j}`` stand for a number, ``*`` for
``weight`` or ``bias`` and ``**`` for anything, each at most once. A name of
ours that ends in ``#q``, ``#k`` or ``#v`` is a third of a fused tensor, in
``#kv`` two of them, in ``#gate`` or ``#up`` a half; ``#mask`` is 1 where a
tensor counts; ``#patches`` are positions without that of the class token,
which lies in the token itself.
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
        biases (bool): Whether queries, keys and values have biases; else
            those that are absent are zero. Defaults to True.
        without (Tuple[str, ...]): Names none of which is there.
            Defaults to ().
        tubelets (bool): Whether patches have to span frames, in weights that
            have shapes. Defaults to False.
        channels_last (bool): Whether the rows of a patch matrix are ordered
            by height, width and channel, else channels come first.
            Defaults to False.
        kind (str, optional): Kind of trunk that its names show and ours do
            not, see :mod:`~mmvidadapt.weights.trunk_kind`.
            Defaults to None.
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
    channels_last: bool = False
    kind: Optional[str] = None


def in_blocks(prefix: str, table: Table) -> Table:
    """Put the names of a block under those of all blocks."""
    blocks = 'transformer.resblocks.{i}.'
    return {
        prefix + source: own if own is None else blocks + own
        for source, own in table.items()
    }


def same(*names: str) -> Table:
    """Keep names as they are."""
    return {name: name for name in names}


# Our own checkpoints may come from any method; loading is strict anyway.
NATIVE: Table = same('**')

# What stands around the weights of a backbone, and may be left out with it.
WRAPPERS: Dict[str, Tuple[str, ...]] = {
    'backbone.': (
        'cls_head.',
        'head.',
        'neck.',
        'data_preprocessor.',
        'dino_head.',  # of a training of DINOv2 and v3, as the next
        'ibot_head.',
    ),
    'vit.': ('classifier.',),
    'vivit.': ('classifier.',),
    'dinov2.': ('classifier.',),
    'dinov2_with_registers.': ('classifier.',),
}

# Parts that other models have and ours do not.
FOREIGN: Dict[str, str] = {
    '**fc_norm.*': 'a norm after mean pooling in place of the last norm',
    '**dist_token': 'a distillation token',
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
