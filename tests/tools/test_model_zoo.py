"""The model zoo says what the metafiles say."""

import re
import runpy

import pytest
import yaml

from mmvidadapt.weights import SOURCES
from tests import runs

from .processes import call

NAME = 'model_zoo.py'
MODEL = """
Config: configs/x/y.py
Metadata: {Architecture: ViT-B/16, Pretrained: CLIP, Parameters: 2500000,
  Trained Parameters: 1000000, FLOPs: 3000000000, Training Data: Kinetics-400}
Measured: {Metrics: {Top 1 Accuracy: 81.2, Top 5 Accuracy: 95.0},
  Videos: 19796, List SHA256: aaaaaaaaaaaaaaaa, Command: dist_test.sh,
  Date: '2026-01-01'}
"""


def test_the_page_is_fresh(monkeypatch):
    call(monkeypatch, NAME, '--check')


def test_every_config_with_a_paper_has_a_row():
    page = (runs.ROOT / 'model_zoo.md').read_text()
    linked = re.findall(r'\]\((configs/\w+/[\w-]+\.py)\)', page)
    folders = {p.parent for p in runs.ROOT.glob('configs/*/metafile.yml')}
    files = {
        str(path.relative_to(runs.ROOT))
        for folder in folders
        for path in folder.glob('*.py')
    }
    assert len(linked) == len(set(linked))
    assert set(linked) == files
    index = yaml.safe_load((runs.ROOT / 'model-index.yml').read_text())
    assert {runs.ROOT / f for f in index['Import']} == {
        folder / 'metafile.yml' for folder in folders
    }


def test_a_stale_page_is_told(monkeypatch, tmp_path):
    tool = runpy.run_path(str(runs.ROOT / 'tools' / NAME))
    model = yaml.safe_load(MODEL)
    line = tool['row'](model)
    assert line.endswith('none released |\n')
    released = {
        'Converted From': dict(Weights='https://x.invalid/y', Alias='x/y')
    }
    cell = tool['row']({**model, **released}).split(' | ')[-1]
    for part in (
        '[official](https://x.invalid/y), sha256 not published',
        '`x/y`',
        '`python tools/convert_weights.py x/y OUT.pth`',
    ):
        assert part in cell
    for part in (
        '2.50 / 1.00',
        '3.0',
        '81.2 / 95.0 on 19796',
        '`aaaaaaaaaaaa`',
    ):
        assert part in line
    stale = tmp_path / 'model_zoo.md'
    stale.write_text('old')
    monkeypatch.setitem(tool['main'].__globals__, 'PAGE', stale)
    monkeypatch.setattr('sys.argv', [NAME, '--check'])
    with pytest.raises(SystemExit, match='is stale'):
        tool['main']()
    assert stale.read_text() == 'old'
    monkeypatch.setattr('sys.argv', [NAME])
    tool['main']()
    assert stale.read_text() == (runs.ROOT / 'model_zoo.md').read_text()


def test_every_released_checkpoint_has_name_and_command():
    page = (runs.ROOT / 'model_zoo.md').read_text()
    rows = [r for r in page.splitlines() if r.startswith('| [')]
    cells = [r.rsplit(' | ', 1)[-1] for r in rows]
    released = [c for c in cells if c != 'none released |']
    assert len(released) == 20
    for cell in released:
        (alias,) = re.findall(r'; `([^` ]+)`;', cell)
        assert alias in SOURCES and 'sha256 ' in cell
        assert f'`python tools/convert_weights.py {alias} OUT.pth`' in cell


def test_nobody_is_sent_to_results_that_are_not_there():
    page = (runs.ROOT / 'model_zoo.md').read_text().splitlines()
    rows = {
        match[1]: 'not run here' in line
        for line in page
        if (match := re.match(r'\| \[[^]]+\]\((configs/\S+\.py)\)', line))
    }
    for path, not_run in rows.items():
        header = (runs.ROOT / path).read_text().split('"""')[1]
        assert not_run or 'not run yet' not in header, path
        assert not (not_run and 'model_zoo' in header), path
    readme = (runs.ROOT / 'README.md').read_text()
    none = 'None of the benchmarks has been run here'
    assert (none in readme) == all(rows.values())
