"""What is shown of a class is its probability and its name."""

import json

import pytest
import torch
from mmengine.config import Config

from mmvidadapt.apis import MultiAdapter
from mmvidadapt.apis.use.class_names import class_names
from mmvidadapt.apis.use.inference import Classifier
from mmvidadapt.apis.use.prediction_files import PredictionFiles
from tests import runs
from tests.adapters import config_of, write_adapter

NAMES = ['run', 'jump', 'swim', 'fly']
TWICE = dict(_delete_=True, type='RepeatDataset', times=2)
TWICE['dataset'] = dict(type='VideoDataset', multi_class=True)
MARKS = [
    {'model.cls_head.multi_class': True},
    {'model.cls_head.loss_cls': dict(type='BCELossWithLogits')},
    {'test_dataloader.dataset.multi_class': True},
    {'train_dataloader.dataset': TWICE},
]


def changed(config, **changes):
    """Return a copy of a config, ``.`` written as ``__``."""
    config = Config(config.to_dict())
    config.merge_from_dict(
        {key.replace('__', '.'): value for key, value in changes.items()}
    )
    return config


def logits_of(trained, path, views):
    """Give what the head says of every view, (views, classes)."""
    config = changed(trained.config, test_pipeline=views_pipeline(views))
    classifier, seen = Classifier(config, trained.checkpoint, 'cpu'), []
    head = classifier.model.cls_head
    head.register_forward_hook(lambda *args: seen.append(args[2]))
    list(classifier.video(path))
    return seen[0]


def views_pipeline(views):
    """Return the steps of a test with several clips."""
    steps = runs.pipeline(random=False)
    steps[1]['num_clips'] = views
    return steps


def scores(predictions):
    """Give the scores of the only window in the order of the classes."""
    ((*_, top),) = predictions
    return torch.tensor([value for _, value in sorted(top)])


@pytest.mark.parametrize('head', ['Float32I3DHead', 'I3DHead'])
@pytest.mark.parametrize('average', ['prob', 'score', None])
@pytest.mark.parametrize('mark', [None, *MARKS])
def test_scores_are_probabilities(trained, head, average, mark):
    """Heads of mmaction2 give softmax or logits, whatever the loss."""
    path = trained.folder / 'videos/long.mp4'
    logits = logits_of(trained, path, 3)
    assert len(logits) == 3 and not torch.equal(logits[0], logits[1])
    config = changed(trained.config, test_pipeline=views_pipeline(3))
    config.model.cls_head.update(type=head, average_clips=average)
    config.merge_from_dict(mark or {})
    classifier = Classifier(config, trained.checkpoint, 'cpu', topk=4)
    found = scores(classifier.video(path))
    function = torch.sigmoid if mark else lambda x: x.softmax(-1)
    wanted = function(logits).mean(0)
    if average == 'score':
        wanted = function(logits.mean(0))
    assert torch.allclose(found, wanted, atol=1e-6)
    assert classifier.model.cls_head.average_clips == average


@pytest.mark.parametrize('average', ['prob', 'score'])
def test_adapters_of_several_labels(tmp_path, trunk, video, average):
    paths = {}
    for name, mark in (('one', {}), ('several', dict(multi_class=True))):
        config = config_of('probe', trunk)
        config.model.cls_head.update(average_clips=average, type='I3DHead')
        config.model.cls_head.update(mark)
        paths[name], _ = write_adapter(tmp_path, name, config)
    multi = MultiAdapter(paths)
    raw = {}
    for name in paths:
        multi[name].cls_head.register_forward_hook(
            lambda *args, name=name: raw.update({name: args[2][0]})
        )
    best = multi.classify(video)
    wanted = dict(one=raw['one'].softmax(-1), several=raw['several'].sigmoid())
    for name, top in best.items():
        found = torch.tensor([value for _, value in sorted(top)])
        assert torch.allclose(found, wanted[name], atol=1e-6)
    kept = {m.cls_head.average_clips for m in multi.models.values()}
    assert kept == {average}


@pytest.mark.parametrize('average', ['prob', 'score', None])
def test_every_task_has_its_best_classes(tmp_path, trunk, video, average):
    config = config_of('probe', trunk)
    width = config.model.cls_head.in_channels
    config.model.cls_head = dict(
        type='MultiTaskVideoHead',
        num_classes=dict(verb=2, noun=3),
        in_channels=width,
        average_clips=average,
    )
    names = ['noun: cup', 'noun: lid', 'noun: pan', 'verb: cut', 'verb: wash']
    path, _ = write_adapter(tmp_path, 'tasks', config, classes=names)
    classifier, raw = Classifier(config, path, 'cpu', topk=2), []
    classifier.model.cls_head.register_forward_hook(
        lambda *args: raw.append(args[2])
    )
    (found,) = classifier.video(video)
    wanted = []
    for task, logits in raw[0].items():
        scores, ids = logits[0].softmax(-1).sort(descending=True)
        start = 3 * (task == 'verb')
        wanted += [
            (names[start + i], pytest.approx(score, abs=1e-6))
            for i, score in zip(ids[:2].tolist(), scores[:2].tolist())
        ]
    assert found.top == wanted
    assert MultiAdapter({'a': path}).classify(video, topk=2)['a'] == wanted
    again = config_of('probe', trunk)
    again.model.cls_head = config.model.cls_head
    path, _ = write_adapter(tmp_path, 'numbers', again)
    (found,) = Classifier(config, path, 'cpu', topk=1).video(video)
    assert [name[:-1] for name, _ in found.top] == ['noun: ', 'verb: ']


def test_files_hold_the_same(trained, tmp_path):
    config = changed(trained.config, model__cls_head__multi_class=True)
    classifier = Classifier(config, trained.checkpoint, 'cpu')
    (found,) = classifier.video(trained.folder / 'videos/long.mp4')
    assert abs(sum(value for _, value in found.top) - 1) > 0.1
    with PredictionFiles(tmp_path / 'p.json', tmp_path / 'p.csv') as files:
        files.add(found)
    (entry,) = json.loads((tmp_path / 'p.json').read_text())
    assert [(t['label'], t['score']) for t in entry['top']] == found.top
    rows = (tmp_path / 'p.csv').read_text().splitlines()[1:]
    assert [row.split(',')[-1] for row in rows] == [
        f'{value:.6f}' for _, value in found.top
    ]


LISTED = dict(dataset=dict(metainfo=dict(classes='names.txt')))
LISTED['type'] = 'RepeatDataset'
WHERE = [
    dict(classes=NAMES),
    dict(dataset_meta=dict(classes=NAMES)),
    dict(metainfo=dict(classes=NAMES)),
    dict(label_map='names.txt'),
    dict(test_dataloader=dict(dataset=dict(metainfo=dict(classes=NAMES)))),
    dict(train_dataloader=dict(dataset=LISTED)),
]


@pytest.mark.parametrize('config', WHERE)
def test_names_of_classes_are_found(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'names.txt').write_text('\n'.join(NAMES))
    config = Config(config)
    assert class_names(config, {}, 4) == NAMES
    assert class_names(config, {}, None) == NAMES
    assert class_names(config, {}, 5) is None  # of another data set
    others = dict(dataset_meta=dict(classes=tuple('abcd')))
    assert class_names(config, others, 4) == list('abcd')
    for nothing in ({}, dict(dataset_meta=None), dict(dataset_meta='x')):
        assert class_names(Config(), nothing, 4) is None


def test_a_checkpoint_names_its_classes(trained, tmp_path):
    state = torch.load(trained.checkpoint, weights_only=True)
    state['meta'] = dict(dataset_meta=dict(classes=NAMES))
    torch.save(state, tmp_path / 'named.pth')
    args = trained.config, str(tmp_path / 'named.pth'), 'cpu'
    assert Classifier(*args).labels == NAMES
    assert Classifier(*args, list('abcd')).labels == list('abcd')


def test_an_adapter_file_names_its_classes(tmp_path, trunk, video):
    config = config_of('aim', trunk)
    path, _ = write_adapter(tmp_path, 'named', config, classes=NAMES)
    (found,) = Classifier(config, path, 'cpu').video(video)
    assert {name for name, _ in found.top} == set(NAMES)
