"""The command lines of training and testing, as a user types them."""

import json
import pickle

import pytest
import torch
from mmengine.config import Config

from mmvidadapt.apis.train import options
from mmvidadapt.apis.use.inference import Classifier
from mmvidadapt.engine import CPUAmpOptimWrapper
from tests import runs

from .processes import call


def test_train_and_test_end_to_end(listing, tmp_path, monkeypatch):
    path = tmp_path / 'tiny.py'
    config = runs.recipe(listing, tmp_path / 'unused', epochs=2)
    config.pop('work_dir'), config.pop('experiment_name')
    config.dump(path)
    monkeypatch.chdir(tmp_path)
    call(monkeypatch, 'train.py', path, '--amp', '--no-validate')
    checkpoint = tmp_path / 'work_dirs/tiny/epoch_2.pth'
    assert checkpoint.is_file()

    args = '--dump scores.pkl --show-dir shown --interval 4 --cfg-options'
    args = f'{args} test_dataloader.batch_size=2'.split()
    call(monkeypatch, 'test.py', path, checkpoint, *args)
    assert 'ManifestHook' not in str(config.custom_hooks)
    (manifest,) = (tmp_path / 'work_dirs/tiny').glob('*/manifest.json')
    said = json.loads(manifest.read_text())
    assert said['num_videos'] == runs.NUM_CLIPS and said['metrics']
    assert said['checkpoint'] == str(checkpoint)
    samples = pickle.loads((tmp_path / 'scores.pkl').read_bytes())
    assert len(samples) == runs.NUM_CLIPS
    classifier = Classifier(
        Config.fromfile(path), str(checkpoint), device='cpu', topk=4
    )
    for i in (0, 5):
        (found,) = classifier.video(listing.parent / f'clip{i}.mp4')
        scores = samples[i]['pred_score']
        assert found.top == [
            (str(c), pytest.approx(scores[c].item(), abs=1e-5))
            for c in scores.argsort(descending=True).tolist()
        ]
    shown = sorted(p.name for p in (tmp_path / 'shown').iterdir())
    assert shown == ['rank0_00000.mp4', 'rank0_00004.mp4']


def test_a_manifest_is_written_once():
    config = Config(dict(custom_hooks=[dict(type='NameCrashHook')]))
    for _ in range(2):
        options.write_manifest(config)
    types = [hook['type'] for hook in config.custom_hooks]
    assert types == ['NameCrashHook', 'ManifestHook']
    bare = Config(dict(custom_hooks=None))
    options.write_manifest(bare)
    assert [hook['type'] for hook in bare.custom_hooks] == ['ManifestHook']


def test_arguments_reach_the_config(listing, tmp_path, monkeypatch, started):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / 'tiny.py'
    runs.recipe(listing, tmp_path / 'work').dump(path)
    args = '--seed 3 --deterministic --resume --auto-scale-lr --amp'
    args += ' --work-dir here --cfg-options optim_wrapper.optimizer.lr=0.5'
    args = f'{args} optim_wrapper.dtype=float16'.split()
    call(monkeypatch, 'train.py', path, *args)
    config = started[-1]
    assert config.randomness == dict(seed=3, deterministic=True)
    assert not config.resume  # there is nothing yet
    assert config.auto_scale_lr.enable
    on_cpu = 'CPU' * (not torch.cuda.is_available())
    assert config.optim_wrapper.type == f'{on_cpu}AmpOptimWrapper'
    assert config.optim_wrapper.dtype == 'float16'
    assert config.optim_wrapper.optimizer.lr == 0.5
    assert config.work_dir == 'here' and config.launcher == 'none'

    url = 'https://a/b.pth'  # mmengine's to fetch
    call(monkeypatch, 'train.py', path, '--resume', url, '--no-validate')
    config = started[-1]
    assert config.load_from == url and config.resume
    assert config.val_cfg is None and config.randomness == dict(seed=0)
    assert config.work_dir == str(tmp_path / 'work')


def test_arguments_that_cannot_work_are_refused(
    listing, tmp_path, monkeypatch, started
):
    path = tmp_path / 'tiny.py'
    config = runs.recipe(listing, tmp_path / 'work')
    config.optim_wrapper.type = 'Exotic'
    config.pop('auto_scale_lr')
    config.dump(path)
    with pytest.raises(ValueError, match="type='Exotic'"):
        call(monkeypatch, 'train.py', path, '--amp')
    with pytest.raises(ValueError, match='base_batch_size=64'):
        call(monkeypatch, 'train.py', path, '--auto-scale-lr')
    with pytest.raises(ValueError, match='must end in .pkl'):
        call(monkeypatch, 'test.py', path, 'a.pth', '--dump', 'a.json')
    assert not started


def build(listing, tmp_path, **changes):
    """Build everything that training needs, and start it."""
    runs.train(runs.recipe(listing, tmp_path / 'work', **changes))


@pytest.mark.skipif(torch.cuda.is_available(), reason='for CPUs')
def test_amp_on_the_cpu_says_what_it_replaced(logged):
    given = dict(type='AmpOptimWrapper', loss_scale=512.0, dtype='float16')
    config = Config(dict(optim_wrapper=dict(given, use_fsdp=True)))
    options.use_amp(config)
    assert config.optim_wrapper == dict(
        type='CPUAmpOptimWrapper', dtype='float16'
    )
    (line,) = logged
    for word in given.items():
        assert '{}={!r}'.format(*word) in line, word
    assert 'use_fsdp=True' in line
    for dtype in (dict(), dict(dtype=None)):
        config = Config(dict(optim_wrapper=dtype))
        options.use_amp(config)
        assert config.optim_wrapper.dtype == 'bfloat16'


def test_a_dtype_that_cannot_work_is_refused():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], 0.1)
    wrapper = CPUAmpOptimWrapper(optimizer=optimizer)
    assert wrapper.dtype == torch.bfloat16
    with pytest.raises(ValueError, match="'float64': on the CPU choose from"):
        CPUAmpOptimWrapper(dtype='float64', optimizer=optimizer)


def test_mistakes_in_a_config_are_named(listing, tmp_path):
    with pytest.raises(TypeError, match='num_frams'):
        build(listing, tmp_path, model__backbone__num_frams=8)
    missing = tmp_path / 'nowhere.txt'
    with pytest.raises(FileNotFoundError, match='nowhere.txt'):
        build(missing, tmp_path)
    longer = dict(train_dataloader__dataset__pipeline__1__clip_len=8)
    with pytest.raises(ValueError, match=r'num_frames=4 got a clip of 8'):
        build(listing, tmp_path, **longer)


def test_a_sweep_is_one_word(listing, tmp_path, monkeypatch):
    path = tmp_path / 'probe.py'
    config = runs.recipe(listing, tmp_path / 'work')
    sizes = dict(arch='tiny', img_size=16, num_frames=4)
    pooler = dict(num_layers=0)
    probe = dict(type='AttentiveProbe', pooler=pooler, **sizes)
    config.model.backbone = probe
    config.dump(path)
    rates = 'model.sweep.lr=[0.01,0.02]', 'model.sweep.weight_decay=[0.1]'
    call(monkeypatch, 'train.py', path, '--sweep', '--cfg-options', *rates)
    table = json.loads((tmp_path / 'work/sweep.json').read_text())
    names = [member['name'] for member in table['members']]
    assert names == ['lr0.01_wd0.1', 'lr0.02_wd0.1']
    assert (tmp_path / 'work/sweep_best.adapter.safetensors').is_file()
    with pytest.raises(ValueError, match='--sweep chooses.*--no-validate'):
        call(monkeypatch, 'train.py', path, '--sweep', '--no-validate')
