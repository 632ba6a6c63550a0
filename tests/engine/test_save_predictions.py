"""What is burnt into a test clip."""

import torch
from mmaction.structures import ActionDataSample

from mmvidadapt.engine.hooks.save_predictions import describe


def sample(label):
    found = ActionDataSample().set_pred_label(1).set_gt_label(label)
    return found.set_pred_score(torch.tensor([0.2, 0.75, 0.05]))


def test_one_several_and_no_labels_are_shown():
    names = ['run', 'jump', 'swim']
    assert describe(sample(2), names) == ['jump 0.75', 'label: swim']
    several = torch.tensor([1, 0, 1])  # a number for every class
    assert describe(sample(several), names) == [
        'jump 0.75',
        'label: run, swim',
    ]
    assert describe(sample(-1), None) == ['1 0.75']
    assert describe(sample(torch.zeros(3).long()), None) == ['1 0.75']


def test_every_task_has_a_line():
    names = ['verb: cut', 'verb: wash', 'noun: cup', 'noun: pan', 'noun: lid']
    found = ActionDataSample().set_gt_label([1, -1])
    verbs, nouns = torch.tensor([0.6, 0.4]), torch.tensor([0.1, 0.7, 0.2])
    found.set_pred_score(dict(verb=verbs, noun=nouns))
    assert describe(found, names) == [
        'verb: cut 0.60',
        'label: verb: wash',
        'noun: pan 0.70',
    ]
    assert describe(found, None)[0] == '0 0.60'
