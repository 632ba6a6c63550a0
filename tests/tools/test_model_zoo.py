"""The model zoo says what the metafiles say."""

import re
import runpy

import pytest
import yaml

from mmvidadapt.weights import SOURCES
from tests import runs

from .processes import call

NAME = 'model_zoo.py'


def test_every_page_says_what_the_metafiles_say(monkeypatch):
    """The zoo, the tables of READMEs, the first lines of configs."""
    call(monkeypatch, NAME, '--check')


META = """
Collections:
  - {Name: X, README: configs/x/README.md, Notes: Notes of X.}
Models:
  - Name: x_y
    Config: configs/x/y.py
    In Collection: X
    Metadata: {Architecture: ViT-B/16, Pretrained: CLIP, Epochs: 3,
      Test Views: 8x3x1, FLOPs: 3000000000, FLOPs Here: 2000000000,
      Parameters: 2500000, Trained Parameters: 1000000, Training Data: K}
    Published: {GFLOPs: 9.1, Parameters: 2.5}
    Results:
      - {Metrics: {Top 1 Accuracy: 81.0}, Metrics Source: paper}
      - Metrics: {Top 1 Accuracy: 82.0, Top 5 Accuracy: 96.5}
        Metrics Source: README
"""
MEASURED = """
    Measured: {Metrics: {Top 1 Accuracy: 81.2, Top 5 Accuracy: 95.0},
      Videos: 19796, List SHA256: aaaaaaaaaaaaaaaa, Command: dist_test.sh,
      Date: 2026-01-01}
    Converted From: {Weights: 'https://x.invalid/y', Alias: x/y}
"""
README = """
| start | config | params | here | published | top-1 | epochs | note |
|---|---|---|---|---|---|---|---|
| 1 | [y](y.py), ours | - | - | 0 [^1] | - | - | as it is |
"""


def test_stale_pages_are_told_and_written(monkeypatch, tmp_path):
    tool = runpy.run_path(str(runs.ROOT / 'tools' / NAME))
    monkeypatch.setitem(tool['main'].__globals__, 'ROOT', tmp_path)
    folder = tmp_path / 'configs/x'
    folder.mkdir(parents=True)
    (tmp_path / 'model-index.yml').write_text('Import: [configs/x/m.yml]')
    (folder / 'm.yml').write_text(META)
    (folder / 'README.md').write_text(README)
    (folder / 'y.py').write_text('"""Y.\n\nPublished: 1.\nMore.\n"""\n')
    zoo = tmp_path / 'model_zoo.md'
    zoo.write_text('old')
    monkeypatch.setattr('sys.argv', [NAME, '--check'])
    with pytest.raises(SystemExit, match='model_zoo.md, .*y.py: stale'):
        tool['main']()
    assert zoo.read_text() == 'old'
    monkeypatch.setattr('sys.argv', [NAME])
    tool['main']()
    assert '| K | 2.50 / 1.00 | 3.0 | 81.0 / - | paper | none released |' in (
        zoo.read_text()
    )
    assert '[X](configs/x/README.md)' in zoo.read_text()
    assert 'Notes of X.' in zoo.read_text() and '| ours' not in zoo.read_text()
    assert (
        '| 1 | [y](y.py), ours | 2.50 / 1.00 | 2.0 | 9.1 [^1] | '
        '81.0 (paper); 82.0 (README) | 3 | as it is |'
    ) in (folder / 'README.md').read_text()
    assert (folder / 'y.py').read_text() == (
        '"""Y.\n\nPublished: 81.0 % top-1 (paper); 82.0 / 96.5 % top-1 / top-5'
        ' (README), 8x3x1\nviews.\nMore.\n"""\n'
    )
    (folder / 'm.yml').write_text(META + MEASURED)
    tool['main']()
    for part in (
        '| ours | checkpoint |',
        '81.2 / 95.0 on 19796 videos (list `aaaaaaaaaaaa`), `dist_test.sh`',
        '[official](https://x.invalid/y), sha256 not published; `x/y`',
        '`python tools/convert_weights.py x/y OUT.pth`',
    ):
        assert part in zoo.read_text()


def test_every_released_checkpoint_has_name_and_command():
    page = (runs.ROOT / 'model_zoo.md').read_text()
    rows = [r for r in page.splitlines() if r.startswith('| [')]
    cells = [r.rsplit(' | ', 1)[-1] for r in rows]
    released = [c for c in cells if c != 'none released |']
    assert len(released) == 22
    for cell in released:
        (alias,) = re.findall(r'; `([^` ]+)`;', cell)
        assert alias in SOURCES and 'sha256 ' in cell
        assert f'`python tools/convert_weights.py {alias} OUT.pth`' in cell


def test_nobody_is_sent_to_results_that_are_not_there():
    metas = [
        yaml.safe_load(path.read_text())
        for path in runs.ROOT.glob('configs/*/metafile.yml')
    ]
    for model in (model for meta in metas for model in meta['Models']):
        header = (runs.ROOT / model['Config']).read_text().split('"""')[1]
        assert 'Measured' in model or 'model_zoo' not in header
    readme = (runs.ROOT / 'README.md').read_text()
    none = 'None of the benchmarks has been run here'
    assert (none in readme) == ('Measured' not in str(metas))
