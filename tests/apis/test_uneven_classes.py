"""Rare classes are seen more often, or weigh more, and a sentence says so."""

import math
from collections import Counter
from pathlib import Path

import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config

from mmvidadapt.apis.train.config import write_config
from mmvidadapt.apis.train.own_videos_config import (
    Choices,
    explain,
    own_config,
)
from mmvidadapt.apis.train.uneven_classes import (
    choose_balance,
    class_weights,
    num_drawn,
)
from mmvidadapt.datasets.prepare.own_videos import OwnData, write_own
from mmvidadapt.datasets.prepare.video_facts import VideoFacts
from mmvidadapt.datasets.prepare.video_folders import Clip

UNEVEN = dict(a=64, b=17, c=16, d=15, e=3)  # a quarter of 64 is 16
FACTS = VideoFacts(80, 176, 132)


def own(counts, **kind):
    train = [
        Clip(f'{name}{i}.mp4', name)
        for name, number in counts.items()
        for i in range(number)
    ]
    splits = dict(train=train, val=train[-1:], test=[])
    classes = sorted({label for clip in train for label in clip.labels})
    facts = {clip.path: FACTS for clip in train}
    return OwnData(Path('videos'), classes, splits, facts, [], **kind)


def derive(data, lists=Path('lists'), **choices):
    choices = Choices(**choices)
    cfg = own_config(data, lists, choices)
    return cfg, ' '.join(explain(cfg, data, choices))


def test_even_classes_are_left_alone():
    data = own(dict(a=40, b=11))
    assert choose_balance(data, 8) == ('none', '')
    cfg, said = derive(data)
    assert cfg.train_dataloader.dataset.type == 'CheckedVideoDataset'
    assert '--balance' not in said
    cfg, said = derive(own(UNEVEN), balance='none')
    assert cfg.train_dataloader.dataset.type == 'CheckedVideoDataset'
    assert 'Classes are as they are, from 3 training clips of e to 64' in said


def test_rare_clips_are_repeated_in_small_batches(tmp_path):
    data = own(UNEVEN)
    cfg, said = derive(data, tmp_path)
    assert 'up to 3 times an epoch (--balance).' in said
    write_own(data, tmp_path)
    write_config(cfg, tmp_path / 'flat.py')
    described = Config.fromfile(tmp_path / 'flat.py').train_dataloader.dataset
    assert described.dataset.pipeline == cfg.train_pipeline
    described.dataset.pipeline = []
    built = DATASETS.build(described)
    labels = [built.get_data_info(i)['label'] for i in range(len(built))]
    seen = Counter(data.classes[label] for label in labels)
    assert seen == dict(a=64, b=17, c=16, d=15 * 2, e=3 * 3)
    assert len(built) == num_drawn(data, 'sampling')
    steps = math.ceil(len(built) / cfg.train_dataloader.batch_size)
    assert f'epochs of {steps} steps' in said
    assert cfg.train_cfg.max_epochs == min(100, math.ceil(2000 / steps))


def test_the_loss_is_weighed_in_large_batches():
    cfg, said = derive(own(UNEVEN), batch_size=32)
    assert 'the loss of a class has weight' in said
    assert cfg.train_dataloader.dataset.type == 'CheckedVideoDataset'
    weights = cfg.model.cls_head.loss_cls.class_weight
    assert weights[4] / weights[0] == pytest.approx((64 / 3) ** 0.5, 1e-3)
    mean = sum(w * n for w, n in zip(weights, UNEVEN.values())) / 115
    assert mean == pytest.approx(1, abs=1e-3)
    loss = MODELS.build(cfg.model.cls_head.loss_cls)
    scores, truth = torch.randn(2, 5), torch.tensor([0, 4])
    each = -scores.log_softmax(1)[[0, 1], truth]
    share = weights[4] / (weights[0] + weights[4])
    wanted = (1 - share) * each[0] + share * each[1]
    torch.testing.assert_close(loss(scores, truth), wanted, rtol=1e-4, atol=0)
    assert class_weights([0, 4, 4]) == [1.0, 1.0, 1.0]


def test_several_labels_and_tasks_are_repeated():
    several = own({('a', 'b'): 2, ('a',): 40}, several=True)
    assert choose_balance(several, 64).how == 'sampling'
    assert num_drawn(several, 'sampling') == 40 + 2 * 3
    counts = {('v: x', 'w: z'): 40, ('v: y', 'w: q'): 2, ('v: y',): 30}
    tasks = own(counts, tasks=('w', 'v'))  # balanced by the last one
    assert choose_balance(tasks, 4).how == 'none'
    tasks = own(counts, tasks=('v', 'w'))
    assert choose_balance(tasks, 64).how == 'sampling'
    assert num_drawn(tasks, 'sampling') == 40 + 2 * 3 + 30
    for data in (several, tasks):
        with pytest.raises(ValueError, match='one label; choose sampling'):
            choose_balance(data, 8, 'weights')


def test_folders_of_frames_are_weighed():
    data = own(UNEVEN)._replace(frames=('img_{:05}.jpg', 1))
    assert choose_balance(data, 8).how == 'weights'
    with pytest.raises(ValueError, match='video files; choose weights'):
        choose_balance(data, 8, 'sampling')
