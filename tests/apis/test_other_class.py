"""`other` is named where no class is sure enough, at a chosen rate."""

import numpy as np
import pytest
import torch
from mmaction.registry import METRICS
from mmaction.structures import ActionDataSample
from mmengine.config import Config

from mmvidadapt.apis import MultiAdapter
from mmvidadapt.apis.fit.intervals import wilson
from mmvidadapt.apis.use.class_scores import best_classes
from mmvidadapt.apis.use.inference import Classifier
from mmvidadapt.apis.use.other_class import (
    OtherClass,
    choose_threshold,
    other_of,
    stored_threshold,
    use_threshold,
)
from mmvidadapt.engine.metrics.other_class import count_alarms
from tests.adapters import config_of, write_adapter

# Of three classes the last is `other`: four clips of it, four of the others.
SCORES = np.array(
    [
        *([0.9, 0.1, 0.0], [0.2, 0.6, 0.2], [0.1, 0.3, 0.6]),
        *([0.0, 0.2, 0.8], [0.8, 0.1, 0.1], [0.3, 0.7, 0.0]),
        *([0.5, 0.4, 0.1], [0.4, 0.5, 0.1]),
    ]
)
LABELS = np.array([2, 2, 2, 2, 0, 1, 0, 0])


@pytest.mark.parametrize(
    ('rate', 'threshold', 'false', 'found'),
    [
        (0.0, None, 0, 0),  # just above 0.9, which no clip has
        (0.24, None, 0, 0),
        (0.25, 0.65, 1, 2),  # half-way from 0.6 to the next clip, 0.7
        (0.5, 0.4, 2, 3),  # from 0.3 to 0.5
        (0.75, 0.25, 3, 3),
    ],
)
def test_the_lowest_threshold_of_a_rate(rate, threshold, false, found):
    chosen = choose_threshold(SCORES, LABELS, 2, rate)
    if threshold is None:
        assert 0.9 < chosen.threshold < 0.9 + 1e-9
    else:
        assert chosen.threshold == pytest.approx(threshold)
    assert chosen.false_alarms == wilson(false, 4)
    assert chosen.found == wilson(found, 4)
    counted = count_alarms(SCORES, LABELS, 2, chosen.threshold)
    assert counted[1:] == (false, 4, found, 4)
    said = f'of {wilson(false, 4)} of 4 clips of `other` a class is named'
    assert said in str(chosen)


def test_rates_and_ties_of_many_clips():
    rng = np.random.default_rng(0)
    scores = rng.dirichlet(np.ones(4), 300).round(2)
    labels = rng.integers(0, 4, 300)
    labels[:200] = 1
    for rate in (0.0, 0.05, 0.29, 0.5, 0.99):
        chosen = choose_threshold(scores, labels, 1, rate)
        known = np.delete(scores, 1, 1).max(1)
        strange = known[labels == 1]
        allowed = rate * len(strange) + 1e-9
        assert (strange >= chosen.threshold).sum() <= allowed
        lower = known[known < chosen.threshold].max()  # one clip lower
        assert (strange >= lower).sum() > allowed
    only = choose_threshold(scores[:200], labels[:200], 1)
    assert only.found is None and str(only).endswith('is named.')


@pytest.mark.parametrize(
    ('labels', 'other', 'rate', 'words'),
    [
        (LABELS, 2, 1.0, 'false_alarm_rate=1.0: give a share'),
        (LABELS * 0, 2, 0.1, 'None of the 8 clips is of the class 2'),
        (LABELS, 3, 0.1, r'Scores of \(8, 3\) and the class 3'),
    ],
)
def test_mistakes_are_named(labels, other, rate, words):
    with pytest.raises(ValueError, match=words):
        choose_threshold(SCORES, labels, other, rate)


@pytest.mark.parametrize(
    ('scores', 'named'),
    [
        ([0.5, 0.3, 0.2], [0, 1, 2]),
        ([0.3, 0.1, 0.6], [0, 2, 1]),  # has the threshold
        ([0.29, 0.28, 0.43], [2, 0, 1]),
        ([0.29, 0.51, 0.2], [1, 0, 2]),
        ([0.2, 0.25, 0.55], [2, 1, 0]),
        ([0.25, 0.296875, 0.45], [1, 2, 0]),
    ],
)
def test_what_is_named(scores, named):
    other, scores = OtherClass(2, 0.296875), torch.tensor(scores)
    for top in (1, 2, 3):
        found = best_classes(scores, ['a', 'b', 'other'], top, other=other)
        assert [name for name, _ in found] == [
            ['a', 'b', 'other'][i] for i in named[:top]
        ]
        assert [p for _, p in found] == scores[named[:top]].tolist()


def measure(scores=SCORES, labels=LABELS, **options):
    metric = METRICS.build(dict(type='OtherClassMetric', **options))
    metric.dataset_meta = dict(classes=['a', 'b', 'other'])
    for row, label in zip(scores, labels):
        sample = ActionDataSample().set_gt_label(int(label))
        metric.process([], [sample.set_pred_score(row).to_dict()])
    return metric.evaluate(len(labels))


def test_validation_chooses_and_a_test_applies():
    found = measure(false_alarm_rate=0.25)
    assert found == pytest.approx(
        {
            'other/threshold': 0.65,
            'other/class': 2,
            'other/false_alarms': 0.25,
            'other/found': 0.5,
            'other/clips': 4,
        }
    )
    given = measure(choose=False, threshold=0.45, other=2)
    assert given['other/false_alarms'] == 0.5
    assert given['other/found'] == 0.75
    assert measure(choose=False) == measure(labels=LABELS % 2) == {}
    for wrong, words in (
        (dict(other='else'), r"names the classes \['a', 'b', 'other'\]"),
        (dict(scores=SCORES * 3), "average_clips='prob'"),
    ):
        with pytest.raises(ValueError, match=words):
            measure(**wrong)


def test_the_threshold_comes_with_the_adapter(tmp_path, trunk, video):
    config = config_of('aim', trunk)
    names = ['run', 'jump', 'other', 'fly']
    numbers = {'other/threshold': 2.0, 'other/class': 2.0}
    path, _ = write_adapter(
        tmp_path, 'a', config, classes=names, metrics=numbers
    )
    for other in (path, path.replace('.adapter.safetensors', '.pth')):
        assert stored_threshold(other) == (2, 2.0)
    assert stored_threshold(tmp_path / 'b.pth') is None
    said = dict(number=1, threshold=3.0)
    assert other_of(Config(dict(other_class=said)), {}, path) == (1, 3.0)
    cfg = Config(dict(test_evaluator=[dict(type='OtherClassMetric')]))
    use_threshold(cfg, path)
    assert cfg.test_evaluator[0].threshold == 2.0
    (found,) = Classifier(config, path, 'cpu', topk=1).video(video)
    assert found.top[0][0] == 'other'  # nothing is as sure as that
    best = MultiAdapter({'a': path}).classify(video, topk=1)
    assert best['a'] == found.top
