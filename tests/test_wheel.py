"""A wheel, installed into an empty folder, serves configs and tools."""

import shutil
import subprocess
import sys

import pytest
import yaml

from tests.golden import ROOT

PARTS = ('setup.py', 'MANIFEST.in', 'README.md', 'LICENSE', 'model-index.yml')
TREES = ('mmvidadapt', 'configs', 'tools')
PROGRAM = """
import mmvidadapt, mmengine.hub
from mmengine.config import Config
assert mmvidadapt.__file__.startswith({site!r}), mmvidadapt.__file__
for name in {names!r}:
    found = mmengine.hub.get_config(f'mmvidadapt::{{name}}')
    assert found.model.backbone.type
mine = Config.fromfile('mine.py')
assert mine.model.backbone.num_frames == 4
assert mine.model.backbone.trunk == 'openai/ViT-B-16'
"""


def python(*words, cwd, site=None):
    """Run python; give what it printed."""
    env = {'PATH': '/usr/bin:/bin', 'OMP_NUM_THREADS': '1'}
    if site is not None:
        env['PYTHONPATH'] = str(site)
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        env=env,
        text=True,
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def copy_parts(folder):
    """Copy what the package is built from."""
    ignore = shutil.ignore_patterns('.mim', '__pycache__')
    for name in PARTS:
        shutil.copy2(ROOT / name, folder / name)
    for name in TREES:
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    """Build the wheel from a copy and install it alone into a folder."""
    source = tmp_path_factory.mktemp('source')
    copy_parts(source)
    pip = ('-m', 'pip', '-q', '--disable-pip-version-check')
    wheels = source / 'wheels'
    build = ('--no-deps', '--no-build-isolation', '-w', wheels, source)
    python(*pip, 'wheel', *build, cwd=source)
    (wheel,) = wheels.glob('mmvidadapt-*.whl')
    target = tmp_path_factory.mktemp('site')
    where = ('--no-deps', '--no-index', '--target', target)
    python(*pip, 'install', *where, wheel, cwd=source)
    shutil.rmtree(source)
    return target


@pytest.mark.slow
def test_an_installed_wheel_serves_every_config(site, tmp_path):
    index = yaml.safe_load(
        (site / 'mmvidadapt/.mim/model-index.yml').read_text()
    )
    shipped = site / 'mmvidadapt' / '.mim'
    names = []
    for path in index['Import']:
        for model in yaml.safe_load((shipped / path).read_text())['Models']:
            assert (shipped / model['Config']).is_file()
            names.append(model['Config'].removeprefix('configs/'))
    assert len(names) > 40
    (tmp_path / 'mine.py').write_text(
        "_base_ = ['mmvidadapt::aim/vitb16_k400.py']\n"
        'model = dict(backbone=dict(num_frames=4))\n'
    )
    program = PROGRAM.format(site=str(site), names=names[::6])
    python('-W', 'ignore', '-c', program, cwd=tmp_path, site=site)


@pytest.mark.slow
def test_its_command_line_and_tools_run_anywhere(site, tmp_path):
    flat = python(
        '-m',
        'mmvidadapt',
        'config',
        'evl/vitb16_k400',
        cwd=tmp_path,
        site=site,
    )
    assert "type='EVL'" in flat and '_base_' not in flat
    tools = site / 'mmvidadapt' / '.mim' / 'tools'
    assert (site / 'mmvidadapt/apis/report/page.css').is_file()
    for name in ('train.py', 'test.py', 'inference.py', 'report.py'):
        said = python(tools / name, '--help', cwd=tmp_path, site=site)
        assert 'usage:' in said
