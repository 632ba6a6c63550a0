"""List the trunks of the table: sizes, cost, licence, whether at hand.

Nothing here imports PyTorch.
"""

from typing import Iterable, List, Optional, Tuple

from mmvidadapt.utils.cache_folder import find_kept
from mmvidadapt.utils.text_table import text_table

from .row import Trunk
from .rows.figures import FIGURES
from .table import TRUNKS

HEADER = ('trunk', 'params M', 'GMACs', 'px', 'licence', 'weights')
NOTE = """
GMACs: multiply-accumulates of a frame of px x px. Weights: `kept` is on this
machine; `download` is fetched when first asked for; `gated` after its licence
has been accepted on the Hub (or by the name of the mirror); `by hand` takes a
person and a browser. `trunk=NAME` in a config, `--trunk NAME` of the tools.
docs/trunks.md has sources, mirrors and published figures."""


def find_trunks(words: Iterable[str] = ()) -> List[Trunk]:
    """Find the rows that have all words in name, note, family or licence.

    Args:
        words (Iterable[str]): Words, in capitals or not. Defaults to ().

    Returns:
        List[Trunk]: The rows, in the order of the table.

    Raises:
        ValueError: If there is none.
    """
    words = [word.lower() for word in words]
    found = [
        row
        for row in TRUNKS.values()
        if all(word in _text(row) for word in words)
    ]
    if not found:
        raise ValueError(
            f'No trunk has {" and ".join(map(repr, words))} in its name, '
            'note, family or licence; `python -m mmvidadapt trunks` lists all.'
        )
    return found


def _text(row: Trunk) -> str:
    """Join what a row is looked for by."""
    mirror = row.mirror.repo if row.mirror else ''
    parts = (row.name, row.note, row.family, row.licence, mirror)
    return ' '.join(parts).lower()


def weights_at(row: Trunk) -> str:
    """Describe how a trunk's weights are had: kept, download, gated, by hand.

    Args:
        row (Trunk): The trunk.

    Returns:
        str: One of these words.
    """
    places = [place for place in (row.hub, row.mirror) if place]
    names = [row.name, *(place.repo for place in places)]
    if any(map(find_kept, names)) or any(p.find_cached() for p in places):
        return 'kept'
    if row.weights is None or row.by_hand:
        return 'by hand'
    return 'gated' if row.hub and row.hub.gated else 'download'


def figures(row: Trunk, size: Optional[int] = None) -> Tuple[float, float]:
    """Return parameters in millions and GMACs of a frame.

    Args:
        row (Trunk): The trunk.
        size (int, optional): Height and width of the frame.
            Defaults to None: the trunk's.

    Returns:
        Tuple[float, float]: As ``tools/trunks.py`` has computed them.
    """
    params, macs = FIGURES[row.name, size or row.img_size]
    return params / 1e6, macs / 1e9


def list_trunks(words: Iterable[str] = ()) -> str:
    """Lay the trunks out as a table for a terminal.

    Args:
        words (Iterable[str]): See :func:`find_trunks`. Defaults to ().

    Returns:
        str: The table and what its words mean.
    """
    lines: List[Tuple[str, ...]] = [HEADER]
    for row in find_trunks(words):
        params, gmacs = figures(row)
        lines.append(
            (
                row.name,
                f'{params:.1f}',
                f'{gmacs:.1f}',
                str(row.img_size),
                row.licence,
                weights_at(row),
            )
        )
    return text_table(lines, align='lrrrl') + '\n' + NOTE
