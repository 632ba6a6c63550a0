"""What stands at the top of a printed config is what the rest uses."""

import ast
import inspect

import pytest
from mmengine.config import Config
from mmengine.runner import FlexibleRunner, Runner

from mmvidadapt.apis.train import config_variables
from mmvidadapt.apis.train.config import flatten, list_configs, load_config
from mmvidadapt.apis.train.config_variables import (
    ENTRIES,
    SCRATCH,
    merge_options,
    print_config,
    split_variables,
)

NAME = 'aim/vitb16_k400'
# One of every method and data set, and what differs from the others.
KINDS = {n.partition('/')[0] + n.rpartition('_')[2]: n for n in list_configs()}
KINDS.update({n: n for n in list_configs() if '/pretrain_' in n})
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def read(text, tmp_path):
    """Read a printed config as mmengine does."""
    path = tmp_path / 'printed.py'
    path.write_text(text)
    return Config.fromfile(path)


def edited(text, before, after, tmp_path):
    """Read a config after what a user does in an editor."""
    assert text.count(before) == 1, before
    return read(text.replace(before, after), tmp_path)


def test_what_is_changed_at_the_top_changes_what_is_used(tmp_path):
    text = flatten(NAME)
    cfg = edited(text, 'flip_ratio=0.5', 'flip_ratio=0.25', tmp_path)
    data = cfg.train_dataloader.dataset
    for pipeline in (cfg.train_pipeline, data.pipeline):
        assert [s.flip_ratio for s in pipeline if s.type == 'Flip'] == [0.25]
    cfg = edited(text, "'PackActionInputs'", "'Mine'", tmp_path)
    for loader in LOADERS:
        assert cfg[loader].dataset.pipeline[-1].type == 'Mine'
    for split, loaders in (('train', LOADERS[:1]), ('val', LOADERS[1:])):
        value = load_config(NAME)[f'ann_file_{split}']
        cfg = edited(text, f"'{value}'", "'mine.txt'", tmp_path)
        found = [k for k in LOADERS if cfg[k].dataset.ann_file == 'mine.txt']
        assert found == list(loaders)
    cfg = edited(text, "'data/kinetics400/videos_val'", "'/mine'", tmp_path)
    roots = [cfg[loader].dataset.data_prefix.video for loader in LOADERS]
    assert roots == ['data/kinetics400/videos_train', '/mine', '/mine']


@pytest.mark.parametrize('name', sorted(set(KINDS.values())))
def test_every_variable_is_used_and_nothing_else_changes(name, tmp_path):
    cfg = load_config(name)
    text = print_config(cfg, SCRATCH)
    printed, found = read(text, tmp_path).to_dict(), cfg.to_dict()
    assert set(found) - set(printed) <= SCRATCH
    assert all(found[key] == value for key, value in printed.items())
    names = {
        node.id
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    unused = set(printed) - ENTRIES - names
    assert not unused, 'they could be changed without effect'


@pytest.mark.parametrize('runner', [Runner, FlexibleRunner])
def test_what_the_runner_reads_is_no_variable(runner):
    known = set(inspect.signature(runner).parameters)
    others = {'model_wrapper', 'optim_wrapper', 'data_preprocessor'}
    assert known - others <= ENTRIES


def test_a_split_has_its_own_variable_of_two_that_are_equal():
    loader = dict(dataset=dict(ann='x', pipeline=[1]))
    cfg = dict(root='x', root_val='x', test_pipeline=[1], train_pipeline=[1])
    cfg = Config({**cfg, **dict.fromkeys(LOADERS, loader)})
    variables, rest = split_variables(cfg)
    data = [rest[loader]['dataset'] for loader in LOADERS]
    marks = [d['ann'] for d in data]
    assert marks == ['<<root>>', '<<root_val>>', '<<root_val>>']
    assert data[0]['pipeline'] == '<<train_pipeline>>'
    assert data[2]['pipeline'] == '<<test_pipeline>>'
    wanted = ('root', 'root_val', 'test_pipeline', 'train_pipeline')
    assert sorted(variables) == list(wanted)


def test_numbers_are_told_by_their_keys(tmp_path):
    cfg = Config(
        dict(
            num_frames=8,
            flag=True,
            model=dict(num_frames=8, num_layers=8, flip=True),
            pipeline=[dict(clip_len=8)],
            train_dataloader=dict(batch_size=8, pipeline=[dict(clip_len=8)]),
        )
    )
    text = print_config(cfg)
    cfg = edited(text, 'num_frames = 8', 'num_frames = 16', tmp_path)
    assert cfg.model == dict(num_frames=16, num_layers=8, flip=True)
    loader = cfg.train_dataloader
    assert loader == dict(batch_size=8, pipeline=[dict(clip_len=16)])
    assert cfg.flag is True, 'a config of others keeps what is not known'


def test_an_option_changes_what_is_made_from_it(tmp_path):
    options = {'data_root': '/mine', 'train_pipeline.6.flip_ratio': 0.1}
    options['train_dataloader.batch_size'] = 3
    options['val_pipeline.6.meta_keys'] = ('x',)
    text = flatten(NAME, options)
    cfg, before = read(text, tmp_path), load_config(NAME)
    data = cfg.train_dataloader.dataset
    assert cfg.data_root == data.data_prefix.video == '/mine'
    assert cfg.train_pipeline == data.pipeline
    assert data.pipeline[6].flip_ratio == 0.1
    assert cfg.train_dataloader.batch_size == 3
    assert cfg.val_dataloader.dataset.pipeline[6].meta_keys == ('x',)
    for name in ('pack', 'test_pipeline', 'model'):
        assert cfg[name] == before[name]
    assert text.count("'/mine'") == 1


def test_what_is_not_a_variable_is_merged_as_ever():
    before = load_config(NAME)
    cfg = merge_options(before, {'optim_wrapper.optimizer.lr': 0.5, 'new': 1})
    assert (cfg.optim_wrapper.optimizer.lr, cfg.new) == (0.5, 1)
    assert before.optim_wrapper.optimizer.lr != 0.5 and 'new' not in before
    assert cfg.filename == before.filename
    both = {'train_dataloader.dataset.pipeline.6.flip_ratio': 0.1}
    cfg = merge_options(before, both)
    assert cfg.train_pipeline[6].flip_ratio == 0.5
    assert cfg.train_dataloader.dataset.pipeline[6].flip_ratio == 0.1


def test_an_option_without_effect_says_so(monkeypatch):
    said = []
    monkeypatch.setattr(
        config_variables, 'print_log', lambda text, **_: said.append(text)
    )
    cfg = Config(dict(image_root='a/', data=dict(path='a/b')))
    assert merge_options(cfg, dict(image_root='c/')).data.path == 'a/b'
    assert said[0].startswith('image_root changes nothing')


def test_quotes_and_marks_in_values_survive(tmp_path):
    value = 'it\'s "<<pack>>" \\ and\nmore'
    cfg = Config(dict(pack=dict(a=value), data=[dict(a=value), value]))
    text = print_config(cfg)
    assert read(text, tmp_path).to_dict() == cfg.to_dict()
    assert text.splitlines()[-1].strip() != '' and 'pack' in text


def test_names_that_are_no_names_are_not_written_as_such(tmp_path):
    """Configs out of files are printed, too."""
    code = "print('run') or data"
    cfg = Config({code: dict(a=1), 'data': dict(a=1), 'model': dict(a=1)})
    with pytest.raises(SyntaxError):  # mmengine's own
        print_config(cfg)
    variables, rest = split_variables(cfg)
    assert set(variables) == {'data'} and rest[code] == dict(a=1)
