"""Configs are found by name and print as one file."""

from pathlib import Path

import pytest
from mmengine.config import Config

import mmvidadapt
from mmvidadapt.__main__ import main
from mmvidadapt.apis.train import config as api
from mmvidadapt.apis.train.config import write_config
from mmvidadapt.trunks.follow_trunk import follow_trunk

NAME = 'aim/vitb16_k400'


@pytest.mark.parametrize(
    'name', [NAME, f'{NAME}.py', f'mmvidadapt::{NAME}.py']
)
def test_a_name_is_found_from_any_folder(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert api.find_config(name) == api.config_root() / f'{NAME}.py'
    assert api.find_config(name).is_file()


def test_a_path_wins(tmp_path):
    path = tmp_path / 'mine.py'
    path.write_text('a = 1\n')
    assert api.load_config(path, {'a': 2}).a == 2


def test_an_installed_package_has_its_own(tmp_path, monkeypatch):
    """Without a checkout beside it the package reads its ``.mim``."""
    package = tmp_path / 'mmvidadapt'
    (package / '.mim/configs/_base_').mkdir(parents=True)
    (package / '.mim/configs/aim').mkdir()
    (package / '.mim/configs/aim/only.py').touch()
    monkeypatch.setattr(mmvidadapt, '__file__', str(package / '__init__.py'))
    assert api.list_configs() == ['aim/only']
    assert api.find_config('aim/only').parts[-3:] == (
        'configs',
        'aim',
        'only.py',
    )
    others = tmp_path / 'configs'  # of another package, beside ours
    (others / '_base_').mkdir(parents=True)
    (others / 'theirs.py').touch()
    assert api.list_configs() == ['aim/only']
    (tmp_path / 'setup.py').touch()  # now it is a checkout
    assert api.list_configs() == ['theirs']
    (tmp_path / 'setup.py').unlink()
    (package / '.mim').rename(tmp_path / 'gone')
    with pytest.raises(FileNotFoundError, match='Install mmvidadapt again'):
        api.find_config('aim/only')


def test_the_list_names_every_config_and_no_base(capsys):
    assert main(['config', '--list']) == 0
    names = capsys.readouterr().out.split()
    root = api.config_root()
    files = {p for p in root.rglob('*.py') if '_base_' not in p.parts}
    assert NAME in names and {root / f'{n}.py' for n in names} == files


def test_a_misspelt_name_gets_suggestions(capsys):
    assert main(['config', 'aim/vitb16_k4000']) == 1
    out, err = capsys.readouterr()
    assert out == '' and f'Did you mean {NAME}' in err
    with pytest.raises(SystemExit):
        main(['config'])


def test_the_flat_file_equals_the_config(tmp_path, capsys):
    options = [
        '--cfg-options',
        'optim_wrapper.optimizer.lr=0.5',
        'train_dataloader.batch_size=3',
    ]
    assert main(['config', NAME] + options) == 0
    text = capsys.readouterr().out
    path = tmp_path / 'flat.py'
    path.write_text(text)
    expected = Config.fromfile(api.find_config(NAME))
    expected.optim_wrapper.optimizer.lr = 0.5
    expected.train_dataloader.batch_size = 3
    follow_trunk(expected.model)  # printed with its numbers
    assert Config.fromfile(path).to_dict() == expected.to_dict()
    assert text.splitlines()[0] == (
        f'# {NAME}, flattened by mmvidadapt {mmvidadapt.__version__} with '
        'optim_wrapper.optimizer.lr=0.5, train_dataloader.batch_size=3'
    )
    assert '_base_ =' not in text and 'mmvidadapt::' not in text


def test_a_checkout_comes_before_the_copy_in_the_package():
    root = Path(mmvidadapt.__file__).parents[1]
    assert api.config_root() == root.resolve() / 'configs'


@pytest.mark.parametrize(
    'entry', [dict(a=['{{ fileDirname }}']), dict(rate=float('inf'))]
)
def test_a_config_that_would_be_read_otherwise_is_not_written(tmp_path, entry):
    with pytest.raises(ValueError, match='once it is written'):
        write_config(Config(entry), tmp_path / 'x.py')
    assert not list(tmp_path.iterdir())


def test_a_comment_stays_a_comment(tmp_path):
    config = Config(dict(a=("it's", ('"',), {1: None}), b=dict(c=1e-30)))
    path = tmp_path / 'new/x.py'
    write_config(config, path, '# of\nimport nothing_there')
    assert Config.fromfile(path).to_dict() == config.to_dict()
    assert path.read_text().startswith('# of import nothing_there\n')
