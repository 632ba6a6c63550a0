"""Labels, counts, crashes and the manifest of real runs."""

import hashlib
import json
import math
import os
import shutil
import signal
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmaction.registry import METRICS, TRANSFORMS
from mmcv.transforms import BaseTransform
from mmengine.evaluator import BaseMetric
from mmengine.runner import Runner

import mmvidadapt
from mmvidadapt.apis.train.config import load_config
from mmvidadapt.engine.hooks import bad_videos
from mmvidadapt.engine.hooks import manifest as manifest_hook
from mmvidadapt.engine.hooks.name_crash import naming
from mmvidadapt.utils.sha256 import fingerprint
from mmvidadapt.utils.video import VideoError
from tests import runs
from tests.trained import damage

HOOKS = ('BadVideosHook', 'NameCrashHook', 'ManifestHook')


@TRANSFORMS.register_module()
class DieAt(BaseTransform):
    """End this process when it reads a file, as a decoder's crash does."""

    def __init__(self, name, signal):
        self.name, self.signal = name, signal

    def transform(self, results):
        if results['filename'].endswith(self.name):
            os.kill(os.getpid(), self.signal)
        return results


@pytest.fixture
def folder(listing, tmp_path):
    folder = tmp_path / 'clips'
    shutil.copytree(listing.parent, folder)
    return folder


def recipe(folder, **how):
    config = runs.recipe(folder / 'list.txt', folder.parent / 'work', **how)
    for split in ('train', 'test'):
        dataset = runs.checked(folder / 'list.txt', False)
        config[f'{split}_dataloader'].dataset = dataset
    config.custom_hooks += [dict(type=name) for name in HOOKS]
    return config


def test_every_recipe_has_the_hooks():
    config = load_config('aim/vitb16_k400')
    kinds = [hook.type for hook in config.custom_hooks]
    assert set(HOOKS) <= set(kinds)


def test_labels_that_are_no_classes_are_named_before_training(folder):
    listing = folder / 'list.txt'
    listing.write_text(listing.read_text().replace('4.mp4 0', '4.mp4 4'))
    with pytest.raises(ValueError, match="line 5: 'clip4.mp4 4': .* 0 to 3"):
        runs.train(recipe(folder))


def test_what_other_processes_found_is_logged_and_capped(folder, monkeypatch):
    def gather(bad, how):  # the other process found clip6
        assert how == 'max'
        bad[6] = 1

    damage(folder / 'clip2.mp4')
    monkeypatch.setattr(bad_videos, 'all_reduce', gather)
    config = recipe(folder)
    config.train_dataloader.dataset.max_bad_ratio = 0.25
    runner = runs.train(config)
    assert runner.train_dataloader.dataset.ledger.listed(9) == [2, 6]
    log = Path(runner.log_dir, f'{runner.timestamp}.log').read_text()
    found = f'2 of 8 videos of {folder}/list.txt were unreadable so far.'
    assert f'{found}\n  {folder}/clip6.mp4\n' in log
    config.train_dataloader.dataset.max_bad_ratio = 0.2
    config.experiment_name += '_capped'
    with pytest.raises(ValueError, match='2 of the 8 videos'):
        runs.train(config)


@pytest.mark.parametrize('how', [signal.SIGSEGV, signal.SIGKILL])
@pytest.mark.parametrize('split', ['train', 'test'])
def test_a_crash_of_a_worker_ends_with_the_file(folder, how, split):
    config = recipe(folder, workers=2)
    config.test_dataloader.num_workers = 2
    steps = config[f'{split}_dataloader'].dataset.pipeline
    steps.insert(1, dict(type='DieAt', name='clip6.mp4', signal=int(how)))
    with pytest.raises(RuntimeError) as error:
        if split == 'train':
            runs.train(config)
        else:
            Runner.from_cfg(config).test()
    message = str(error.value)
    assert 'DataLoader worker (pid' in message
    found = [line for line in message.splitlines() if '.mp4' in line]
    assert found == [f'  {folder}/clip6.mp4']
    assert 'Take the file out of the list' in message


@pytest.mark.parametrize(
    'message,named',
    [
        ('DataLoader worker (pid 7) is killed by signal: Killed.', True),
        ('DataLoader worker (pid(s) 6, 7) exited unexpectedly', True),
        ('DataLoader worker (pid 6) is killed by signal: Killed.', False),
        ('The size of tensor a (7) must match', False),
    ],
)
def test_what_a_dead_worker_read_is_named_once(message, named):
    seen = SimpleNamespace(last_read=lambda pid: 3 if pid == 7 else None)
    data = SimpleNamespace(ledger=seen, path=lambda i: f'clip{i}.mp4')
    with pytest.raises(RuntimeError) as error, naming(data), naming(data):
        raise RuntimeError(message)
    said = str(error.value)
    assert said.startswith(message)
    assert said.count('\n  clip3.mp4') == named
    assert (said == message) != named


def test_other_errors_of_loaders_stay_as_they_are(folder):
    config = recipe(folder, workers=2)
    step = dict(type='Normalize', mean=[0] * 3, std=[1] * 3)
    config.train_dataloader.dataset.pipeline.insert(0, step)
    with pytest.raises(KeyError, match='KeyError'):
        runs.train(config)


def test_a_damaged_video_of_a_stock_data_set_ends_with_its_name(folder):
    damage(folder / 'clip5.mp4')
    config = recipe(folder, workers=1)
    config.train_dataloader.dataset.type = 'VideoDataset'
    with pytest.raises(VideoError, match=f'{folder}/clip5.mp4 cannot be read'):
        runs.train(config)


def manifest(folder, config):
    runner = Runner.from_cfg(config)
    metrics = runner.test()
    path = Path(runner.log_dir, 'manifest.json')
    assert path.parent.joinpath(f'{runner.timestamp}.json').is_file()
    return runner, metrics, json.loads(path.read_text())


def test_the_manifest_says_what_was_tested(folder, monkeypatch):
    """Of two processes with the same videos, since samplers fill up."""
    monkeypatch.setattr(
        manifest_hook, 'all_gather_object', lambda bad: [bad[::-1], bad]
    )
    damage(folder / 'clip2.mp4')
    (folder / 'clip5.mp4').unlink()
    config = recipe(folder)
    config.test_dataloader.num_workers = 2
    runner, metrics, said = manifest(folder, config)
    assert said['metrics'] == pytest.approx(metrics)
    assert said['num_videos'] == 8 and said['num_unreadable'] == 2
    first, second = said['unreadable']
    assert first['file'] == f'{folder}/clip2.mp4'
    assert 'cannot be read as a video' in first['reason']
    assert second['file'] == f'{folder}/clip5.mp4'
    sha256 = hashlib.sha256((folder / 'list.txt').read_bytes()).hexdigest()
    listed = dict(file=f'{folder}/list.txt', sha256=sha256)
    assert said['annotations'] == [listed]
    assert said['weights_sha256'] == fingerprint(runner.model.state_dict())
    assert said['config']['model']['backbone']['type'] == 'AIM'
    wanted = dict(torch=version('torch'), numpy=np.__version__)
    wanted['mmvidadapt'] = mmvidadapt.__version__
    assert wanted.items() <= said['versions'].items()
    assert said['checkpoint'] is None


def test_the_manifest_names_the_weights_that_were_loaded(folder):
    whole = recipe(folder)
    trained = runs.train(whole)
    checkpoint = str(Path(trained.work_dir, 'epoch_1.pth'))
    config = recipe(folder, load_from=checkpoint)
    said = manifest(folder, config)[2]
    assert said['checkpoint'] == checkpoint
    expected = fingerprint(trained.model.state_dict())
    assert said['weights_sha256'] == expected
    fresh = manifest(folder, recipe(folder, load_from=None))[2]
    assert fresh['weights_sha256'] != expected
    assert said['num_unreadable'] == 0 and said['unreadable'] == []


def test_a_manifest_has_room_for_any_config(folder):
    config = recipe(folder)
    config.pairs = {(1, 2): [{(3, 4): 'x'}], 5: (6,)}
    said = manifest(folder, config)[2]['config']['pairs']
    assert said == {'(1, 2)': [{'(3, 4)': 'x'}], '5': [6]}


def test_the_manifest_of_stock_data_sets(folder):
    """Data sets of mmaction2, also several as one."""
    config = runs.recipe(folder / 'list.txt', folder.parent / 'work')
    config.custom_hooks.append(dict(type='ManifestHook'))
    both = [config.test_dataloader.dataset] * 2
    both = dict(type='ConcatDataset', datasets=both)
    config.test_dataloader.dataset = both
    said = manifest(folder, config)[2]
    assert said['num_videos'] == 16
    files = [entry['file'] for entry in said['annotations']]
    assert files == [str(folder / 'list.txt')] * 2


@METRICS.register_module()
class Matrix(BaseMetric):
    """Give what JSON has no word for."""

    def process(self, data_batch, data_samples):
        """Take a batch of features."""
        self.results += list(data_samples)

    def compute_metrics(self, results):
        """Give an array, and numbers that are none."""
        assert results[0].shape == (32,)
        return dict(matrix=torch.tensor([[0.5, math.nan]]), mean=math.inf)


def test_features_of_unreadable_videos_are_named(folder):
    """What comes out of a head are tensors, and metrics may be, too."""
    damage(folder / 'clip2.mp4')
    config = recipe(folder)
    config.model.cls_head = dict(type='FeatureHead', average_clips='score')
    config.test_evaluator = dict(type='Matrix')
    runner, _, said = manifest(folder, config)
    assert said['unreadable'][0]['file'] == str(folder / 'clip2.mp4')
    assert said['metrics'] == dict(matrix=[[0.5, 'nan']], mean='inf')
    log = Path(runner.log_dir, f'{runner.timestamp}.log').read_text()
    assert '1 of them unreadable and given the features of another' in log
