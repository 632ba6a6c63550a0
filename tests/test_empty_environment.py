"""In an empty environment, a wheel and an editable install serve all.

The environment gets the tested set, which takes minutes: the first test runs
where ``MMVIDADAPT_EMPTY_ENV=1`` is set, or says which environment without
mmvidadapt is to be used. tests/test_wheel.py is the cheap variant, which
installs the wheel alone into a folder.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.golden import ROOT
from tests.test_wheel import copy_parts

WANTED = os.environ.get('MMVIDADAPT_EMPTY_ENV', '')
PROGRAM = """
import os
import mmvidadapt
from mmengine.config import Config
from mmengine.hub import get_config
from mmvidadapt.apis import list_models
assert 'mmvidadapt' not in os.listdir('.')
assert mmvidadapt.__file__.startswith({place!r}), mmvidadapt.__file__
names = list_models()
assert len(names) > 80, len(names)
for name in names:
    assert get_config(f'mmvidadapt::{{name}}.py').model.backbone.type, name
    with open('mine.py', 'w') as file:
        file.write(f"_base_ = ['mmvidadapt::{{name}}.py']")
    assert Config.fromfile('mine.py').model.backbone.type, name
print(len(names), 'configs')
"""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not WANTED, reason='MMVIDADAPT_EMPTY_ENV is not set'),
]


def run(*words, cwd):
    """Run a program, which sees nothing of this environment."""
    env = {k: v for k, v in os.environ.items() if not k.startswith('PYTHON')}
    env.update(OMP_NUM_THREADS='1', PIP_DISABLE_PIP_VERSION_CHECK='1')
    done = subprocess.run(
        [*map(str, words)], cwd=cwd, env=env, text=True, capture_output=True
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


@pytest.fixture(scope='module')
def python(tmp_path_factory):
    """Make the environment, or take the one that is named."""
    if WANTED != '1':
        return Path(WANTED, 'bin', 'python')
    folder = tmp_path_factory.mktemp('empty')
    run(sys.executable, '-m', 'venv', folder, cwd=folder)
    python = folder / 'bin' / 'python'
    tested = ROOT / 'requirements' / 'tested.txt'
    run(python, '-m', 'pip', 'install', '-q', '-r', tested, cwd=folder)
    return python


@pytest.fixture(scope='module')
def source(tmp_path_factory):
    """Copy the checkout."""
    source = tmp_path_factory.mktemp('checkout')
    copy_parts(source)
    return source


@pytest.mark.parametrize('editable', [False, True])
def test_every_config_resolves_from_elsewhere(
    editable, python, source, tmp_path
):
    pip = (python, '-m', 'pip')
    quiet = ('install', '-q', '--no-deps', '--no-build-isolation')
    if editable:
        run(*pip, *quiet, '-e', source, cwd=tmp_path)
        place = str(source)
    else:
        wheel = ('wheel', '-q', '--no-deps', '--no-build-isolation')
        run(*pip, *wheel, '-w', tmp_path, source, cwd=tmp_path)
        (file,) = tmp_path.glob('*.whl')
        run(*pip, *quiet, '--force-reinstall', file, cwd=tmp_path)
        place = str(python.parents[1])
    empty = tmp_path / 'elsewhere'
    empty.mkdir()
    try:
        program = PROGRAM.format(place=place)
        said = run(python, '-W', 'ignore', '-c', program, cwd=empty)
        assert 'configs' in said
        if (python.parent / 'mim').is_file():
            check_mim(python.parent / 'mim', empty)
    finally:
        run(*pip, 'uninstall', '-q', '-y', 'mmvidadapt', cwd=tmp_path)


def check_mim(mim, folder):
    """Compare what mim lists with the metafiles."""
    said = run(mim, 'search', 'mmvidadapt', '--field', 'config', cwd=folder)
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    metas = [
        yaml.safe_load((ROOT / path).read_text()) for path in index['Import']
    ]
    names = [model['Name'] for meta in metas for model in meta['Models']]
    assert len(names) > 60
    assert not [name for name in names if name not in said]
