"""The report on frame order: figures, sentence, picture, transforms."""

import json

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import MODELS, TRANSFORMS
from mmengine.config import Config

from mmvidadapt.apis.inspect import motion_report
from mmvidadapt.apis.inspect.motion_report import (
    describe,
    reordered,
    report_motions,
    save_report,
    summarize,
)
from mmvidadapt.datasets.motion_clips import render_motion_clips
from mmvidadapt.datasets.motion_scenes import MOTIONS, partner

LABELS = torch.arange(10).repeat(2)


def guess(labels):
    """Be right in every first clip, and name the partner in the others."""
    wrong = torch.arange(len(labels)) >= len(labels) // 2
    return torch.where(wrong, partner(labels), labels)


@MODELS.register_module()
class PixelsOfTest(torch.nn.Module):
    """Last frame minus first frame, or, blind to order, the mean frame."""

    def __init__(self, blind):
        super().__init__()
        self.blind = blind
        self.fc = torch.nn.Linear(3 * 16 * 16, 32)

    def forward(self, video):  # (B, 3, T, H, W)
        x = video.mean(2) if self.blind else video[:, :, -1] - video[:, :, 0]
        x = self.fc((x - x.mean((2, 3), True)).flatten(1))
        return x[:, :, None, None, None]


def of_model(plain, backwards):
    said = dict(plain=plain, shuffled=guess(LABELS), reversed=backwards)
    return summarize(LABELS, said)


def config(root, blind):
    pipeline = [
        dict(type='DecordInit'),
        dict(type='MidpointUniformSample', clip_len=8, test_mode=True),
        dict(type='DecordDecode'),
        dict(type='Resize', scale=(16, 16), keep_ratio=False),
        dict(type='FormatShape', input_format='NCTHW'),
        dict(type='PackActionInputs'),
    ]
    head = dict(type='Float32I3DHead', num_classes=10, in_channels=32)
    pixels = dict(mean=[60.0] * 3, std=[60.0] * 3, format_shape='NCTHW')
    model = dict(
        type='Recognizer3D',
        backbone=dict(type='PixelsOfTest', blind=blind),
        cls_head=dict(head, average_clips='prob'),
        data_preprocessor=dict(pixels, type='ActionDataPreprocessor'),
    )
    dataset = dict(
        type='VideoDataset',
        ann_file=str(root / 'motion_val.txt'),
        data_prefix=dict(video=str(root)),
        pipeline=pipeline,
        test_mode=True,
    )
    cfg = Config(dict(default_scope='mmaction', model=model))
    cfg.test_pipeline = pipeline
    cfg.test_dataloader = dict(batch_size=4, dataset=dataset)
    return cfg


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp('clips')
    return render_motion_clips(folder, num_train=10, num_val=20, side=32)


@pytest.fixture
def checkpoint(tmp_path):
    """Save a random recognizer."""

    def save(cfg):
        torch.manual_seed(0)
        model = MODELS.build(cfg.model)
        model.init_weights()
        torch.nn.init.normal_(model.cls_head.fc_cls.weight)
        torch.save(dict(state_dict=model.state_dict()), tmp_path / 'model.pth')
        return str(tmp_path / 'model.pth')

    return save


def test_a_model_that_sees_motion():
    report = of_model(LABELS, partner(LABELS))
    assert report.accuracy == dict(plain=1, shuffled=0.5, reversed=0)
    assert (report.within_pair, report.flipped) == (1, 1)
    assert torch.equal(report.confusion, 2 * torch.eye(10, dtype=torch.long))
    assert 'The model sees motion: played backwards, 100%' in describe(report)


def test_a_model_that_is_blind_to_order():
    report = of_model(guess(LABELS), guess(LABELS))
    assert report.accuracy == dict(plain=0.5, shuffled=0.5, reversed=0.5)
    assert (report.within_pair, report.flipped) == (0.5, 0.5)
    assert '(nearly) blind to the order' in describe(report)


def test_the_pair_counts_before_the_motion():
    plain = LABELS.clone()
    plain[:5] = (LABELS[:5] + 2) % 10  # another pair
    plain[5] = partner(LABELS[5])
    report = of_model(plain, plain)
    assert report.accuracy['plain'] == 14 / 20
    assert report.within_pair == pytest.approx(14 / 15)
    assert report.flipped == 1 / 20
    rows = dict(
        line.rsplit(None, 1)
        for line in describe(report).split('\n')
        if line.endswith('%')
    )
    assert rows['plain frames'] == '70.0%'
    assert rows['within the right pair'] == '93.3%'
    assert rows["reversed, partner's label"] == '5.0%'


def test_other_classes_are_refused():
    with pytest.raises(ValueError, match='class 10, but only 10 motions'):
        of_model(LABELS + 1, LABELS)


def test_a_blind_model_is_measured_as_blind(root, checkpoint):
    cfg = config(root, blind=True)
    report = report_motions(cfg, checkpoint(cfg), device='cpu')
    top1 = report.accuracy
    assert top1['plain'] == top1['shuffled'] == top1['reversed']
    assert report.confusion.sum() == 20
    assert (report.confusion.sum(1) == 2).all()
    assert report.confusion.sum(0).count_nonzero() > 1  # not one answer


def test_the_frames_of_every_order_reach_the_model(root, checkpoint):
    """What it says of reversed clips is computed by hand, too."""
    cfg = config(root, blind=False)
    path = checkpoint(cfg)
    model = motion_report.init_recognizer(cfg, device='cpu')
    motion_report.load_strictly(model, path)
    labels, backwards = motion_report.predict(model, cfg, 'reversed')
    dataset = motion_report.DATASETS.build(cfg.test_dataloader.dataset)
    expected = []
    for sample in dataset:
        sample['inputs'] = sample['inputs'].flip(2)  # (views, 3, T, H, W)
        batch = {key: [value] for key, value in sample.items()}
        expected.append(model.test_step(batch)[0].pred_score.argmax())
    assert backwards.tolist() == torch.stack(expected).tolist()
    listed = [int(entry['label']) for entry in dataset.load_data_list()]
    assert labels.tolist() == listed
    plain = motion_report.predict(model, cfg, 'plain')[1]
    shuffled = motion_report.predict(model, cfg, 'shuffled')[1]
    assert plain.tolist() != backwards.tolist()
    assert plain.tolist() != shuffled.tolist()


def test_frames_are_reordered_after_decoding():
    steps = [dict(type=t) for t in ('DecordInit', 'DecordDecode', 'Resize')]
    names = [s['type'] for s in reordered(steps, 'reversed')]
    assert names == ['DecordInit', 'DecordDecode', 'ReverseFrames', 'Resize']
    assert reordered(steps, 'plain') == steps
    with pytest.raises(ValueError, match='decodes no video'):
        reordered(steps[:1], 'reversed')


def test_clips_of_a_video_are_reordered_one_by_one():
    results = dict(imgs=list(range(8)), clip_len=4, filename='a.mp4')
    turned = TRANSFORMS.build(dict(type='ReverseFrames'))(dict(results))
    assert turned['imgs'] == [3, 2, 1, 0, 7, 6, 5, 4]
    shuffle = TRANSFORMS.build(dict(type='ShuffleFrames', seed=0))
    first = shuffle(dict(results))['imgs']
    assert sorted(first[:4]) == [0, 1, 2, 3]
    assert sorted(first[4:]) == [4, 5, 6, 7]
    assert [i + 4 for i in first[:4]] != first[4:]  # each its own order


@pytest.mark.parametrize('kind', ['ShuffleFrames', 'ReverseFrames'])
def test_frames_may_be_reordered_before_they_are_decoded(kind):
    """Shuffled numbers of frames are the shuffled frames."""
    inds = np.arange(10, 34).reshape(3, 8)
    sampled = dict(frame_inds=inds, clip_len=8, filename='a.mp4')
    options = dict(seed=3) if kind == 'ShuffleFrames' else {}
    step = TRANSFORMS.build(dict(type=kind, **options))
    early = step(dict(sampled))['frame_inds']
    late = step(dict(sampled, imgs=inds.flatten().tolist()))
    assert early.shape == inds.shape
    assert early.flatten().tolist() == late['imgs']
    assert np.array_equal(np.sort(early, axis=1), inds)
    assert not np.array_equal(early, inds)
    assert late['frame_inds'] is inds  # the frames moved, not their numbers


def test_shuffling_is_a_function_of_seed_and_file():
    def order(seed, name):
        step = TRANSFORMS.build(dict(type='ShuffleFrames', seed=seed))
        data = dict(imgs=list(range(16)), clip_len=16, filename=name)
        return step(data)['imgs']

    assert order(0, 'a') == order(0, 'a') == order(0, 'elsewhere/a')
    assert order(0, 'a') != order(0, 'b') != order(1, 'b')
    np.random.seed(0)
    assert order(None, 'a') != order(None, 'a')


def test_figures_and_picture_are_written(tmp_path):
    report = of_model(LABELS, partner(LABELS))
    figures, picture = save_report(report, tmp_path / 'new')
    top1 = dict(plain_top1=1.0, shuffled_top1=0.5, reversed_top1=0.0)
    wanted = dict(top1, within_pair=1.0, reversed_as_partner=1.0)
    assert json.loads(figures.read_text()) == wanted
    image = cv2.imread(str(picture))
    assert min(image.shape[:2]) > 400 and image.std() > 20
    assert len(MOTIONS) == 10
