"""Figures of a report, against numbers worked out by hand."""

import json

import numpy as np
import pytest

from mmvidadapt.apis.report.calibration import (
    cross_tempered,
    fit_temperature,
    reliability,
    tempered,
)
from mmvidadapt.apis.report.charts import Frame, curve_chart, ticks
from mmvidadapt.apis.report.contents import Curve
from mmvidadapt.apis.report.learning_curves import MOST_POINTS, read_curves
from mmvidadapt.apis.report.measures import (
    class_figures,
    confused_pairs,
    confusion_matrix,
    flips,
    surest_mistakes,
    surest_of_classes,
)
from mmvidadapt.apis.report.page_accuracy import accuracy, intervals
from mmvidadapt.apis.report.page_order import verdict
from mmvidadapt.apis.use.other_class import OtherClass
from tests.apis.report_samples import report, scores

LABELS = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 1, 1, 1, 0, 0])


def softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def test_counts_by_class():
    matrix = confusion_matrix(LABELS, PREDICTED, 3)
    assert matrix.tolist() == [[1, 2, 0], [1, 1, 0], [1, 0, 0]]
    figures = class_figures(matrix)
    assert figures.recall.tolist() == pytest.approx([1 / 3, 1 / 2, 0])
    assert figures.precision[:2].tolist() == pytest.approx([1 / 3, 1 / 3])
    assert np.isnan(figures.precision[2])
    assert figures.counts.tolist() == [3, 2, 1]
    assert figures.predicted.tolist() == [3, 3, 0]
    assert confused_pairs(matrix)[0] == (0, 1, 2)
    assert len(confused_pairs(matrix)) == 3


def test_label_errors_are_on_top_of_the_mistakes():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 5, 300)
    logits = rng.normal(0, 1, (300, 5))
    logits[np.arange(300), truth] += 4  # mostly right
    given, bad = truth.copy(), np.arange(0, 300, 10)
    given[bad] = (truth[bad] + rng.integers(1, 5, 30)) % 5
    listed = surest_mistakes(softmax(logits), given, logits.argmax(1))
    assert len(listed) > 30
    assert len(set(listed[:30]) & set(bad)) >= 26
    right = logits.argmax(1) == given
    assert not right[listed].any()


def test_a_class_other_is_named_where_none_is_sure():
    one = report(other=OtherClass(2, 0.7))
    assert one.predicted.tolist() == report().predicted.tolist()
    strict = report(other=OtherClass(2, 0.9))
    assert (strict.predicted == 2).all()
    assert strict.right.sum() == 4 and '33.3 %' in accuracy(strict)
    # No class is sure with any order of frames, so nothing is lost.
    assert '0 clips are lost and 0 are won' in verdict(strict)
    found = surest_of_classes(strict.scores, strict.labels, strict.predicted)
    assert len(found) == 1 and strict.labels[found[0]] == 2


def test_what_becomes_of_reversed_clips():
    found = flips(np.array([0, 0, 0, 1, 1, 2]), np.array([1, 1, 0, 1, 0, 0]))
    assert [(f.label, f.other) for f in found] == [(2, 0), (0, 1)]
    assert found[1].share == pytest.approx(2 / 3)


def test_reliability_by_hand():
    sure = np.array([0.95, 0.95, 0.95, 0.95, 0.65, 0.65])
    two = np.stack([sure, 1 - sure], 1)
    found = reliability(two, np.array([0, 0, 0, 1, 0, 1]))
    assert found.counts[[6, 9]].tolist() == [2, 4]
    assert found.accuracy[[6, 9]].tolist() == [0.5, 0.75]
    assert np.isnan(found.accuracy[0])
    assert found.ece == pytest.approx((4 * 0.2 + 2 * 0.15) / 6)


@pytest.mark.parametrize('wanted', [0.5, 1.0, 3.0])
def test_temperature_is_found_again(wanted):
    rng = np.random.default_rng(1)
    true = rng.normal(0, 2, (6000, 4))
    labels = (softmax(true).cumsum(1) < rng.random((6000, 1))).sum(1)
    given = softmax(true * wanted)
    assert fit_temperature(given, labels) == pytest.approx(wanted, rel=0.06)
    assert np.allclose(tempered(given, wanted), softmax(true), atol=1e-4)
    after = reliability(tempered(given, wanted), labels)
    assert after.ece < 0.02


def test_clips_do_not_choose_their_own_temperature():
    groups = [f'person {i % 5}' for i in range(60)]
    labels = np.arange(60) % 3
    found = scores(np.where(np.arange(60) % 5, labels, (labels + 1) % 3), 0.9)
    result = cross_tempered(found, labels, groups)
    others = np.arange(60) % 5 != 0  # all right: as cold as can be
    own = tempered(found[:1], fit_temperature(found[others], labels[others]))
    assert np.allclose(result[0], own[0])
    assert np.allclose(cross_tempered(found, labels, ['one'] * 60), found)


def test_intervals_of_groups_come_first_and_are_wider():
    (first, grouped), (second, alone) = intervals(report())
    assert 'groups never seen (4 groups)' in first and 'Wilson' in second
    assert grouped.value == alone.value == pytest.approx(10 / 12)
    assert grouped.low < alone.low and grouped.high > alone.high
    bare = report()
    bare.clips = [clip._replace(group=None) for clip in bare.clips]
    assert len(intervals(bare)) == 1


def test_the_verdict_on_order_needs_more_than_chance():
    one = report()
    assert 'Order matters' in verdict(one)
    same = one.scores.copy()
    same[[0, 1]] = scores([2, 1])  # one lost, one won
    one.orders = dict(shuffled=same)
    assert '1 clips are lost and 1 are won' in verdict(one)


def test_learning_curves_of_a_run(tmp_path):
    first = [
        dict(lr=0.1, loss=3.0, top1_acc=0.0, epoch=1, iter=5, step=5),
        {'acc/top1': 0.4, 'acc/top5': 0.9, 'step': 1},
        dict(lr=0.2, loss=2.0, top1_acc=0.5, epoch=2, iter=10, step=10),
    ]
    then = [dict(lr=0.3, loss=1.0, top1_acc=1.0, iter=15, step=15)]
    then.append({'acc/top1': 0.6, 'step': 3})
    for name, lines in (('20260101', first), ('20260102', then)):
        path = tmp_path / name / 'vis_data' / 'scalars.json'
        path.parent.mkdir(parents=True)
        text = '\n'.join(json.dumps(line) for line in lines)
        path.write_text(text + '\n{"loss": 9')  # killed while it was written
    curves = {c.name: c.points for c in read_curves(tmp_path / 'epoch_3.pth')}
    assert list(curves) == [
        *('training loss', 'training accuracy', 'learning rate'),
        'validation accuracy',
    ]
    assert curves['training loss'] == [(5, 3.0), (10, 2.0), (15, 1.0)]
    assert curves['validation accuracy'] == [(5, 0.4), (15, 0.6)]
    assert read_curves(tmp_path / 'none' / 'x.pth') == []
    assert read_curves('https://example.org/x.pth') == []


def test_long_curves_are_averaged(tmp_path):
    path = tmp_path / 'a' / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    rows = [dict(lr=1, loss=i % 2, iter=i, step=i) for i in range(600)]
    path.write_text('\n'.join(map(json.dumps, rows)))
    points = read_curves(tmp_path)[0].points
    assert len(points) == MOST_POINTS and points[-1] == (599, 0.5)


def test_charts():
    assert ticks(0, 1) == [0, 0.5, 1] and ticks(3, 3) == [3]
    assert str(ticks(-1, 1)[1]) == '-0.5' and str(ticks(0, 4)[0]) == '0.0'
    frame = Frame((0, 10), (0, 2))
    assert frame.at(0, 0) == (46, 226) and frame.at(10, 2) == (368, 12)
    drawn = curve_chart([Curve('accuracy', [(0, 0.0), (10, 1.0)])], 'accuracy')
    assert '100 %' in drawn and 'points="46.0,226.0 368.0,12.0"' in drawn
