"""Write HTML elements whose texts are escaped."""

import html
from typing import Any, Iterable, Union

from mmvidadapt.utils.printable import printable_lines


class Html(str):
    """Text that is HTML already, written by :func:`element`."""

    __slots__ = ()


Child = Union[str, int, float, Html, None, Iterable[Any]]
EMPTY = ('img', 'meta', 'br', 'rect', 'line', 'circle', 'path', 'polyline')


def escape(text: Any) -> Html:
    """Escape a text of others: tags, quotes, signs that do not print."""
    return Html(html.escape(printable_lines(text), quote=True))


def join(*children: Child) -> Html:
    """Join children; all but :class:`Html` are escaped, None is nothing."""
    parts = []
    for child in children:
        if isinstance(child, Html):
            parts.append(child)
        elif isinstance(child, (list, tuple)):
            parts.append(join(*child))
        elif child is not None:
            parts.append(escape(child))
    return Html(''.join(parts))


def element(name: str, /, *children: Child, **attributes: Any) -> Html:
    """Write an element.

    Args:
        name (str): Of the element, ``'td'``, say.
        *children: What is in it; texts are escaped.
        **attributes: ``class_`` is ``class``, ``_`` inside a name is ``-``;
            None leaves one out.

    Returns:
        Html: The element.
    """
    said = ''.join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in EMPTY and not children:
        return Html(f'<{name}{said}/>')
    return Html(f'<{name}{said}>{join(*children)}</{name}>')


def percent(value: float, digits: int = 1) -> str:
    """Write a share as per cent; a dash for nan."""
    return '–' if value != value else f'{100 * value:.{digits}f} %'


def points(difference: float) -> str:
    """Write a difference of shares in points, with its sign."""
    return f'{100 * difference:+.1f}'.replace('-', '−')


def plural(number: int, noun: str) -> str:
    """Write a number with its noun, such as ``3 clips``."""
    many = noun + ('es' if noun.endswith('s') else 's')
    return f'{number} {noun if number == 1 else many}'
