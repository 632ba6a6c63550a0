"""Tokens from disk are those that the tokenizer would give now."""

import json
import random
import re

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from mmvidadapt.apis.data import precompute_tokens
from mmvidadapt.apis.data.precompute_tokens import (
    config_with_tokens,
    loaders_of,
    plan,
    precompute,
)
from mmvidadapt.datasets.wrappers import inner_config
from mmvidadapt.methods.bevt.dataset_tokenized import (
    DONE,
    META,
    TokenMeta,
    seeded,
)
from tests import bevt_runs
from tests.tools.processes import call


@pytest.fixture
def images(tmp_path):
    """Write images and their list."""
    rng = np.random.default_rng(0)
    for name in ('one.png', 'number two.png', 'three.png'):
        coarse = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / name), cv2.resize(coarse, (80, 60)))
    path = tmp_path / 'images.txt'
    path.write_text('one.png\nnumber two.png\nthree.png')
    return path


@pytest.fixture
def cfg(listing, images, tmp_path):
    """Return a pretraining config whose tokenizer has saved centres."""
    config = bevt_runs.config(listing, images)
    torch.manual_seed(0)
    centres = MODELS.build(bevt_runs.TOKENIZER).centres
    torch.save(dict(centres=centres), tmp_path / 'centres.pth')
    config.model.tokenizer.pretrained = str(tmp_path / 'centres.pth')
    return config


def run(cfg, folder, views=2, **options):
    """Compute the tokens of all loaders; return the config that reads them."""
    tokenizer = MODELS.build(cfg.model.tokenizer)
    folders = {}
    for name, loader in loaders_of(cfg).items():
        dataset = inner_config(loader['dataset'])
        meta = plan(dataset, tokenizer, 'k-means', views, 0)
        folders[name] = folder / name
        counts = precompute(dataset, tokenizer, folders[name], meta, **options)
        assert list(counts)[-1] == meta.items
    return config_with_tokens(cfg, folders)


@pytest.mark.parametrize('name', ['train', 'other0'])
def test_tokens_are_those_of_the_crop(cfg, tmp_path, name):
    new = run(cfg, tmp_path / 'tokens', batch_size=3)
    assert new.model.tokenizer == dict(
        type='PrecomputedTokens', vocab_size=32, input_size=8
    )
    dataset = DATASETS.build(inner_config(loaders_of(new)[name]['dataset']))
    model = MODELS.build(new.model)
    tokenizer = MODELS.build(cfg.model.tokenizer)
    random.seed(0)
    seen = set()
    for index in [*range(len(dataset)), *[0] * 6]:
        item = dataset[index]
        view, frames = item['data_samples'].view, item['inputs'].float()
        if frames.ndim == 5:  # (1, 3, T, H, W)
            frames = frames[0].transpose(0, 1)
        frames = frames.view(-1, 3, 32, 32)
        ids = model.tokenizer_on(torch.device('cpu')).tokenize(view)
        assert torch.equal(ids, tokenizer.tokenize(frames))
        seen.add((index, view.numpy().tobytes()))
    assert len(seen) == 1 + len(dataset)  # both crops of item 0


def test_masks_are_new_and_crops_are_not(cfg, tmp_path):
    new = run(cfg, tmp_path / 'tokens', views=1)
    dataset = DATASETS.build(new.train_dataloader.dataset)
    random.seed(0)
    first, second = dataset[0], dataset[0]
    assert torch.equal(first['inputs'], second['inputs'])
    masks = [item['data_samples'].mask for item in (first, second)]
    assert not torch.equal(*masks)


def test_a_model_trains_on_them(cfg, tmp_path):
    new = run(cfg, tmp_path / 'tokens')
    model = MODELS.build(new.model)
    batches = []
    for loader in loaders_of(new).values():
        dataset = DATASETS.build(loader['dataset'])
        batch = pseudo_collate([dataset[0], dataset[1]])
        batches.append(model.data_preprocessor(batch))
    losses = model(*batches, mode='loss')
    assert {'loss_cls_3d', 'loss_cls_2d'} <= set(losses)
    sum(losses[f'loss_cls_{s}'] for s in ('2d', '3d')).backward()
    assert model.cls_head.lm_head.weight.grad.abs().sum() > 0


def test_an_interrupted_run_goes_on(cfg, tmp_path, monkeypatch):
    whole = run(cfg, tmp_path / 'whole')
    folder, dataset = tmp_path / 'part', cfg.train_dataloader.dataset
    tokenizer = MODELS.build(cfg.model.tokenizer)
    meta = plan(dataset, tokenizer, 'k-means', 2, 0)
    for done in precompute(dataset, tokenizer, folder, meta):
        if done == 3:
            break
    with pytest.raises(ValueError, match='tokens of 3 of 8 items'):
        reader = config_with_tokens(cfg, dict(train=folder))
        DATASETS.build(reader.train_dataloader.dataset)
    drawn = []
    draw = precompute_tokens.draw
    note = lambda *args: drawn.append(args[1:3]) or draw(*args)  # noqa: E731
    monkeypatch.setattr(precompute_tokens, 'draw', note)
    assert list(precompute(dataset, tokenizer, folder, meta))[-1] == 8
    assert drawn == [(i, view) for i in range(3, 8) for view in (0, 1)]
    paths = [whole.train_dataloader.dataset.folder, folder]
    tokens = [np.load(f'{path}/tokens.npy') for path in paths]
    assert np.array_equal(*tokens) and tokens[0].dtype == np.uint16
    assert tokens[0].shape == (8, 2, 8, 8, 8) == meta.shape
    assert meta.bytes == tokens[0].nbytes


def test_tokens_of_something_else_are_refused(cfg, tmp_path):
    new = run(cfg, tmp_path / 'tokens')
    dataset = new.train_dataloader.dataset
    dataset.dataset.pipeline[-1].flip_ratio = 0.1
    with pytest.raises(ValueError, match='have data=.* is asked for'):
        DATASETS.build(dataset)
    folder = tmp_path / 'tokens' / 'train'
    tokenizer = MODELS.build(cfg.model.tokenizer)
    data = cfg.train_dataloader.dataset
    other = plan(data, tokenizer, 'k-means', 3, 0)
    with pytest.raises(ValueError, match='views=2, but views=3'):
        next(precompute(data, tokenizer, folder, other))
    with pytest.raises(ValueError, match='views=0: every item needs'):
        plan(data, tokenizer, 'k-means', 0, 0)
    data.pipeline = [s for s in data.pipeline if 'View' not in s.type]
    with pytest.raises(ValueError, match="no step dict.type='TokenizerView'"):
        plan(data, tokenizer, 'k-means', 1, 0)
    with pytest.raises(FileNotFoundError, match='holds no tokens'):
        TokenMeta.read(tmp_path)
    assert np.load(folder / DONE).all()


def test_tokens_of_a_tokenizer_that_was_fitted_again_are_refused(
    cfg, tmp_path
):
    run(cfg, tmp_path / 'tokens')
    path = cfg.model.tokenizer.pretrained
    torch.save(dict(centres=torch.load(path)['centres'] + 1), path)
    with pytest.raises(ValueError, match=r'weights=\w+, but weights=\w+ is'):
        run(cfg, tmp_path / 'tokens')
    run(cfg, tmp_path / 'other')


def test_tokens_of_an_older_version_are_named(cfg, tmp_path):
    """Their `weights` were not written down, something else was."""
    new = run(cfg, tmp_path)
    path = tmp_path / 'train' / META
    values = json.loads(path.read_text())
    del values['weights']
    path.write_text(json.dumps(dict(values, speed=3)))
    expected = (
        rf"{path} is of another .*missing are \['weights'\], unknown "
        rf"\['speed'\]. Delete {path.parent} and run tools/precompute_tokens"
    )
    with pytest.raises(ValueError, match=expected):
        DATASETS.build(new.train_dataloader.dataset)
    with pytest.raises(ValueError, match=expected):
        run(cfg, tmp_path)


def test_a_large_vocabulary_takes_wider_numbers():
    meta = dict(data='', tokenizer='', weights='', items=1, views=1)
    meta = dict(meta, frames=1, grid=(2, 2), seed=0)
    assert TokenMeta(vocab_size=2**16, **meta).bytes == 8
    assert TokenMeta(vocab_size=2**16 + 1, **meta).bytes == 16


def test_drawing_leaves_no_trace():
    def numbers(seed=None):
        if seed is not None:
            random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
        return random.random(), np.random.rand(), torch.rand(1).item()

    numbers(4), numbers(5)
    expected = numbers()
    numbers(4), numbers(5)
    with seeded(1, 2, 3):
        inside = numbers()
    assert numbers() == expected
    with seeded(1, 2, 3):
        assert numbers() == inside
    with seeded(1, 2, 4):
        assert numbers() != inside


def test_the_tool_asks_and_writes_a_config(cfg, tmp_path, monkeypatch, capsys):
    cfg.dump(tmp_path / 'bevt.py')
    arguments = [tmp_path / 'bevt.py', tmp_path / 'out', '--views', 1]
    arguments += ['--num-workers', 0]
    monkeypatch.setattr('builtins.input', lambda _: 'n')
    with pytest.raises(SystemExit, match='Not started'):
        call(monkeypatch, 'precompute_tokens.py', *arguments)
    assert not (tmp_path / 'out').exists()
    call(monkeypatch, 'precompute_tokens.py', *arguments, '--yes')
    printed = capsys.readouterr().out
    assert re.search(r'train: 8 items x 1 crops x 8 pictures', printed)
    assert re.search(r'other0: 3 items x 1 crops x 1 pictures', printed)
    new = Config.fromfile(tmp_path / 'out' / 'config.py')
    for loader in loaders_of(new).values():
        dataset = DATASETS.build(loader['dataset'])
        assert dataset[0]['data_samples'].view.shape[1:] == (3, 8, 8)
