"""A published config in miniature, as one file, and a run of it."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.config import Config

from mmvidadapt.__main__ import main
from mmvidadapt.apis.train.config import load_config
from tests import runs

SIDE, SPLITS = 32, ('train', 'val', 'test')


def miniature(name: str, listing: Path) -> Config:
    """Return a published config with small clips and a small model.

    Data sets, hooks, steps of the pipelines, schedule stay as they are.
    """
    cfg = load_config(name)
    cfg.model.backbone.update(arch='tiny', img_size=SIDE, pretrained=None)
    cfg.model.cls_head.update(num_classes=runs.NUM_CLASSES, in_channels=32)
    cfg.train_cfg.max_epochs = 1
    cfg.default_hooks.logger.interval = 1
    for split in SPLITS:
        loader = cfg[f'{split}_dataloader']
        loader.update(num_workers=0, persistent_workers=False)
        loader.batch_size = 2 if split == 'train' else 1
        loader.dataset.update(
            ann_file=str(listing), data_prefix=dict(video=str(listing.parent))
        )
        for step in loader.dataset.pipeline:
            if 'Sample' in step.type:
                step.frame_interval = 1
            if step.type == 'Resize':
                square = step.get('keep_ratio') is False
                step.scale = (SIDE, SIDE) if square else (-1, SIDE + 4)
            if step.type == 'CenterCrop':
                step.crop_size = SIDE
        cfg[f'{split}_pipeline'] = loader.dataset.pipeline
    return cfg


@pytest.fixture(scope='module')
def hosted(
    listing: Path, tmp_path_factory: pytest.TempPathFactory
) -> SimpleNamespace:
    """Train AIM's config in miniature with mmaction2's own tool."""
    folder = tmp_path_factory.mktemp('hosted')
    config = folder / 'aim.py'
    config.write_text(miniature('aim/vitb16_k400', listing).pretty_text)
    work = folder / 'work'
    assert not main(['run', 'train', str(config), '--work-dir', str(work)])
    return SimpleNamespace(
        config=config,
        work=work,
        checkpoint=work / 'epoch_1.pth',
        log=next(work.glob('*/vis_data/2*.json')),
        listing=listing,
    )
