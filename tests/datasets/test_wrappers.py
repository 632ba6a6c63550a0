"""Data sets that repeat, balance or join checked videos, in real runs."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from mmaction.registry import DATASETS
from mmengine.runner import Runner

from mmvidadapt.datasets.feature_cache.dataset import build_uncached
from mmvidadapt.datasets.wrappers import inner_config, inner_datasets
from tests import runs
from tests.trained import damage

HOOKS = ('BadVideosHook', 'NameCrashHook', 'ManifestHook')


@pytest.fixture
def folder(listing, tmp_path):
    """Eight clips, seven of one class, two of them damaged."""
    shutil.copytree(listing.parent, tmp_path / 'clips')
    for i in (2, 5):
        damage(tmp_path / f'clips/clip{i}.mp4')
    lines = [f'clip{i}.mp4 {int(i == 7)}\n' for i in range(8)]
    (tmp_path / 'clips/list.txt').write_text(''.join(lines))
    return tmp_path / 'clips'


def checked(folder, random=True, **changes):
    changes = dict(dict(max_bad_ratio=0.25), **changes)
    return runs.checked(folder / 'list.txt', random, **changes)


BALANCED = dict(type='ClassBalancedDataset', oversample_thr=0.5)
REPEATED = dict(type='RepeatDataset', times=2)
JOINED = dict(type='ConcatDataset')
WRAPPERS = dict(
    RepeatDataset=lambda data: dict(REPEATED, dataset=data),
    ClassBalancedDataset=lambda data: dict(BALANCED, dataset=data),
    ConcatDataset=lambda data: dict(JOINED, datasets=[data, data]),
    nested=lambda data: dict(
        JOINED,
        datasets=[dict(BALANCED, dataset=data), dict(REPEATED, dataset=data)],
    ),
)
SIZES = dict(zip(WRAPPERS, (16, 9, 16, 25)))


@pytest.mark.parametrize(
    'name, workers', [*((name, 0) for name in WRAPPERS), ('nested', 2)]
)
def test_a_run_trains_tests_and_counts(folder, name, workers):
    config = runs.recipe(folder / 'list.txt', folder / 'work', batch=8)
    config.custom_hooks += [dict(type=kind) for kind in HOOKS]
    for split in ('train', 'test'):
        loader = config[f'{split}_dataloader']
        loader.num_workers = workers
        loader.dataset = WRAPPERS[name](checked(folder, split == 'train'))
    runner = Runner.from_cfg(runs.without_validation(config))
    runner.train()
    dataset = runner.train_dataloader.dataset
    assert len(dataset) == SIZES[name]
    for part in inner_datasets(dataset):
        assert part.ledger.listed(9) == [2, 5]
    runner.test()
    said = json.loads(Path(runner.log_dir, 'manifest.json').read_text())
    assert said['num_videos'] == SIZES[name]
    assert [Path(bad['file']).name for bad in said['unreadable']] == [
        'clip2.mp4',
        'clip5.mp4',
    ]


def test_labels_that_the_head_has_not_are_found_inside(folder):
    (folder / 'list.txt').write_text('clip0.mp4 0\nclip1.mp4 4\n')
    config = runs.recipe(folder / 'list.txt', folder / 'work')
    config.custom_hooks += [dict(type=kind) for kind in HOOKS]
    wrapped = WRAPPERS['nested'](checked(folder))
    config.train_dataloader.dataset = wrapped
    runner = Runner.from_cfg(runs.without_validation(config))
    with pytest.raises(ValueError, match="line 2: 'clip1.mp4 4': label 4 is"):
        runner.train()


def test_rare_classes_are_repeated(folder):
    dataset = DATASETS.build(WRAPPERS['ClassBalancedDataset'](checked(folder)))
    labels = [dataset.get_data_info(i)['label'] for i in range(len(dataset))]
    assert Counter(labels) == {0: 7, 1: 2}
    (folder / 'list.txt').write_text('a.mp4 0 2\nb.mp4 1\nc.mp4 1\n')
    several = checked(folder, multi_class=True, num_classes=3)
    dataset = DATASETS.build(several)
    found = [dataset.get_cat_ids(i) for i in range(3)]
    assert found == [[0, 2], [1], [1]]
    (folder / 'list.txt').write_text('a.mp4\nb.mp4\n')
    assert DATASETS.build(checked(folder)).get_cat_ids(0) == []


def test_tools_look_inside(folder):
    dataset = checked(folder)
    dataset['pipeline'][1] = dict(type='SpreadSampleFrames', clip_len=4)
    for wrap in WRAPPERS.values():
        built = build_uncached(wrap(dataset))
        for part in inner_datasets(built):
            assert not part.pipeline.transforms[1].merge
    for name in ('RepeatDataset', 'ClassBalancedDataset'):
        assert inner_config(WRAPPERS[name](dataset)) is dataset
    assert inner_config(dataset) is dataset
    with pytest.raises(ValueError, match='ConcatDataset has no pipeline'):
        inner_config(WRAPPERS['ConcatDataset'](dataset))
