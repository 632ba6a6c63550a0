"""Write model_zoo.md from the metafiles: python tools/model_zoo.py [--check].

Every figure comes from ``configs/*/metafile.yml``; the tests of the configs
compute parameters and operations again and compare. Edit a metafile, then run
this.
"""

import argparse
from pathlib import Path
from typing import Any, Dict, List

import yaml

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / 'model_zoo.md'
INTRO = """# Model zoo

Written by `python tools/model_zoo.py` from `configs/*/metafile.yml`.

Published figures and measured ones never share a column. *Published*: top-1 / top-5 in percent, from the source beside it (*official README*: the method's repository; *third party*: another publication; *paper, unverified*: said to be the paper's, and not compared with it). *Ours*: trained and tested with this code, by the command named there, or "not run here". Views are frames x clips x crops. Parameters are millions, total / trained; GMACs are multiply-accumulates of one view of the method as published, both computed.

No weights of ours are released yet. *Checkpoint* is what the authors released for the row: their page or file, its sha256 where they published one, its name here, which `tools/test.py CONFIG NAME` takes as it is, and the command that writes it under our names. [weights.md](docs/weights.md) says which a person has to fetch.
"""  # noqa: E501
HEAD = """
| config | arch | views | data | params | GMACs | published | source | ours | checkpoint |
|---|---|---|---|---|---|---|---|---|---|
"""  # noqa: E501


def percent(metrics: Dict[str, Any]) -> str:
    """Return top-1 / top-5."""
    top = [metrics.get(f'Top {k} Accuracy', '-') for k in (1, 5)]
    return '-' if top == ['-', '-'] else f'{top[0]} / {top[1]}'


def measured(model: Dict[str, Any]) -> str:
    """Return our own result with its command and data, if there is one."""
    ours = model.get('Measured')
    if ours is None:
        return 'not run here'
    return (
        f'{percent(ours["Metrics"])} on {ours["Videos"]} videos (list '
        f'`{ours["List SHA256"][:12]}`), `{ours["Command"]}`, {ours["Date"]}'
    )


def checkpoint(model: Dict[str, Any]) -> str:
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


def row(model: Dict[str, Any]) -> str:
    """Return the line of one config."""
    data, result = model['Metadata'], model.get('Results', [{}])[0]
    name = Path(model['Config']).stem
    cells = [
        f'[{name}]({model["Config"]})',
        f'{data["Architecture"]}, {data["Pretrained"]}',
        str(data.get('Test Views', '-')),
        data['Training Data'],
        f'{data["Parameters"] / 1e6:.2f} / '
        f'{data["Trained Parameters"] / 1e6:.2f}',
        f'{data["FLOPs"] / 1e9:.1f}' if data.get('FLOPs') else '-',
        percent(result.get('Metrics') or {}),
        result.get('Metrics Source', '-'),
        measured(model),
        checkpoint(model),
    ]
    return f'| {" | ".join(cells)} |\n'


def metafiles(root: Path) -> List[Path]:
    """Return the metafiles in the order of the index."""
    index = yaml.safe_load((root / 'model-index.yml').read_text('utf-8'))
    return [root / name for name in index['Import']]


def page(root: Path = ROOT) -> str:
    """Return the whole page."""
    parts = [INTRO]
    for path in metafiles(root):
        meta = yaml.safe_load(path.read_text('utf-8'))
        for collection in meta['Collections']:
            parts.append(f'\n## [{collection["Name"]}]')
            parts.append(f'({collection["README"]})\n{HEAD}')
            parts += [
                row(model)
                for model in meta['Models']
                if model['In Collection'] == collection['Name']
            ]
            if 'Notes' in collection:
                parts.append(f'\n{collection["Notes"].strip()}\n')
    return ''.join(parts)


def main() -> None:
    """Write the page, or say that it is stale."""
    parser = argparse.ArgumentParser(description=__doc__.split(':')[0])
    parser.add_argument(
        '--check', action='store_true', help='write nothing; fail when stale'
    )
    text = page()
    if not parser.parse_args().check:
        PAGE.write_text(text, encoding='utf-8')
    elif PAGE.read_text('utf-8') != text:
        raise SystemExit(
            f'{PAGE.name} is stale: run python tools/model_zoo.py'
        )


if __name__ == '__main__':
    main()
