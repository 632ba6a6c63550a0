"""Write what metafiles say into pages: python tools/model_zoo.py [--check].

Every figure of ``model_zoo.md``, of the tables in ``configs/*/README.md`` and
of the configs' first lines comes from ``configs/*/metafile.yml``; the tests of
the configs compute parameters and operations again and compare. Edit a
metafile, then run this.
"""

import argparse
import re
import textwrap
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List

import yaml

ROOT = Path(__file__).resolve().parents[1]
INTRO = """# Model zoo

Written by `python tools/model_zoo.py` from `configs/*/metafile.yml`.

Published figures and measured ones never share a column. *Published*: top-1 / top-5 in percent, from the source beside it (*official README*: the method's repository; *third party*: another publication; *paper, unverified*: said to be the paper's, and not compared with it). *Ours*: trained and tested with this code, by the command named there; no such column means that none of the table's rows has been. Views are frames x clips x crops. Parameters are millions, total / trained; GMACs are multiply-accumulates of one view of the method as published, both computed.

No weights of ours are released yet. *Checkpoint* is what the authors released for the row: their page or file, its sha256 where they published one, its name here, which `tools/test.py CONFIG NAME` takes as it is, and the command that writes it under our names. [weights.md](docs/weights.md) says which a person has to fetch.
"""  # noqa: E501
# In a README's table, and the first sentence of a config's results.
LINK = re.compile(r'\[([\w-]+)\]\(\1\.py\)')
FOOTNOTES = re.compile(r'(?: \[\^\d+\])*$')
PUBLISHED = re.compile(r'^Published: .*?\.$', re.MULTILINE | re.DOTALL)
Model = Dict[str, Any]


def percent(metrics: Dict[str, Any]) -> str:
    """Return top-1 / top-5."""
    top = [metrics.get(f'Top {k} Accuracy', '-') for k in (1, 5)]
    return '-' if top == ['-', '-'] else f'{top[0]} / {top[1]}'


def params(model: Model) -> str:
    """Return all parameters / those that are trained, in millions."""
    both = (model['Metadata'][k] for k in ('Parameters', 'Trained Parameters'))
    return ' / '.join(f'{number / 1e6:.2f}' for number in both)


def giga(model: Model, *names: str) -> str:
    """Return the first of some numbers of operations, in 1e9."""
    found = [model['Metadata'][n] for n in names if n in model['Metadata']]
    return f'{found[0] / 1e9:.1f}' if found else '-'


def result(model: Model, number: int = 0) -> Dict[str, Any]:
    """Return a published result of a row, or nothing."""
    return dict(enumerate(model.get('Results', []))).get(number, {})


def measured(model: Model) -> str:
    """Return our own result with its command and data, if there is one."""
    ours = model.get('Measured')
    if ours is None:
        return 'not run here'
    return (
        f'{percent(ours["Metrics"])} on {ours["Videos"]} videos (list '
        f'`{ours["List SHA256"][:12]}`), `{ours["Command"]}`, {ours["Date"]}'
    )


def checkpoint(model: Model) -> str:
    """Link what others released, and say how it becomes ours."""
    source = model.get('Converted From')
    if source is None:
        return 'none released'
    digest = source.get('SHA256', 'sha256 not published')
    alias = source['Alias']
    return (
        f'[official]({source["Weights"]}), {digest}; `{alias}`; '
        f'`python tools/convert_weights.py {alias} OUT.pth`'
    )


CELLS: Dict[str, Callable[[Model], str]] = {
    'config': lambda m: f'[{Path(m["Config"]).stem}]({m["Config"]})',
    'arch': lambda m: ', '.join(
        m['Metadata'][key] for key in ('Architecture', 'Pretrained')
    ),
    'views': lambda m: m['Metadata'].get('Test Views', '-'),
    'data': lambda m: m['Metadata']['Training Data'],
    'params': params,
    'GMACs': lambda m: giga(m, 'FLOPs'),
    'published': lambda m: percent(result(m).get('Metrics', {})),
    'source': lambda m: result(m).get('Metrics Source', '-'),
    'ours': measured,
    'checkpoint': checkpoint,
}
# Columns of a README's tables that mean something else, or nothing here.
README_CELLS: Dict[str, Callable[[Model], str]] = {
    **{key: CELLS[key] for key in ('views', 'params', 'GMACs')},
    'epochs': lambda m: str(m['Metadata']['Epochs']),
    'method': CELLS['GMACs'],
    'here': lambda m: giga(m, 'FLOPs Here', 'FLOPs'),
    'published': lambda m: str(m.get('Published', {}).get('GFLOPs', '-')),
    'published params / GFLOPs': lambda m: ' / '.join(
        str(m.get('Published', {}).get(key, '-'))
        for key in ('Parameters', 'GFLOPs')
    ),
    'top-1 / top-5': CELLS['published'],
    'in the paper': lambda m: percent(result(m, 1).get('Metrics', {})),
    'top-1': lambda m: (
        '; '.join(
            f'{r["Metrics"]["Top 1 Accuracy"]} ({r["Metrics Source"]})'
            for r in m.get('Results', [])
        )
        or '-'
    ),
    'source': lambda m: result(m).get('Metrics Source', 'none at hand'),
}


def line(cells: Iterable[str]) -> str:
    """Return a line of a table."""
    return f'| {" | ".join(cells)} |\n'


def table(models: List[Model]) -> str:
    """Return the zoo's table of a collection."""
    ours = any('Measured' in model for model in models)
    names = [name for name in CELLS if ours or name != 'ours']
    lines = [line(names), '|' + '---|' * len(names) + '\n']
    lines += [line(CELLS[n](model) for n in names) for model in models]
    return '\n' + ''.join(lines)


def metafiles(root: Path) -> List[Path]:
    """Return the metafiles in the order of the index."""
    index = yaml.safe_load((root / 'model-index.yml').read_text('utf-8'))
    return [root / name for name in index['Import']]


def zoo(metas: Iterable[Dict[str, Any]]) -> str:
    """Return the model zoo."""
    parts = [INTRO]
    for meta in metas:
        for collection in meta['Collections']:
            name = collection['Name']
            rows = [m for m in meta['Models'] if m['In Collection'] == name]
            parts.append(f'\n## [{name}]({collection["README"]})\n')
            parts.append(table(rows))
            if 'Notes' in collection:
                parts.append(f'\n{collection["Notes"].strip()}\n')
    return ''.join(parts)


def readme(text: str, models: Dict[str, Model]) -> str:
    """Return a README with the metafile's figures in its tables.

    Columns are known by their names; others, and footnotes, stay.
    """
    lines, names = text.splitlines(keepends=True), []
    for i, old in enumerate(lines):
        cells = re.split(r' *\| *', old.strip()[1:-1].strip(' '))
        if lines[i + 1 : i + 2] and lines[i + 1].startswith('|--'):
            names = cells
        if not old.startswith('| ') or 'config' not in names:
            continue
        found = LINK.match(cells[names.index('config')])
        if found:
            model = models[found[1]]
            for j, name in enumerate(names):
                if name in README_CELLS:
                    notes = FOOTNOTES.search(cells[j])[0]
                    cells[j] = README_CELLS[name](model) + notes
            lines[i] = line(cells)
    return ''.join(lines)


def header(text: str, model: Model) -> str:
    """Return a config with the published results in its docstring."""
    parts = []
    for found in model.get('Results', []):
        top, source = percent(found['Metrics']), found['Metrics Source']
        both = '/ -' not in top
        top = f'{top} % top-1 / top-5' if both else f'{top[:-4]} % top-1'
        parts.append(f'{top} ({source})')
    if not parts:
        return text
    views = f', {model["Metadata"]["Test Views"]} views.'
    if model.get('Published', {}).get('Views') == 'unverified':
        views = f'; its views are not verified{views[:-7]} here.'
    sentence = textwrap.fill(
        f'Published: {"; ".join(parts)}{views}', 79, break_on_hyphens=False
    )
    return PUBLISHED.sub(lambda _: sentence, text, count=1)


def pages(root: Path) -> Dict[Path, str]:
    """Return the text of every file that repeats a metafile's figures."""
    paths = metafiles(root)
    metas = [yaml.safe_load(path.read_text('utf-8')) for path in paths]
    texts = {root / 'model_zoo.md': zoo(metas)}
    for path, meta in zip(paths, metas):
        models = {Path(m['Config']).stem: m for m in meta['Models']}
        page = path.parent / 'README.md'
        texts[page] = readme(page.read_text('utf-8'), models)
        for model in models.values():
            config = root / model['Config']
            texts[config] = header(config.read_text('utf-8'), model)
    return texts


def main() -> None:
    """Write the files, or say which are stale."""
    parser = argparse.ArgumentParser(description=__doc__.split(':')[0])
    parser.add_argument(
        '--check', action='store_true', help='write nothing; fail when stale'
    )
    texts = pages(ROOT)
    stale = [p for p in texts if p.read_text('utf-8') != texts[p]]
    if not parser.parse_args().check:
        for path in stale:
            path.write_text(texts[path], encoding='utf-8')
    elif stale:
        names = ', '.join(path.relative_to(ROOT).as_posix() for path in stale)
        raise SystemExit(f'{names}: stale, run python tools/model_zoo.py')


if __name__ == '__main__':
    main()
