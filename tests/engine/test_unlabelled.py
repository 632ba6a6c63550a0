"""Tests of clips without labels write predictions, and no accuracy."""

import argparse
import shutil

import pytest
from mmengine.fileio import load
from mmengine.runner import Runner

from mmvidadapt.apis.train import options
from tests import runs


def config_of(listing, tmp_path, lines, kind, **changes):
    """A test of some lines, as tools/test.py prepares it."""
    folder = listing.parent
    (tmp_path / 'list.txt').write_text('\n'.join(lines))
    config = runs.recipe(tmp_path / 'list.txt', tmp_path / 'work', **changes)
    for split in ('train', 'val', 'test'):
        dataset = config[f'{split}_dataloader'].dataset
        dataset.type, dataset.data_prefix.video = kind, str(folder)
    options.write_manifest(config)
    options.check_labels(config)
    return config


CASES = [
    ('CheckedVideoDataset', ['clip0.mp4', 'clip1.mp4']),
    ('VideoDataset', ['clip0.mp4 -1', 'clip1.mp4 -1']),
]


@pytest.mark.parametrize('kind, lines', CASES)
def test_without_labels_there_are_predictions_and_no_accuracy(
    listing, tmp_path, kind, lines
):
    config = config_of(listing, tmp_path, lines, kind)
    with pytest.raises(ValueError, match='list.txt has no labels.*--dump'):
        Runner.from_cfg(config).test()
    config = config_of(listing, tmp_path, lines, kind)
    options.dump_predictions(config, str(tmp_path / 'out.pkl'))
    assert Runner.from_cfg(config).test() == {}
    written = load(tmp_path / 'out.pkl')
    assert [len(w['pred_score']) for w in written] == 2 * [runs.NUM_CLASSES]


def test_lists_with_labels_are_measured(listing, tmp_path):
    lines = ['clip0.mp4 0', 'clip1.mp4 -1']  # mmaction2 has such lists
    config = config_of(listing, tmp_path, lines, 'VideoDataset')
    assert 0 <= Runner.from_cfg(config).test()['acc/top1'] <= 0.5


def test_a_test_of_several_labels_without_any(listing, tmp_path):
    kind, lines = CASES[0]
    config = config_of(listing, tmp_path, lines, kind)
    several = dict(multi_class=True, num_classes=runs.NUM_CLASSES)
    config.test_dataloader.dataset.update(several)
    with pytest.raises(ValueError, match='list.txt has no labels'):
        Runner.from_cfg(config).test()


def test_validation_and_training_need_labels(listing, tmp_path):
    kind, lines = CASES[0]
    config = config_of(listing, tmp_path, lines, kind)
    with pytest.raises(ValueError, match='behind every path'):
        runs.train(config)
    shutil.copy(listing, tmp_path / 'train.txt')
    config = config_of(listing, tmp_path, lines, kind)
    config.train_dataloader.dataset.ann_file = str(tmp_path / 'train.txt')
    with pytest.raises(ValueError, match='list.txt has no .*--no-validate'):
        Runner.from_cfg(config).train()
    with pytest.raises(ValueError, match='list.txt has no .*--no-validate'):
        Runner.from_cfg(config).val()


def test_the_tool_prepares_that(monkeypatch):
    """A hook that a config has is not added twice."""
    args = dict.fromkeys(('cfg_options', 'work_dir', 'trunk'), None)
    args.update(config='aim/vitb16_k400', launcher='none', local_rank=0)
    config = options.read_config(argparse.Namespace(**args))
    before = [hook.type for hook in config.custom_hooks]
    options.check_labels(config)
    assert [hook.type for hook in config.custom_hooks] == before
    config.custom_hooks = []
    options.check_labels(config)
    assert [hook.type for hook in config.custom_hooks] == ['BadVideosHook']
    text = (runs.ROOT / 'tools/test.py').read_text()
    assert 'options.check_labels(config)' in text
