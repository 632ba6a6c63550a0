"""A loader without workers does without their options."""

import pytest
from mmengine.config import ConfigDict
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmvidadapt.apis.train.config import load_config
from mmvidadapt.utils import loader_options
from mmvidadapt.utils.loader_options import without_workers

CONFIGS = (
    'aim/vitb16_k400',
    'evl/vitb16_ssv2',
    'vivit/b16x2_k400',
    'bevt/swinb_diving48',
    'quickstart/aim_motion',
)
DATA = dict(dataset=[1, 2], sampler=dict(type='DefaultSampler', shuffle=False))


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(
        loader_options, 'print_log', lambda text, **where: lines.append(text)
    )
    return lines


def test_a_runner_builds_it(said):
    options = dict(
        DATA, num_workers=0, persistent_workers=True, prefetch_factor=4
    )
    config = ConfigDict(options, batch_size=1)
    loader = Runner.build_dataloader(config, seed=0)
    assert loader.num_workers == 0 and not loader.persistent_workers
    assert len(loader) == 2
    (line,) = said
    assert 'persistent_workers=True and prefetch_factor=4' in line
    assert config.persistent_workers, 'the config stays as it is'


def test_workers_keep_their_options(said):
    config = ConfigDict(
        DATA, batch_size=1, num_workers=1, persistent_workers=True
    )
    loader = Runner.build_dataloader(config)
    assert loader.persistent_workers and not said
    assert Runner.build_dataloader(loader) is loader
    plain = dict(num_workers=0, persistent_workers=False)
    assert without_workers(plain) is plain and not said


def test_our_data_sets_can_do_without_workers():
    """What `--cfg-options train_dataloader.num_workers=0` leaves."""
    persistent = 0
    for name in CONFIGS:
        config = load_config(name)
        for split in ('train', 'val', 'test'):
            loader = config.get(f'{split}_dataloader')
            if loader is None:
                continue
            persistent += bool(loader.get('persistent_workers'))
            kept = without_workers(ConfigDict(loader, num_workers=0))
            options = {
                key: kept[key]
                for key in ('num_workers', *loader_options.ONLY_WITH_WORKERS)
                if key in kept
            }
            DataLoader([1], **options)
    assert persistent > 5
