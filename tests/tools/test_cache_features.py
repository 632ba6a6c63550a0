"""The tool asks, caches and writes a config that trains from the cache."""

import re
import signal
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config

from mmvidadapt.apis.benchmark.cached_features import from_video
from mmvidadapt.apis.data.feature_cache import ask
from mmvidadapt.datasets.feature_cache.files import DONE
from tests import runs
from tests.cached import VIDEOS, batch_of, config

from .processes import call, run

FLAGS = ('--num-workers', '0', '--batch-size', '1')
# Dies between the two files of a video.
KILLED = """
import mmvidadapt
import os
import runpy
import signal
import sys

from mmvidadapt.apis.data import feature_cache

right = feature_cache.open_shard


def open_shard(folder, kind, index, *args, **kwargs):
    if (kind, index) == ('attention', 3):
        os.kill(os.getpid(), signal.SIGKILL)
    return right(folder, kind, index, *args, **kwargs)


feature_cache.open_shard = open_shard
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
"""


@pytest.fixture
def saved(videos, tmp_path):
    """Write a config that can train, and a checkpoint."""
    cfg, sampler = config(videos), dict(type='DefaultSampler')
    optim = dict(type='OptimWrapper', constructor='TrainedParamsConstructor')
    cfg.merge_from_dict(
        dict(
            runs.environment(),
            work_dir=str(tmp_path / 'work'),
            train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=1),
            optim_wrapper=dict(optim, optimizer=dict(type='AdamW', lr=1e-3)),
            train_dataloader=dict(sampler=dict(sampler, shuffle=True)),
            test_dataloader=dict(sampler=dict(sampler, shuffle=False)),
            test_cfg=dict(type='TestLoop'),
            test_evaluator=dict(type='AccMetric'),
        )
    )
    torch.manual_seed(0)
    weights = MODELS.build(cfg.model).state_dict()
    torch.save(weights, tmp_path / 'model.pth')
    cfg.dump(tmp_path / 'evl.py')
    names = ('evl.py', 'cache', 'model.pth')
    path, out, checkpoint = (tmp_path / name for name in names)
    args = (path, out, '--checkpoint', checkpoint, *FLAGS)
    return SimpleNamespace(weights=weights, args=args, out=out, cfg=cfg)


def test_nobody_there_means_no(monkeypatch):
    for answer, meant in (('y', True), ('Yes ', True), ('', False)):
        monkeypatch.setattr('builtins.input', lambda _, said=answer: said)
        assert ask('Start?') == meant

    def closed(_):
        raise EOFError

    monkeypatch.setattr('builtins.input', closed)
    assert not ask('Start?')


def test_the_tool_asks_caches_and_writes_a_config(saved, monkeypatch, capsys):
    def cache(*extra):
        call(monkeypatch, 'cache_features.py', *saved.args, *extra)

    monkeypatch.setattr('builtins.input', lambda _: 'n')
    with pytest.raises(SystemExit, match=r"\['train'\] draws.*--splits"):
        cache('--yes')
    with pytest.raises(SystemExit, match='Not started'):
        cache('--frozen-augmentation')
    assert not saved.out.exists()
    cache('--frozen-augmentation', '--yes')
    printed = capsys.readouterr().out
    assert re.search(r'train: .* GiB\), augmented: one draw', printed)
    size = int(
        re.search(
            r'test: 5 videos x 3 views, ([\d,]+) bytes \(.*GiB\)\n', printed
        )
        .group(1)
        .replace(',', '')
    )
    files = (saved.out / 'test').glob('*-*.npy')
    assert sum(np.load(path).nbytes for path in files) == size
    assert np.load(saved.out / 'test' / DONE).all()
    source = Config.fromfile(saved.out / 'config.py')
    model = MODELS.build(source.model).eval()
    model.load_state_dict(saved.weights)
    for split in ('train', 'test'):
        scores = model.test_step(batch_of(source, split, [4]))[0].pred_score
        assert scores.sum().item() == pytest.approx(1, abs=1e-5)


def test_the_config_trains_from_the_checkpoint(saved, monkeypatch, capsys):
    extra = '--splits', 'train', '--frozen-augmentation', '--yes'
    call(monkeypatch, 'cache_features.py', *saved.args, *extra)
    call(monkeypatch, 'train.py', saved.out / 'config.py')
    work = saved.cfg.work_dir
    trained = torch.load(f'{work}/epoch_1.pth', weights_only=True)
    changed = {
        name
        for name, value in trained['state_dict'].items()
        if not torch.equal(value, saved.weights[name])
    }
    assert 'backbone.decoder.cls_token' in changed
    assert all('decoder' in name or 'cls_head' in name for name in changed)
    capsys.readouterr()
    tool = 'benchmark/cache.py', saved.out, '--iters', 1
    call(monkeypatch, *tool, '--threads', torch.get_num_threads())
    printed = capsys.readouterr().out
    speeds = re.findall(r'(\w+): ([\d.]+) steps/s', printed)
    assert [name for name, _ in speeds] == ['video', 'cache']
    ratio = float(re.search(r'ratio: ([\d.]+)', printed).group(1))
    video, cache = (float(speed) for _, speed in speeds)
    assert ratio == pytest.approx(cache / video, rel=0.02)
    with pytest.raises(ValueError, match='is a VideoDataset.*--splits'):
        from_video(saved.cfg)


def test_killed_and_resumed_it_is_the_same_to_the_bit(saved, monkeypatch):
    tool = runs.ROOT / 'tools' / 'cache_features.py'
    extra = '--frozen-augmentation', '--yes', '--splits', 'train'
    env = dict(PYTHONPATH=str(runs.ROOT))
    command = (sys.executable, '-c', KILLED, tool, *saved.args, *extra)
    status, out = run(*command, **env)
    assert status == -signal.SIGKILL, out[-3000:]
    assert np.load(saved.out / 'train' / DONE).sum() == 3
    call(monkeypatch, 'cache_features.py', *saved.args, *extra)
    whole = saved.out.with_name('whole')
    args = (saved.args[0], whole, *saved.args[2:])
    call(monkeypatch, 'cache_features.py', *args, *extra)
    files = sorted((whole / 'train').glob('*.npy'))
    assert len(files) == 4 and np.load(files[1]).sum() == VIDEOS
    for path in files:
        assert (
            path.read_bytes() == (saved.out / 'train' / path.name).read_bytes()
        )


def test_several_processes_fill_one_cache(saved, monkeypatch, tmp_path):
    flags = '--yes', '--passes', '2', *saved.args[2:]
    launched = sys.executable, '-m', 'torch.distributed.run'
    launched += '--standalone', '--nproc_per_node', '2'
    tool = runs.ROOT / 'tools/cache_features.py'
    code, text = run(
        *launched, tool, *saved.args[:2], *flags, '--launcher', 'pytorch'
    )
    assert code == 0, text
    assert 'train: 5 videos x 2 passes x 1 views' in text
    assert text.count('Wrote') == 1
    alone = tmp_path / 'alone'
    call(monkeypatch, 'cache_features.py', saved.args[0], alone, *flags)
    files = sorted(p.relative_to(alone) for p in alone.rglob('*.npy'))
    assert len(files) == 8
    for file in files:
        ours, theirs = (np.load(f / file) for f in (saved.out, alone))
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=1e-3)
