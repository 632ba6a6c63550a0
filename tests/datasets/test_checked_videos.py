"""Unreadable videos: replaced in training, wrong in evaluation, counted."""

import os
import shutil
from types import SimpleNamespace

import pytest
import torch
from mmaction.evaluation import AccMetric
from mmaction.registry import DATASETS
from mmengine.runner import Runner

from mmvidadapt.datasets import checked_videos, worker_state
from mmvidadapt.datasets.checked_videos import IN_A_ROW, UnreadableSample
from mmvidadapt.utils.video import VideoError
from tests import runs
from tests.trained import damage

OWN = dict(type='VideoInit', backend='auto'), dict(type='VideoDecode')
STOCK = dict(type='DecordInit'), dict(type='DecordDecode')
CLASSES = runs.NUM_CLASSES


@pytest.fixture
def folder(listing, tmp_path):
    """Eight clips; clip2 is damaged and clip5 is missing."""
    folder = tmp_path / 'clips'
    shutil.copytree(listing.parent, folder)
    damage(folder / 'clip2.mp4')
    (folder / 'clip5.mp4').unlink()
    return folder


def config(folder, random, decoding=None, **changes):
    described = runs.checked(folder / 'list.txt', random, **changes)
    for place, step in zip((0, 2), decoding or ()):
        described['pipeline'][place] = step
    return described


def build(*args, **kwargs):
    return DATASETS.build(config(*args, **kwargs))


@pytest.mark.parametrize('decoding', [OWN, STOCK], ids=['own', 'stock'])
def test_training_takes_others_and_logs_each_once(folder, logged, decoding):
    dataset = build(folder, True, decoding, max_bad_ratio=0.25)
    for _ in range(3):
        names = [dataset[i]['data_samples'].filename for i in range(8)]
        for i, name in enumerate(names):
            if i in (2, 5):
                assert name not in (dataset.path(2), dataset.path(5))
            else:
                assert name == dataset.path(i)
    lines = [line for line in logged if 'Unreadable' in line]
    assert len(lines) == 2 == dataset.ledger.count()
    assert lines[0].startswith(
        f'Unreadable video {folder}/clip2.mp4 (1 of 8 so far). It is replaced'
    )
    assert f'{folder}/clip5.mp4 (2 of 8 so far)' in lines[1]


def test_too_many_stop_the_run_and_are_named(folder):
    dataset = build(folder, True, max_bad_ratio=0.2)
    assert dataset.prepare_data(2) is None  # dataset[2] may draw clip 5
    with pytest.raises(VideoError) as error:
        dataset[5]
    message = str(error.value)
    assert message.startswith(f'2 of the 8 videos of {folder}/list.txt')
    assert 'more than max_bad_ratio=0.2' in message
    for number in (2, 5):
        assert f'\n  {folder}/clip{number}.mp4' in message
    assert build(folder, True).max_bad_ratio == 0.01
    with pytest.raises(ValueError, match='max_bad_ratio=1.5'):
        build(folder, True, max_bad_ratio=1.5)


def test_a_wrong_folder_stops_at_once(folder):
    dataset = build(
        folder, True, max_bad_ratio=1, data_prefix=dict(video='no/where')
    )
    with pytest.raises(VideoError, match=f'last of {IN_A_ROW + 1} videos in'):
        dataset[0]
    tested = build(folder, False, data_prefix=dict(video='no/where'))
    with pytest.raises(VideoError, match="data_prefix={'video': 'no/where'}"):
        tested[0]


def test_what_is_read_between_ends_a_row(folder, monkeypatch):
    monkeypatch.setattr(checked_videos, 'IN_A_ROW', 1)
    dataset = build(folder, True, max_bad_ratio=1)
    for _ in range(3):
        assert dataset.prepare_data(2) is None
        assert dataset.prepare_data(3) is not None
    assert dataset.prepare_data(2) is None
    with pytest.raises(VideoError, match='last of 2 videos in a row'):
        dataset.prepare_data(5)


def test_workers_tell_what_they_read_and_when_they_are_done(monkeypatch):
    info = SimpleNamespace(id=3)
    monkeypatch.setattr(worker_state, 'get_worker_info', lambda: info)
    seen = worker_state.WorkerState(9)
    with seen.reading(7):
        assert seen.last_read(os.getpid()) == 7
        assert seen.last_read(os.getpid() + 1) is None
    assert seen.last_read(os.getpid()) is None


def test_mistakes_of_a_pipeline_are_no_bad_videos(folder):
    described = config(folder, True, max_bad_ratio=1)
    described['pipeline'].insert(3, dict(type='Resize', scale=(-1, 'wide')))
    with pytest.raises(TypeError):
        DATASETS.build(described)[0]


@pytest.mark.parametrize('decoding', [OWN, STOCK], ids=['own', 'stock'])
def test_evaluation_keeps_them_with_label_and_name(folder, logged, decoding):
    dataset = build(folder, False, decoding)
    samples = [dataset[i]['data_samples'] for i in range(8)]
    for i, sample in enumerate(samples):
        assert sample.filename == dataset.path(i)
        assert sample.gt_label.tolist() == [i % CLASSES]
        assert ('reason' in sample.metainfo) == (i in (2, 5))
    damaged = f'{folder}/clip2.mp4 cannot be read as a video'
    assert decoding == STOCK or samples[2].reason.startswith(damaged)
    assert samples[2].reason
    assert 'clip5.mp4' in samples[5].reason
    assert dataset[2]['inputs'].shape == dataset[0]['inputs'].shape
    assert sum('It counts as wrong' in line for line in logged) == 2
    for i in (2, 5):  # pixels of the same video every time
        assert len({dataset[i]['inputs'].sum().item() for _ in range(6)}) == 1


def predicted(label, scores):
    sample = UnreadableSample().set_gt_label(label)
    return sample.set_pred_score(scores).set_pred_label(
        scores.argmax(-1, True)
    )


def test_no_prediction_makes_them_right():
    sure = torch.eye(6)
    for label in range(6):
        for scores in (sure[label], torch.full((6,), -50.0), 1 - sure[label]):
            sample = predicted(label, scores)
            assert sample.pred_label.item() != label
            assert sample.pred_score.topk(5).indices.ne(label).all()
    metric = AccMetric()
    for label in range(6):
        metric.process([], [predicted(label, sure[label]).to_dict()])
    found = metric.evaluate(6)
    assert found == dict.fromkeys(('acc/top1', 'acc/top5', 'acc/mean1'), 0)


def test_several_labels_and_unknown_ones():
    truth = torch.tensor([0.0, 1, 0, 1])
    assert predicted(truth, truth).pred_score[[1, 3]].eq(0).all()
    assert predicted(-1, truth).pred_score.gt(0).all()


def test_a_model_cannot_win_with_them(folder, tmp_path):
    """A model that knows every label by heart has 6 of 8 right."""
    recipe = runs.recipe(folder / 'list.txt', tmp_path / 'work', batch=3)
    recipe.test_dataloader.dataset = config(folder, False)
    recipe.test_dataloader.num_workers = 2
    runner = Runner.from_cfg(recipe)

    def by_heart(cls_scores, data_samples, **_):
        for sample in data_samples:
            score = torch.eye(CLASSES)[sample.gt_label.item()]
            sample.set_pred_score(score)
            sample.set_pred_label(score.argmax(-1, keepdim=True))
        return data_samples

    runner.model.cls_head.predict_by_feat = by_heart
    assert runner.test()['acc/top1'] == pytest.approx(6 / 8)


def test_resumed_and_uninterrupted_runs_replace_alike(folder, tmp_path):
    def weights(work, **changes):
        recipe = runs.recipe(
            folder / 'list.txt', work, random=True, workers=2, epochs=2
        )
        recipe.train_dataloader.dataset = config(
            folder, True, max_bad_ratio=0.5
        )
        recipe.merge_from_dict(changes)
        runs.train(recipe)
        return torch.load(work / 'epoch_2.pth', weights_only=True)

    whole = weights(tmp_path / 'work')
    (tmp_path / 'work/epoch_2.pth').unlink()
    again = weights(
        tmp_path / 'work',
        resume=True,
        load_from=str(tmp_path / 'work/epoch_1.pth'),
    )
    for name, value in whole['state_dict'].items():
        assert torch.equal(value, again['state_dict'][name]), name
