"""Lay rows out as a table of plain text, for a terminal or a log."""

import io
from typing import Any, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE = 10_000  # characters: no line is broken or cut, whatever the terminal
SIDES = dict(l='left', r='right')


def text_table(
    rows: Sequence[Sequence[Any]], align: str = 'lr', gap: int = 2
) -> str:
    """Lay rows out in columns, without colours, frames or line breaks.

    Args:
        rows (Sequence[Sequence[Any]]): The cells of each row, the header's
            first if there is one; missing ones at the end are empty.
        align (str): ``'l'`` or ``'r'`` for the side of each column, the last
            one for all that follow. Defaults to 'lr'.
        gap (int): Spaces between two columns. Defaults to 2.

    Returns:
        str: The lines.
    """
    table = Table.grid(padding=(0, gap, 0, 0))
    for column in range(max(map(len, rows))):
        side = align[min(column, len(align) - 1)]
        table.add_column(justify=SIDES[side], no_wrap=True)
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    page = io.StringIO()
    Console(file=page, width=WIDE, color_system=None).print(table)
    lines = page.getvalue().splitlines()
    return '\n'.join(line.rstrip() for line in lines)
