"""Both pipelines read the same clips, and the slow step is named."""

import re
import time

import pytest
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform
from mmengine.config import Config

from mmvidadapt.apis.benchmark.loader import (
    Profile,
    advise,
    compare_with_stock,
    stock_steps,
)
from tests import runs
from tests.films import encode, film
from tests.tools.processes import call


@TRANSFORMS.register_module()
class Burn(BaseTransform):
    """Keep the CPU busy for a while."""

    def __init__(self, seconds):
        self.seconds = seconds

    def transform(self, results):
        start = time.process_time()
        while time.process_time() - start < self.seconds:
            pass
        return results


@TRANSFORMS.register_module()
class Brighten(BaseTransform):
    """Add something to every pixel."""

    def transform(self, results):
        results['imgs'] = [img // 2 + 3 for img in results['imgs']]
        return results


@pytest.fixture
def config(tmp_path):
    for i in range(3):
        encode(tmp_path / f'{i}.mp4', film(20), bf='3')
    (tmp_path / 'list.txt').write_text('0.mp4 0\n1.mp4 1\n2.mp4 2\n')
    loader = runs.loader(tmp_path / 'list.txt', True, 0, 4)
    steps = loader['dataset']['pipeline']
    steps[0] = dict(type='VideoInit', backend='auto')
    steps[2] = dict(type='VideoDecode')
    return Config(dict(train_dataloader=loader, default_scope='mmaction'))


def test_the_same_clips_have_the_same_pixels_and_every_step_a_cost(config):
    profiles, apart = compare_with_stock(config, clips=5)
    assert apart == dict(mean=0, max=0)
    names = [name.split()[1] for name in profiles['stock'].cpu]
    assert names[:3] == ['DecordInit', 'SampleFrames', 'DecordDecode']
    names = [name.split()[1] for name in profiles['own'].cpu]
    assert names[:3] == ['VideoInit', 'SampleFrames', 'VideoDecode']
    for profile in profiles.values():
        assert profile.clips == 5 and profile.total > 0
    assert profiles['own'].reading > 0


def test_pixels_that_differ_are_seen(config):
    """The stock pipeline keeps all steps but the two that decode."""
    steps = config.train_dataloader.dataset.pipeline
    steps[2] = dict(type='BrightDecode')

    @TRANSFORMS.register_module(force=True)
    class BrightDecode(TRANSFORMS.get('VideoDecode')):
        def transform(self, results):
            return Brighten().transform(super().transform(results))

    assert compare_with_stock(config, clips=2)[1]['mean'] > 10
    kinds = [step['type'] for step in stock_steps(steps)]
    assert kinds[:3] == ['DecordInit', 'SampleFrames', 'DecordDecode']
    assert kinds[3:] == [step['type'] for step in steps[3:]]


def test_a_slow_step_is_the_bottleneck(config):
    steps = config.train_dataloader.dataset.pipeline
    steps.insert(3, dict(type='Burn', seconds=0.05))
    own = compare_with_stock(config, clips=3)[0]['own']
    assert own.cpu['3 Burn'] == pytest.approx(0.15, rel=0.2)
    assert re.match(r'Bottleneck: Burn, \d\d% .*num_workers', advise(own))


@pytest.mark.parametrize(
    'name, way',
    [
        ('0 VideoInit', 'cut long videos'),
        ('2 VideoDecode', 'tools/transcode.py'),
        ('3 Resize', 'tools/transcode.py'),
        ('3 ClipRandAugment', 'fewer operations'),
    ],
)
def test_every_bottleneck_has_a_way_out(name, way):
    profile = Profile({name: 3.0, '9 Flip': 1.0}, 1, 0.0)
    said = advise(profile)
    assert said.startswith(f'Bottleneck: {name.split()[1]}, 75% of the CPU')
    assert way in said
    profile.reading = 8
    assert 'the storage, reading the files takes 2.0 times' in advise(profile)


def test_the_tool_prints_speed_difference_and_advice(
    config, tmp_path, monkeypatch, capsys
):
    config.dump(tmp_path / 'config.py')
    (tmp_path / 'two.txt').write_text('0.mp4 0\n1.mp4 1\n')
    files = tmp_path / 'config.py', tmp_path / 'two.txt'
    call(monkeypatch, 'benchmark/loader.py', *files, '--clips', '3')
    said = capsys.readouterr().out
    assert 'train pipeline, 3 clips, one worker' in said
    cells = re.search(r'clips per CPU-second +(\S+) +(\S+)', said).groups()
    ratio = float(re.search(r'ratio: (\S+) times', said)[1])
    stock, own = map(float, cells)
    assert own / stock == pytest.approx(ratio, rel=0.02)
    assert 'pixels differ by 0.0000 of 255 in the mean, 0 at most' in said
    assert 'Bottleneck: ' in said
    with pytest.raises(SystemExit):
        call(monkeypatch, 'benchmark/loader.py', 'x.py', '--clips', '0')
