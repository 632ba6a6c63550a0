"""Several classifiers on one backbone, and how they are measured."""

import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import DATASETS, METRICS, MODELS
from mmaction.structures import ActionDataSample
from torch.testing import assert_close

from mmvidadapt.datasets.checked_videos import UnreadableSample

TASKS = dict(noun=4, verb=3)
LABELS = [[0, 2], [3, 1], [1, 0]]  # of noun and verb
TINY = dict(arch='tiny', img_size=32)
BACKBONES = {
    'AIM': dict(TINY, type='AIM', num_frames=4),
    'EVL': dict(TINY, type='EVL', num_frames=4, decoder_num_layers=2),
    'probe': dict(
        TINY,
        type='AttentiveProbe',
        num_frames=4,
        pooler=dict(num_layers=1, num_queries=2),
    ),
}


def build(**head):
    given = dict(num_classes=dict(verb=3, noun=4), in_channels=8)
    given['dropout_ratio'] = 0.0
    head = MODELS.build(dict(given, type='MultiTaskVideoHead', **head))
    torch.manual_seed(0)
    for param in head.parameters():
        torch.nn.init.normal_(param)
    return head


def samples(labels=LABELS):
    return [ActionDataSample().set_gt_label(label) for label in labels]


def logits_of(head, vectors):
    """Score a vector of every task, by hand."""
    return {
        task: F.linear(
            vectors[:, :, i],
            head.heads[task].fc_cls.weight,
            head.heads[task].fc_cls.bias,
        )
        for i, task in enumerate(TASKS)
    }


@pytest.mark.parametrize('queries', [1, 2])
def test_a_linear_layer_a_query_or_all_on_the_mean(queries):
    head, x = build(num_queries=queries), torch.randn(6, 8, 2, 1, 1)
    read = x[..., 0, 0]
    if queries == 1:
        read = read.mean(2, keepdim=True).expand(-1, -1, 2)
    wanted = logits_of(head, read)
    assert_close(head(x), wanted)
    found = head.predict(x, samples())  # two views of each of three videos
    for i, sample in enumerate(found):
        for j, (task, logits) in enumerate(wanted.items()):
            views = logits[2 * i : 2 * i + 2].softmax(-1).mean(0)
            assert_close(sample.pred_score[task], views)
            assert sample.pred_label[j] == views.argmax()


@pytest.mark.parametrize('loss', ['CrossEntropyLoss', 'mmpretrain.FocalLoss'])
def test_losses_of_what_is_known(loss):
    labels = [[-1, 2], [3, 1], [-1, 0]]
    head, x = build(loss_cls=dict(type=loss)), torch.randn(3, 8, 1, 1, 1)
    losses, scores = head.loss(x, samples(labels)), head(x)
    for j, (task, rows) in enumerate(dict(noun=[1], verb=[0, 1, 2]).items()):
        truth = torch.tensor([labels[i][j] for i in rows])
        wanted = F.cross_entropy(scores[task][rows], truth)
        if 'Focal' in loss:  # of sigmoids, 1708.02002, equation 5
            p = scores[task][rows].sigmoid()
            one = F.one_hot(truth, p.shape[1]).bool()
            p, share = torch.where(one, p, 1 - p), torch.where(one, 1, 3) / 4
            wanted = -(share * (1 - p) ** 2 * p.log()).mean()
        assert_close(losses[f'{task}_loss_cls'], wanted)
        top1 = (scores[task][rows].argmax(1) == truth).float().mean()
        assert_close(losses[f'{task}_top1_acc'].float(), top1)
    head.loss(x, samples([[-1, 0]] * 3))['noun_loss_cls'].backward()
    assert head.heads['noun'].fc_cls.weight.grad.eq(0).all()


def test_the_start_is_that_of_the_other_heads():
    torch.manual_seed(0)
    config = dict(
        type='MultiTaskVideoHead', num_classes=TASKS, in_channels=768
    )
    head = MODELS.build(dict(config, in_channels=768))
    head.init_weights()
    for part in head.heads.values():
        assert part.dropout.p == 0.5
        assert abs(part.fc_cls.weight.std() - 0.01) < 1e-3
        assert part.fc_cls.bias.eq(0).all()
    keys = {f'heads.{t}.fc_cls.{p}' for t in TASKS for p in ('weight', 'bias')}
    assert set(head.state_dict()) == keys


@pytest.mark.parametrize('name', BACKBONES)
def test_it_reads_every_backbone(name):
    head = dict(type='MultiTaskVideoHead', num_classes=TASKS, in_channels=32)
    head['num_queries'] = 2 if name == 'probe' else 1
    config = dict(backbone=BACKBONES[name], cls_head=head)
    model = MODELS.build(dict(config, type='Recognizer3D')).eval()
    video = torch.randn(2, 2, 3, 4, 32, 32)  # two views
    losses = model.loss(video[:, :1], samples(LABELS[:2]))
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    assert model.cls_head.heads['noun'].fc_cls.weight.grad.any()
    with torch.no_grad():
        for sample in model.predict(video, samples(LABELS[:2])):
            for task, number in TASKS.items():
                assert sample.pred_score[task].shape == (number,)
                assert_close(sample.pred_score[task].sum(), torch.tensor(1.0))


@pytest.mark.parametrize(
    ('head', 'shape', 'labels', 'words'),
    [
        (dict(num_queries=3), (), [], 'give 1, or one for each of the 2'),
        (dict(num_classes=5), (), [], 'a number of classes for each task'),
        (dict(num_queries=2), (1, 1, 1), [], 'pooler.num_queries=2'),
        (dict(num_queries=2), (2, 7, 7), [], r'not \(B, C, 2, 1, 1\)'),
        ({}, (1, 1, 1), [[1]] * 3, r"set tasks=\('noun', 'verb'\)"),
    ],
)
def test_mistakes_say_the_way_out(head, shape, labels, words):
    with pytest.raises(ValueError, match=words):
        build(**head).loss(torch.randn(3, 8, *shape), samples(labels))


def results(labels, scores):
    """Give samples as the metric gets them."""
    for label, verbs, nouns in zip(labels, *scores):
        found = ActionDataSample().set_gt_label(label)
        found.set_pred_score(dict(verb=verbs, noun=nouns))
        yield found.to_dict()


def test_accuracies_of_every_task():
    labels = [[0, 0], [0, 1], [0, 2], [1, -1]]
    verbs = torch.eye(3)[[0, 0, 2, 2]]  # one of three and none of one
    nouns = torch.tensor([[4.0, 3, 2, 1]] * 4)
    metric = METRICS.build(dict(type='MultiTaskMetric', topk=(1, 2)))
    metric.process([], [*results(labels, (verbs, nouns))])
    found = metric.evaluate(4)
    assert found == pytest.approx(
        {
            'acc/verb_top1': 2 / 4,
            'acc/verb_mean1': 2 / 3 / 2,  # no clip of the third class
            'acc/verb_top2': found['acc/verb_top2'],  # of ties
            'acc/verb_mean2': found['acc/verb_mean2'],
            'acc/noun_top1': 1 / 3,
            'acc/noun_mean1': 1 / 3,
            'acc/noun_top2': 2 / 3,
            'acc/noun_mean2': 2 / 3,
        }
    )
    one = ActionDataSample().set_gt_label(1).set_pred_score([0.5, 0.5])
    with pytest.raises(ValueError, match='MultiTaskVideoHead.* or AccMetric'):
        metric.process([], [one.to_dict()])


def test_an_unreadable_video_is_wrong_in_every_task():
    sample = UnreadableSample().set_gt_label([2, -1])
    sure = dict(verb=torch.eye(3)[2], noun=torch.eye(4)[1])
    sample.set_pred_score(sure).set_pred_label(torch.tensor([2, 1]))
    assert_close(sample.pred_score['verb'], torch.tensor([0.5, 0.5, 0]))
    assert_close(sample.pred_score['noun'], torch.full((4,), 1 / 3))
    assert sample.pred_label[0] != 2


def dataset(tmp_path, text, **options):
    path = tmp_path / 'list.txt'
    path.write_text(text)
    kind = dict(
        type='CheckedVideoDataset', tasks=('verb', 'noun'), pipeline=[]
    )
    options['tasks'] = ('verb', 'noun')
    return DATASETS.build(dict(kind, ann_file=str(path), **options))


def test_lists_have_a_label_for_every_task(tmp_path):
    data = dataset(tmp_path, 'a 1 2.mp4 2 0\nb 7 1 -1\n')
    assert [data.path(i) for i in (0, 1)] == ['a 1 2.mp4', 'b 7']
    assert [data.get_data_info(i)['label'] for i in (0, 1)] == [
        [0, 2],  # of noun and verb
        [-1, 1],
    ]
    assert [data.get_cat_ids(i) for i in (0, 1)] == [[0], []]
    data.check_labels(TASKS)
    for wrong, words in (
        (dict(noun=4), 'the same tasks'),
        (3, 'the same tasks'),
        (dict(verb=2, noun=4), 'line 1: .*labels 2, 0 are not in 0 to 1, 0 t'),
    ):
        with pytest.raises(ValueError, match=words):
            data.check_labels(wrong)
    with pytest.raises(ValueError, match="line 2: 'b 1': no 2 labels behind"):
        dataset(tmp_path, 'a 2 0\nb 1\n')
    with pytest.raises(ValueError, match='multi_class=True any number'):
        dataset(tmp_path, 'a 2 0\n', multi_class=True)
    with pytest.raises(ValueError, match='no labels to learn from'):
        dataset(tmp_path, 'a\nb\n').check_labels(TASKS)
