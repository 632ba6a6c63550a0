"""The evidence on real gestures: scenes apart, a model for every row."""

import csv
import runpy
from argparse import Namespace

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope

from mmvidadapt.apis.inspect.complexity import count_flops
from tests.golden import ROOT

TOOL = runpy.run_path(str(ROOT / 'tools/evidence/gestures.py'))
ROWS = TOOL['ROWS']


@pytest.fixture
def args(tmp_path):
    """Write a list of clips; give what the command line would."""
    with open(tmp_path / 'clips.csv', 'w', newline='') as file:
        rows = csv.writer(file)
        rows.writerow(['file', 'label', 'scene'])
        rows.writerows([f'{i}.mp4', i % 3, i % 8] for i in range(24))
        rows.writerow(['24.mp4', 'other', 0])
    return Namespace(data=tmp_path, out=tmp_path, seed=3, cfg_options=None)


def test_no_scene_is_on_both_sides(args):
    TOOL['split_by_scene'](args.data / 'clips.csv', args.out, 4, 1)
    sides = [
        [line.split() for line in (args.out / side).read_text().splitlines()]
        for side in ('train.txt', 'val.txt')
    ]
    scenes = [{int(name[:-4]) % 8 for name, _ in side} for side in sides]
    assert scenes == [{0, 2, 3, 4, 6, 7}, {1, 5}]
    assert sum(map(len, sides)) == 24  # none of the label 'other'
    for name, label in sum(sides, []):
        assert int(label) == int(name[:-4]) % 3


@pytest.mark.parametrize('name', ROWS)
def test_every_row_is_a_model_on_the_same_trunk(args, name):
    init_default_scope('mmaction')
    cfg = TOOL['configure'](args, name)
    assert cfg.randomness.seed == 3
    assert cfg.train_cfg.max_epochs == 40
    pretrained = cfg.model.backbone.pretrained
    assert pretrained.startswith(f'{args.data}/weights/dinov2_vits14')
    assert cfg.test_dataloader.dataset.ann_file == f'{args.out}/val.txt'
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
    frames = cfg.test_pipeline[1].clip_len
    size = cfg.test_pipeline[3].scale
    assert count_flops(model, (1, 3, frames, *size)) > 1e9
    assert cfg.model.cls_head.num_classes == 10


def test_each_path_of_dualpath_has_a_row(args):
    rows = [name for name in ROWS if name.startswith('DualPath')]
    paths = [
        TOOL['configure'](args, name).model.backbone.get('paths')
        for name in rows
    ]
    assert paths == [None, ('temporal',), ('spatial',)]


def test_frames_are_shuffled_in_testing_only(args):
    cfg = TOOL['configure'](args, 'AIM')
    steps = [s['type'] for s in TOOL['shuffled'](cfg).dataset.pipeline]
    assert steps[3] == 'ShuffleFrames'
    assert 'ShuffleFrames' not in str(cfg)
