"""Names of tables, with signs that stand for numbers and parts."""

import re
from functools import lru_cache
from typing import Dict, Iterable, List, Optional, Tuple

from .tables import Table


def match_names(
    names: Iterable[str], table: Table
) -> Tuple[Dict[str, Optional[str]], List[str]]:
    """Say what the names of a layout are with us.

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
        template (str): As :mod:`.tables` describes it.

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
