"""The step benchmark measures what it says, and sees a wrong model."""

import json
import runpy
import sys

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch.testing import assert_close

from mmvidadapt.apis.benchmark import compare as benchmark
from mmvidadapt.apis.benchmark import compared_models
from mmvidadapt.apis.benchmark.methods import all_methods
from mmvidadapt.apis.benchmark.step import Settings, Step
from mmvidadapt.methods.aim.block import AIMBlock
from mmvidadapt.trunks.parts import linear
from mmvidadapt.utils.cpu_products import cpu_products, using_cpu_products
from tests import runs

TOOL = runs.ROOT / 'tools/benchmark/step.py'


@pytest.fixture
def tiny(tmp_path):
    """Give a config file of a tiny AIM with drop path and dropout."""
    config = runs.recipe(tmp_path / 'list.txt', tmp_path, drop_path_rate=0.5)
    config.model.cls_head.dropout_ratio = 0.5
    config.dump(tmp_path / 'tiny.py')
    return str(tmp_path / 'tiny.py')


@pytest.fixture
def no_children(monkeypatch):
    """Measure no peak memory: a process for each takes seconds."""
    monkeypatch.setattr(benchmark, '_peak_of_child', lambda *args: 2**20)


def listed(tiny, plain=True, blas=False, with_cp=(), **options):
    base = compared_models.contender(
        tiny, {f'model.backbone.{k}': v for k, v in options.items()}, 2
    )
    return compared_models.variants(base, with_cp, [], plain, blas)


def test_all_contenders_agree_on_features_and_gradients(tiny, no_children):
    rows = listed(tiny, blas=True, with_cp=[False, 'mlp', True])
    results = benchmark.compare(rows, Settings(repeats=2))
    assert [r['name'] for r in results] == [
        'plain', 'tiny, cp=False', 'tiny, cp=mlp', 'tiny, cp=True',
        'tiny, BLAS',
    ]  # fmt: skip
    for result in results:
        assert result['features'] < 1e-5 and result['gradients'] < 1e-4
        assert result['params'] == results[0]['params']
        assert result['trained'] == results[0]['trained']
        for times in (result['forward'], result['step']):
            assert 0 < times['min_ms'] <= times['median_ms']
    saved = [r['saved_mib'] for r in results]
    assert saved[3] < saved[2] < saved[1] < saved[0] and saved[4] == saved[1]
    assert results[1]['gmacs'] < results[0]['gmacs']
    for key in ('ratio', 'cpu_ratio'):
        assert results[0]['step'][key] == results[0]['forward'][key] == 1


@pytest.mark.parametrize('full', [False, True])
def test_plain_trains_what_the_config_trains(tiny, full):
    trained = []
    for contender in listed(tiny, full_finetune=full):
        step = Step(contender, Settings())
        step.prepare(training=True)()
        trained.append(set(step.gradients()))
        assert all(g.any() for g in step.gradients().values())
    assert trained[0] == trained[1]
    assert ('backbone.conv1.weight' in trained[0]) == full


def test_a_wrong_model_is_seen(tiny, no_children, monkeypatch):
    right = AIMBlock.forward
    monkeypatch.setattr(AIMBlock, 'forward', lambda *a: right(*a) * 1.01)
    results = benchmark.compare(listed(tiny), Settings(repeats=1))
    assert results[0]['features'] == 0
    assert results[1]['features'] > 1e-3 and results[1]['gradients'] > 1e-3


def test_other_sizes_are_not_compared(tiny, no_children):
    small, large = (listed(tiny, plain=False, img_size=s) for s in (16, 24))
    results = benchmark.compare(small + large, Settings(repeats=1))
    assert results[0]['features'] == 0
    assert results[1]['features'] is results[1]['gradients'] is None
    assert results[1]['shape'] == (2, 3, 4, 24, 24)


def test_only_whole_sets_of_weights_are_the_same():
    small = torch.nn.ModuleDict({'a': torch.nn.Linear(2, 2)})
    large = torch.nn.ModuleDict({k: torch.nn.Linear(2, 2) for k in 'ab'})
    wide = torch.nn.ModuleDict({'a': torch.nn.Linear(2, 3)})
    assert compared_models.share_weights(small, small)
    assert not compared_models.share_weights(small, large)
    assert torch.equal(large['a'].weight, small['a'].weight)
    assert not compared_models.share_weights(large, small)
    assert not compared_models.share_weights(small, wide)


def test_steps_are_timed_without_chance_in_the_precision_asked_for(tiny):
    contender = listed(tiny, plain=False)[0]
    losses = []
    for seed in (1, 2):
        step = Step(contender, Settings(amp='bf16'))
        step.prepare(training=True)
        torch.manual_seed(seed)
        losses.append(step.loss())
    assert_close(losses[0], losses[1], rtol=0, atol=0)
    exact = Step(contender, Settings())
    exact.prepare(training=True)
    assert losses[0].item() != exact.loss().item()
    assert_close(losses[0], exact.loss(), rtol=0.05, atol=0)


def test_the_library_is_put_back(tiny, monkeypatch):
    seen = []

    def fast(*args):
        seen.append(cpu_products())
        return False

    monkeypatch.setattr(linear, '_fast', fast)
    with using_cpu_products('onednn'):
        for contender in listed(tiny, plain=False, blas=True):
            seen.clear()
            Step(contender, Settings()).prepare(training=True)()
            wanted = 'onednn' if contender.onednn else 'blas'
            assert set(seen) == {wanted} and cpu_products() == 'onednn'


def test_what_cannot_be_measured_is_named(tiny, monkeypatch):
    config = Config.fromfile(tiny)
    backbone = compared_models.Contender('x', config.model.backbone, (1,))
    with pytest.raises(ValueError, match='model.type is AIM'):
        backbone.build()
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(ValueError, match="device='cuda': torch sees no GPU"):
        benchmark.compare(listed(tiny), Settings('cuda'))


def test_clip_shapes(tiny):
    config = Config.fromfile(tiny)
    assert compared_models.clip_shape(config, 3) == (3, 3, 4, 16, 16)
    config.model.backbone = dict(arch='large-p14-336', num_frames=32)
    assert compared_models.clip_shape(config, 1) == (1, 3, 32, 336, 336)
    config.model.backbone = dict(img_size=(16, 24))
    assert compared_models.clip_shape(config, 1) == (1, 3, 8, 16, 24)
    trunk = 'openai/ViT-L-14-336px'
    other = compared_models.contender('aim/vitb16_k400', {}, 1, trunk)
    assert other.name == f'vitb16_k400, {trunk}'
    assert other.shape == (1, 3, 8, 336, 336)
    assert other.config['backbone']['trunk'] == trunk


def test_trunks_are_measured_one_after_the_other(monkeypatch):
    trunks = ['openai/ViT-B-16', 'facebook/PE-Core-B16-224']
    command = ['step.py', 'aim/vitb16_k400', '--with-cp', 'true', 'mlp']
    monkeypatch.setattr(sys, 'argv', [*command, '--trunk', *trunks])
    tool = runpy.run_path(str(TOOL))
    rows = tool['contenders'](tool['parse_args']())
    assert [row.config['backbone']['trunk'] for row in rows] == [
        trunk for trunk in trunks for _ in range(2)
    ]


def test_the_tool_prints_a_table_and_writes_json(
    tiny, tmp_path, monkeypatch, capsys
):
    path = tmp_path / 'figures.json'
    threads = torch.get_num_threads()
    monkeypatch.setattr(
        sys,
        'argv',
        ['step.py', tiny, '--against', 'plain', '--repeats', '1']
        + ['--threads', '1', '--json', str(path)],
    )
    try:
        runpy.run_path(str(TOOL), run_name='__main__')
    finally:
        torch.set_num_threads(threads)
    out = capsys.readouterr().out
    figures = json.loads(path.read_text())
    assert figures['threads'] == 1 and figures['precision'] == 'fp32'
    lines = [line for line in out.splitlines() if line.startswith('|')]
    assert len({len(line) for line in lines}) == 1 and len(lines) == 4
    for line, result in zip(lines[2:], figures['results'], strict=True):
        cells = [cell.strip() for cell in line.strip('|').split('|')]
        assert cells[0] == result['name']
        assert cells[9] == f'{result["saved_mib"]:.1f}'
        # A process with torch in it, and nothing of this one.
        assert 100 < result['peak_mib'] < 1500
        assert cells[10] == f'{result["peak_mib"]:.0f}'
    assert 'fresh process' in out


@pytest.mark.parametrize('wrong', ['--repeats', '--batch-size', '--threads'])
def test_counts_are_positive(wrong, monkeypatch, capsys):
    monkeypatch.setattr(
        sys, 'argv', ['step.py', 'aim/vitb16_k400', wrong, '0']
    )
    with pytest.raises(SystemExit):
        runpy.run_path(str(TOOL), run_name='__main__')
    assert f'{wrong} 0: give 1 or more' in capsys.readouterr().err


def test_all_methods_see_eight_images_of_one_trunk():
    init_default_scope('mmaction')
    trained = {}
    for row in all_methods():
        assert row.config['backbone']['trunk'] == 'openai/ViT-B-16'
        assert row.shape == (
            1,
            3,
            16 if row.name == 'DualPath' else 8,
            224,
            224,
        )
        with torch.device('meta'):
            model = MODELS.build(row.config)
        learns = (p.numel() for p in model.parameters() if p.requires_grad)
        trained[row.name] = sum(learns)
    one = trained['AttentiveProbe, depth 1']
    assert trained['20 of them, ProbeSweep'] == 20 * one
    four = trained['AttentiveProbe, depth 4']
    assert trained['4 of them, ProbeSweep'] == 4 * four and four > 4 * one
    assert trained['ZeroI2V, merged'] == trained['linear probe']
    assert len(set(trained.values())) == len(trained) - 1
