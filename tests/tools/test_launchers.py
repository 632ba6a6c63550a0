"""The tools in processes of their own: torchrun, stock mmaction2."""

import pickle
import subprocess
import sys
from pathlib import Path

import mmaction
import pytest
import torch
from mmengine.config import Config
from torch.distributed.run import get_args_parser

from mmvidadapt.apis.use.inference import Classifier
from mmvidadapt.weights.adapter_file import SUFFIX, read_adapter
from tests import runs
from tests.engine.adapter_runs import check_pairs, recipe

from .processes import run

TOOLS = runs.ROOT / 'tools'
STOCK_TRAIN = Path(mmaction.__file__).parent / '.mim/tools/train.py'
# Imported by the processes that the tests start.
PLUGIN = '''
import os
import signal

import torch
from mmaction.registry import HOOKS
from mmengine.hooks import Hook


@HOOKS.register_module()
class Probe(Hook):
    """Kill the process in an iteration, and save what each rank has."""

    clips = []

    def after_train_iter(self, runner, batch_idx, data_batch=None,
                         outputs=None):
        self.clips += [s.get('filename') for s in data_batch['data_samples']]
        if runner.iter == int(os.environ.get('KILL_AT', -1)):
            os.kill(os.getpid(), signal.SIGKILL)

    def after_train(self, runner):
        writers = [h for h in runner.hooks if hasattr(h, 'saver')]
        torch.save(dict(
            wrote=[h.last is not None for h in writers],
            weights={n: p.detach() for n, p in
                     runner.model.module.named_parameters()},
            clips=self.clips,
        ), f'{runner.work_dir}/rank{runner.rank}.pt')
'''


@pytest.mark.slow
def test_two_processes_killed_and_resumed_end_equal(listing, tmp_path, trunk):
    """Whole, killed with SIGKILL, resumed; order, crops, paths are random."""
    (tmp_path / 'probe_plugin.py').write_text(PLUGIN)
    how = dict(random=True, workers=1, batch=2, epochs=3, drop_path_rate=0.5)
    config = recipe(listing, tmp_path, trunk, **how)
    config.custom_imports.imports.append('probe_plugin')
    config.custom_hooks.append(dict(type='Probe'))
    config.pop('experiment_name')
    path = tmp_path / 'config.py'
    config.dump(path)
    train = (TOOLS / 'dist_train.sh', path, 2, '--work-dir')
    env = dict(PYTHONPATH=str(tmp_path))

    status, out = run(*train, tmp_path / 'whole', **env)
    assert status == 0, out[-3000:]
    ranks = [torch.load(tmp_path / f'whole/rank{r}.pt') for r in range(2)]
    for name, value in ranks[0]['weights'].items():
        assert torch.equal(ranks[1]['weights'][name], value), name
    assert [rank['wrote'] for rank in ranks] == [[True], [False]]
    names = check_pairs(tmp_path / 'whole')
    assert names == ['epoch_1', 'epoch_2', 'epoch_3']
    adapter = read_adapter(tmp_path / f'whole/epoch_1{SUFFIX}')
    assert 'acc/top1' in adapter.metrics
    for epoch in range(3):  # each rank saw its own half
        halves = [set(r['clips'][4 * epoch : 4 * epoch + 4]) for r in ranks]
        assert len(halves[0] | halves[1]) == runs.NUM_CLIPS, epoch

    # Two iterations per epoch: number 3 is the second of the second epoch.
    status, out = run(*train, tmp_path / 'killed', KILL_AT='3', **env)
    assert status != 0 and 'SIGKILL' in out, out[-3000:]
    assert (tmp_path / 'killed/epoch_1.pth').is_file()
    assert not (tmp_path / 'killed/epoch_2.pth').exists()

    status, out = run(*train, tmp_path / 'killed', '--resume', **env)
    assert status == 0 and 'resumed epoch: 1, iter: 2' in out, out[-3000:]
    again = torch.load(tmp_path / 'killed/rank0.pt')
    for name, value in ranks[0]['weights'].items():
        assert torch.equal(again['weights'][name], value), name
    check_distributed_test(config, path, tmp_path, env)


def check_distributed_test(config, path, tmp_path, env):
    """Two processes test what one process tests."""
    checkpoint = tmp_path / 'whole/epoch_3.pth'
    scores = tmp_path / 'scores.pkl'
    command = (TOOLS / 'dist_test.sh', path, checkpoint, 2, '--dump', scores)
    status, out = run(*command, cwd=tmp_path, **env)
    assert status == 0, out[-3000:]
    classifier = Classifier(config, str(checkpoint), device='cpu', topk=1)
    samples = pickle.loads(scores.read_bytes())
    assert len(samples) == runs.NUM_CLIPS
    videos = Path(config.test_dataloader.dataset.data_prefix.video)
    for i, sample in enumerate(samples):
        (found,) = classifier.video(videos / f'clip{i}.mp4')
        assert found.top[0][1] == pytest.approx(
            sample['pred_score'].max().item(), abs=1e-5
        )


def test_a_flat_config_trains_under_the_stock_tool(listing, tmp_path):
    """Flattened by the command line; run from a folder without a checkout."""
    base = tmp_path / 'base.py'
    runs.recipe(listing, tmp_path / 'work').dump(base)
    child = tmp_path / 'child.py'
    child.write_text(
        "_base_ = './base.py'\noptim_wrapper = dict(optimizer=dict(lr=0.02))\n"
    )
    flat = tmp_path / 'elsewhere' / 'flat.py'
    flat.parent.mkdir()
    args = [sys.executable, '-m', 'mmvidadapt', 'config', str(child)]
    args += ['--cfg-options', 'train_cfg.max_epochs=2']
    how = dict(cwd=runs.ROOT, text=True, timeout=300)
    done = subprocess.run(args, capture_output=True, **how)
    assert done.returncode == 0, done.stderr
    flat.write_text(done.stdout)
    assert done.stdout.startswith(f'# {child}, flattened by mmvidadapt 0.')
    assert '_base_' not in done.stdout
    config = Config.fromfile(flat)
    expected = Config.fromfile(child)
    expected.train_cfg.max_epochs = 2
    assert config.to_dict() == expected.to_dict()

    env = dict(cwd=flat.parent, PYTHONPATH=str(runs.ROOT))
    status, out = run(sys.executable, STOCK_TRAIN, flat, **env)
    assert status == 0, out[-3000:]
    saved = torch.load(tmp_path / 'work/epoch_2.pth', weights_only=True)
    assert saved['optimizer']['param_groups'][0]['lr'] == 0.02
    assert 'Parameters of Recognizer3D' in out
    assert 'Epoch(val) [2][2/2]' in out and 'acc/top1' in out


@pytest.mark.parametrize(
    'script',
    ['dist_train.sh', 'dist_test.sh', 'slurm_train.sh', 'slurm_test.sh'],
)
def test_too_few_arguments_show_the_usage(script):
    status, out = run(TOOLS / script, 'only_one')
    assert status == 2 and out.startswith('usage: ') and script in out


def test_torchrun_passes_signals_on(tmp_path, monkeypatch):
    """Its own list has no SIGUSR1, which would end it and nothing else."""
    python = tmp_path / 'python'
    python.write_text('#!/bin/sh\nenv | grep PET_SIGNALS')
    python.chmod(0o755)
    status, out = run(TOOLS / 'dist_train.sh', 'c.py', 2, PYTHON=str(python))
    name, value = out.strip().split('=')
    monkeypatch.setenv(name, value)
    known = get_args_parser().parse_args(['train.py']).signals_to_handle
    assert status == 0 and known.split(',')[-1] == 'SIGUSR1'
