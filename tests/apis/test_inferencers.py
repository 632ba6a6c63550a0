"""mmaction2's own inferencer classifies with a config of ours."""

import pytest
import torch
from mmaction.apis import MMAction2Inferencer
from mmaction.registry import MODELS
from mmengine.config import Config

from mmvidadapt.apis.train.config import flatten
from mmvidadapt.apis.use.inference import Classifier

LABELS = ['run', 'jump', 'swim', 'fly']
TINY = {
    'model.backbone.arch': 'tiny',
    'model.backbone.img_size': 32,
    'model.backbone.pretrained': None,
    'model.cls_head.in_channels': 32,
    'model.cls_head.num_classes': len(LABELS),
    'test_dataloader.dataset.pipeline.3.scale': (-1, 32),
    'test_dataloader.dataset.pipeline.4.crop_size': 32,
    'test_pipeline.3.scale': (-1, 32),
    'test_pipeline.4.crop_size': 32,
}


def test_the_inferencer_agrees_with_ours(trained, tmp_path):
    flat = tmp_path / 'flat.py'
    flat.write_text(flatten('aim/vitb16_k400', TINY))
    config = Config.fromfile(flat)
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    weights = str(tmp_path / 'model.pth')
    torch.save(dict(state_dict=model.state_dict(), meta={}), weights)
    (tmp_path / 'labels.txt').write_text('\n'.join(LABELS))
    video = str(trained.folder / 'videos/long.mp4')

    (expected,) = Classifier(config, weights, 'cpu', LABELS).video(video)
    inferencer = MMAction2Inferencer(
        str(flat), weights, 'cpu', str(tmp_path / 'labels.txt')
    )
    (found,) = inferencer(video)['predictions']
    scores = dict(zip(LABELS, found['rec_scores'][0]))
    assert scores == pytest.approx(dict(expected.top), abs=1e-5)
    best = found['rec_labels'][0][0]
    assert LABELS[best] == expected.top[0][0]
