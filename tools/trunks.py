"""Write the table of trunks into its page: python tools/trunks.py [--check].

Parameters and multiply-accumulates are counted on models without memory, at
the image size of the row and at the one of the published figures; they are
kept in mmvidadapt/trunks/rows/figures.py, where `python -m mmvidadapt trunks`
reads them. Edit a row, then run this; it takes about two minutes.
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
import re
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Tuple

from mmvidadapt.apis.inspect.trunk_cost import Cost, trunk_cost
from mmvidadapt.trunks import row as rows
from mmvidadapt.trunks import vjepa
from mmvidadapt.trunks.listing import figures
from mmvidadapt.trunks.row import Trunk
from mmvidadapt.trunks.rows.figures import FIGURES
from mmvidadapt.trunks.table import TRUNKS
from mmvidadapt.trunks.dialects import ARCHS

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / 'docs' / 'trunks.md'
DATA = ROOT / 'mmvidadapt' / 'trunks' / 'rows' / 'figures.py'
START, END = '<!-- tools/trunks.py writes this -->\n', '<!-- until here -->'
TABLE = re.compile(r'(?<="""\\\n)[^"]*(?=""")')  # of figures.py
PIXELS = {
    rows.CLIP: 'CLIP',
    rows.IMAGENET: 'ImageNet',
    rows.HALF: 'half',
}
COLUMNS = (
    'trunk',
    'width, blocks, heads, patch',
    'px',
    'params M',
    'GMACs',
    'published: params M, GMACs, px',
    'counted there',
    'mean, std',
    'licence',
    'weights',
)


def wanted() -> Iterator[Tuple[str, int]]:
    """List the trunks and image sizes whose figures are needed."""
    for name, row in TRUNKS.items():
        published = row.published and row.published.img_size
        for size in dict.fromkeys((row.img_size, published or row.img_size)):
            yield name, size


def count() -> Dict[Tuple[str, int], Cost]:
    """Count all figures, those of equal models once."""
    known: Dict[tuple, Cost] = {}
    found = {}
    for name, size in wanted():
        row = TRUNKS[name]
        key = (row.family, str(row.arch), str(row.dialect), size)
        if key not in known:
            known[key] = trunk_cost(name, size)
        found[name, size] = known[key]
    return found


def data(text: str, found: Dict[Tuple[str, int], Cost]) -> str:
    """Return the text of the module that keeps the figures."""
    lines = [
        f'{name} {size} {params} {macs}\n'
        for (name, size), (params, macs) in found.items()
    ]
    return TABLE.sub(''.join(lines), text)


def sizes(row: Trunk) -> str:
    """Return the sizes of a ViT, or the name of other sizes."""
    named = vjepa.ARCHS if row.family == 'vjepa' else ARCHS
    arch = named.get(row.arch, {}) if isinstance(row.arch, str) else row.arch
    keys = ('embed_dims', 'num_layers', 'num_heads', 'patch_size')
    return ', '.join(str(arch[k]) for k in keys if k in arch) or row.arch


def published(row: Trunk) -> Tuple[str, str]:
    """Return the published figures, and what we count at that size."""
    told = row.published
    if told is None:
        return '-', '-'
    text = f'{told.params:g}, {told.gmacs or "-"}, {told.img_size or "-"}'
    text += f' ({told.source})' if told.source != 'timm' else ''
    if told.img_size is None:
        return text, '-'
    params, gmacs = figures(row, told.img_size)
    more = f' + {told.extra / 1e6:.2f}' if told.extra else ''
    return text, f'{params:.2f}{more}, {gmacs:.2f}'


def weights(row: Trunk) -> str:
    """Name where the weights lie."""
    if row.hub is None:
        text = f'[file]({row.url})' if row.url else '[weights.md](weights.md)'
    else:
        page = f'https://huggingface.co/{row.hub.repo}'
        text = f'[{" or ".join(row.hub.files)}]({page})'
        text += f' at `{row.hub.revision[:7]}`' if row.hub.revision else ''
        text += ', sha256 published' if row.hub.sha256 else ''
        text += ', **gated**' if row.hub.gated else ''
    return text + (f'; `{row.mirror.repo}`' if row.mirror else '')


def line(cells: Iterable[str]) -> str:
    """Return a line of a table."""
    return f'| {" | ".join(cells)} |\n'


def table(family: List[Trunk]) -> str:
    """Return the table of some trunks."""
    lines = [line(COLUMNS), '|' + '---|' * len(COLUMNS) + '\n']
    for row in family:
        params, gmacs = figures(row)
        told, counted = published(row)
        pixels = PIXELS.get((row.mean, row.std), 'its own')
        lines.append(
            line(
                (
                    f'`{row.name}`',
                    sizes(row),
                    str(row.img_size),
                    f'{params:.1f}',
                    f'{gmacs:.1f}',
                    told,
                    counted,
                    pixels,
                    row.licence,
                    weights(row),
                )
            )
        )
    return ''.join(lines)


def page(text: str) -> str:
    """Return the page with the tables as the rows are."""
    before, rest = text.split(START)
    image = [row for row in TRUNKS.values() if row.family == 'vit']
    others = [row for row in TRUNKS.values() if row.family != 'vit']
    written = (
        f'\n### Images\n\n{table(image)}\n### Videos and windows\n\n'
        f'{table(others)}\n'
    )
    return before + START + written + END + rest.split(END)[1]


def main() -> None:
    """Write figures and page, or say which is stale."""
    parser = argparse.ArgumentParser(description=__doc__.split(':')[0])
    parser.add_argument(
        '--check',
        action='store_true',
        help='write and count nothing; fail when the page is stale or a '
        'figure is missing',
    )
    if parser.parse_args().check:
        if list(FIGURES) != list(wanted()):
            raise SystemExit(f'{DATA.name} is stale: run tools/trunks.py')
    else:
        found = count()
        DATA.write_text(data(DATA.read_text('utf-8'), found), 'utf-8')
        FIGURES.clear()
        FIGURES.update(found)
    old = PAGE.read_text('utf-8')
    new = page(old)
    if new != old and parser.parse_args().check:
        raise SystemExit(f'{PAGE.name} is stale: run python tools/trunks.py')
    PAGE.write_text(new, encoding='utf-8')


if __name__ == '__main__':
    main()
