"""What a recognizer loses without time: figures, pictures, decoding."""

import json

import cv2
import decord
import pytest
import torch
from mmaction.registry import TRANSFORMS

from mmvidadapt.apis.inspect.temporal_dependency import (
    NORMAL,
    SHUFFLED,
    SINGLE,
    VARIANTS,
    Dependency,
    describe,
    measure_dependency,
    save_dependency,
    varied,
)
from mmvidadapt.apis.train.config import list_configs, load_config
from tests.apis.test_motion_report import checkpoint, config, root
from tests.tools.processes import call

__all__ = ['checkpoint', 'config', 'root']

LABELS = torch.tensor([0, 0, 1, 1, 1, 1, 3, 3])


@pytest.fixture
def known():
    """Half of class 1 needs all frames; class 3 profits from shuffling."""
    predicted = {
        NORMAL: torch.tensor([0, 0, 1, 1, 1, 1, 3, 0]),
        SINGLE: torch.tensor([0, 0, 1, 1, 0, 0, 3, 0]),
        SHUFFLED: torch.tensor([0, 3, 1, 1, 1, 1, 3, 3]),
    }
    return Dependency(LABELS, predicted, ['a', 'b', 'c', 'd'])


def test_figures(known):
    figures = known.figures()
    assert figures['clips'] == 8
    assert figures['top1'] == {NORMAL: 7 / 8, SINGLE: 5 / 8, SHUFFLED: 7 / 8}
    assert figures['drop'] == {SINGLE: 2 / 8, SHUFFLED: 0}
    assert figures['mean_class'] == pytest.approx(
        {NORMAL: 2.5 / 3, SINGLE: 2 / 3, SHUFFLED: 2.5 / 3}
    )
    assert list(figures['per_class']) == ['a', 'b', 'd']  # c has no clip
    assert figures['per_class']['b'] == dict(
        accuracy={NORMAL: 1, SINGLE: 0.5, SHUFFLED: 1},
        drop={SINGLE: 0.5, SHUFFLED: 0},
    )
    assert figures['per_class']['d']['drop'] == {SINGLE: 0, SHUFFLED: -0.5}


def test_what_is_printed(known):
    lines = describe(known, most=2).split('\n')
    assert lines[1].split() == ['normal', '87.5%', '83.3%']
    assert lines[2].split() == ['single', 'frame', '62.5%', '25.0', '66.7%']
    assert lines[4] == 'lose most, single frame: b (+50.0), a (+0.0)'
    assert lines[5] == 'lose most, shuffled: a (+50.0), b (+0.0)'


def test_files_are_written(known, tmp_path):
    figures, picture = save_dependency(known, tmp_path / 'new')
    assert json.loads(figures.read_text()) == known.figures()
    few = cv2.imread(str(picture))
    assert few.std() > 20
    names = [str(i) for i in range(300)]
    labels = torch.arange(300)
    many = Dependency(labels, dict.fromkeys(VARIANTS, labels), names)
    picture = save_dependency(many, tmp_path)[1]
    assert 300 < cv2.imread(str(picture)).shape[0] < 1500


def test_the_transforms_stand_where_they_must():
    names = ['DecordInit', 'SampleFrames', 'DecordDecode', 'Resize']
    steps = [dict(type=name) for name in names]
    names = [*names[:2], 'FreezeFrame', names[2], 'RepeatFrame', names[3]]
    assert [s['type'] for s in varied(steps, SINGLE)] == names
    freeze = dict(type='FreezeFrame', index='random', seed=3)
    assert varied(steps, SINGLE, 'random', 3)[2] == freeze
    assert varied(steps, NORMAL) == steps
    shuffled = varied(steps, SHUFFLED, seed=3)
    assert shuffled[2] == dict(type='ShuffleFrames', seed=3)
    assert [s['type'] for s in shuffled[3:]] == ['DecordDecode', 'Resize']
    with pytest.raises(ValueError, match='does not decode frames after'):
        varied(steps[:2], SINGLE)
    with pytest.raises(ValueError, match='chooses no frames'):
        varied(steps[2:], SINGLE)


def test_every_config_that_tests_videos_can_be_measured():
    measured = 0
    for name in list_configs():
        loader = load_config(name).get('test_dataloader')
        if loader is None:
            continue  # pretraining
        pipeline = loader.dataset.pipeline
        for variant, more in zip(VARIANTS, (0, 2, 1), strict=True):
            steps = varied(pipeline, variant)
            assert len(steps) == len(pipeline) + more, name
            assert all(s['type'] in TRANSFORMS for s in steps), name
        measured += 1
    assert measured > 30


def test_a_blind_model_loses_nothing_by_shuffling(
    root, checkpoint, monkeypatch
):
    decoded, get_batch = [], decord.VideoReader.get_batch

    def counted(self, indices):
        decoded.append(len(indices))
        return get_batch(self, indices)

    monkeypatch.setattr(decord.VideoReader, 'get_batch', counted)
    cfg = config(root, blind=True)
    result = measure_dependency(cfg, checkpoint(cfg), device='cpu')
    same = result.predicted[NORMAL] == result.predicted[SHUFFLED]
    assert same.all() and (result.predicted[NORMAL] > -1).all()
    assert result.predicted[NORMAL].unique().numel() > 1
    # Eight frames a clip, then one, then eight again.
    assert decoded == [8] * 20 + [1] * 20 + [8] * 20


def test_a_model_that_sees_differences_is_lost_on_one_frame(
    root, checkpoint, tmp_path, monkeypatch, capsys
):
    """Last frame minus first is zero: every clip gets the same label."""
    cfg = config(root, blind=False)
    cfg.dump(tmp_path / 'model.py')
    names = tmp_path / 'names.txt'
    names.write_text('\n'.join(f'motion {i}' for i in range(10)))
    args = (tmp_path / 'model.py', checkpoint(cfg), '--labels', names)
    args += ('--out', tmp_path / 'out', '--frame', '-1', '--device', 'cpu')
    call(monkeypatch, 'analysis/temporal_dependency.py', *args)
    printed = capsys.readouterr().out
    path = tmp_path / 'out' / 'temporal_dependency.json'
    figures = json.loads(path.read_text())
    assert figures['top1'][SINGLE] == 0.1  # one label for all ten motions
    assert f'{figures["top1"][NORMAL]:.1%}' in printed
    assert 'motion 9' in figures['per_class'] and figures['clips'] == 20


def test_bad_input_is_named(root, checkpoint, tmp_path):
    cfg = config(root, blind=True)
    with pytest.raises(ValueError, match='2 names of classes, but a class 9'):
        measure_dependency(cfg, checkpoint(cfg), 'cpu', classes=['a', 'b'])
    cfg.pop('test_dataloader')
    with pytest.raises(ValueError, match='no `test_dataloader`'):
        measure_dependency(cfg, 'none.pth')
