"""Probabilities of several labels to a video are sigmoids, view by view."""

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch.testing import assert_close

HEADS = ('Float32I3DHead', 'EVLHead', 'DualPathHead', 'ViViTHead')
MARKS = (
    dict(multi_class=True),
    dict(loss_cls=dict(type='BCELossWithLogits')),
)


def build(name, average, **head):
    torch.manual_seed(0)
    head = MODELS.build(
        dict(
            type=name,
            num_classes=5,
            in_channels=8,
            average_clips=average,
            **head,
        )
    ).eval()
    for param in head.parameters():
        param.data += torch.randn_like(param)
    return head


def predict(head, feats):
    """Give what is predicted for two videos of three views."""
    samples = [ActionDataSample(), ActionDataSample()]
    with torch.no_grad():
        results = head.predict(feats, samples)
    return torch.stack([r.pred_score for r in results])


@pytest.mark.parametrize('name', HEADS)
@pytest.mark.parametrize('mark', MARKS)
def test_several_labels_have_sigmoids(name, mark):
    feats = torch.randn(6, 8, 1, 1, 1)
    head = build(name, 'prob', **mark)
    logits = head(feats).detach().unflatten(0, (2, 3))  # (B, views, classes)
    assert_close(predict(head, feats), logits.sigmoid().mean(1))
    head.average_clips = 'score'
    assert_close(predict(head, feats), logits.mean(1))
    if name == 'ViViTHead':
        head.average_clips = 'logit'
        assert_close(predict(head, feats), logits.mean(1).sigmoid())


@pytest.mark.parametrize('name', HEADS)
def test_one_label_has_a_softmax(name):
    feats = torch.randn(6, 8, 1, 1, 1)
    head = build(name, 'prob')
    logits = head(feats).detach().unflatten(0, (2, 3))
    assert_close(predict(head, feats), logits.softmax(-1).mean(1))


@pytest.mark.parametrize('batch', [1, 2])
def test_the_asymmetric_loss_looks_at_what_is_there(batch):
    """2009.14119, equation 7: gamma 0 for what is, 4 for what is not."""
    loss = dict(type='mmpretrain.AsymmetricLoss')
    head = build('Float32I3DHead', 'prob', multi_class=True, loss_cls=loss)
    feats, truth = torch.randn(batch, 8, 1, 1, 1), torch.eye(5)[:batch]
    samples = [ActionDataSample().set_gt_label(label) for label in truth]
    p = head(feats).sigmoid()
    shifted = (p - 0.05).clamp(min=0)
    there = truth * p.log()
    absent = (1 - truth) * shifted**4 * (1 - shifted).log()
    found = head.loss(feats, samples)['loss_cls']
    assert_close(found, -(there + absent).mean())
