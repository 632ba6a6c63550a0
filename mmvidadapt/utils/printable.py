"""Print texts of others so that a terminal or a page only shows them.

Names of files, of classes and of tensors, versions and messages come out of
files. A terminal obeys what is in them: it clears lines, changes its title,
turns the direction of writing; a page runs what looks like a tag.
"""

import html
import re
import sys
from typing import Any, NoReturn

# Signs that join letters or emojis, and spaces of other widths.
HARMLESS = re.compile('[\u200c\u200d\u00a0\u202f\u2009\u3000]')
STRUCTURE = re.compile(r'([\\|\[\]*])')


def printable(text: Any) -> str:
    """Escape what does not print as it is, line breaks included.

    Args:
        text (Any): A name, or what ``str`` makes one of.

    Returns:
        str: The same where all is harmless; a sign that is not is written as
        Python writes it, as an escape.
    """
    text = str(text)
    if text.isprintable():
        return text
    return ''.join(
        sign
        if sign.isprintable() or HARMLESS.match(sign)
        else sign.encode('unicode_escape').decode()
        for sign in text
    )


def printable_lines(text: Any) -> str:
    """Escape what does not print as it is, but for line breaks and tabs.

    Args:
        text (Any): A text of ours, with names of others in it.

    Returns:
        str: The text, see :func:`printable`.
    """
    parts = re.split('([\n\t])', str(text))
    return ''.join(
        part if part in ('\n', '\t') else printable(part) for part in parts
    )


def in_markdown(text: Any) -> str:
    """Escape a text for a page in Markdown, in a table or a list.

    Args:
        text (Any): A name of others.

    Returns:
        str: What a page shows as that name, without tags, links or columns.
    """
    plain = html.escape(printable(text), quote=False).replace('`', '&#96;')
    return STRUCTURE.sub(r'\\\1', plain)


def in_code(text: Any) -> str:
    """Escape a text for a piece of code in Markdown, quotes included.

    Args:
        text (Any): A path, say.

    Returns:
        str: The text between the signs that mark it as code.
    """
    return '`' + printable(text).replace('`', '\\x60') + '`'


def say(*texts: Any, **options: Any) -> None:
    """Print as ``print`` does, escaping what a terminal would obey.

    Args:
        *texts: What to print. A first sign that goes back to the start of
            the line, as bars of progress do, is kept.
        **options: Those of ``print``.
    """
    back = '\r' if texts and str(texts[0]).startswith('\r') else ''
    first = [str(text)[len(back) :] for text in texts[:1]]
    plain = [printable_lines(text) for text in (*first, *texts[1:])]
    if plain:
        plain[0] = back + plain[0]
    print(*plain, **options)


def fail(error: Any) -> NoReturn:
    """End a command with an error, which is printed with ``error:``.

    Args:
        error (Any): What went wrong.

    Raises:
        SystemExit: With the text as its code.
    """
    sys.exit(printable_lines(f'error: {error}'))
