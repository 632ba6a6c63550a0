"""Every config: reads a video; every row of a paper: trains what it says."""

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmcv.transforms import Compose
from mmengine.optim import build_optim_wrapper

from mmvidadapt.apis.inspect.complexity import clip_shape
from mmvidadapt.trunks.dialects import ARCHS
from mmvidadapt.trunks.follow_trunk import follow_trunk
from mmvidadapt.utils.video import write_video
from tests.test_every_config import (
    PIPELINES,
    ROWS,
    every,
    every_row,
    frames_of,
    load,
)


@pytest.fixture(scope='module')
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp('video') / 'clip.mp4'
    image = np.random.default_rng(0).integers(
        0, 256, (48, 64, 3), dtype=np.uint8
    )
    write_video(path, [np.roll(image, i, 1) for i in range(40)], fps=10)
    return path


@every
def test_a_video_passes_the_pipelines(path, video):
    cfg = load(path)
    size = clip_shape(cfg)[-1]
    for key in set(PIPELINES) & set(cfg):
        clips = cfg[key][1].get('num_clips', 1) * (
            3 if 'ThreeCrop' in str(cfg[key]) else 1
        )
        data = Compose(cfg[key])(
            dict(filename=str(video), label=1, start_index=0, modality='RGB')
        )
        assert data['inputs'].shape[:2] == (clips, 3)
        assert data['inputs'].shape[-2:] == (size, size)
        if path in ROWS:
            assert data['inputs'].shape[2] == frames_of(cfg)
            # NonFiniteLossHook names the clips by it.
            assert data['data_samples'].filename == str(video)


def reduced(cfg):
    """The same recipe for a model of two small layers."""
    follow_trunk(cfg.model)
    arch = 'tiny'
    if 'shifts' in cfg.model.backbone:  # a head for each of them
        arch = dict(ARCHS['tiny'], num_heads=8)
    cfg.model.backbone.update(arch=arch, img_size=32, pretrained=None)
    cfg.model.backbone.pop('trunk', None)
    for depth in ('decoder_num_layers', 'temporal_num_layers'):
        if cfg.model.backbone.get(depth):
            cfg.model.backbone[depth] = 2
    if 'num_classes' in cfg.model.data_preprocessor.get('blending', {}):
        cfg.model.data_preprocessor.blending.num_classes = 5
    cfg.optim_wrapper.pop('accumulative_counts', None)
    if 'out_indices' in cfg.model.backbone:
        cfg.model.backbone.out_indices = (0, -1)
    clips = torch.zeros(*clip_shape(cfg))
    channels = MODELS.build(cfg.model.backbone)(clips).shape[1]
    tasks = cfg.model.cls_head.num_classes
    classes = dict.fromkeys(tasks, 5) if isinstance(tasks, dict) else 5
    cfg.model.cls_head.update(in_channels=channels, num_classes=classes)
    return cfg


@every_row
def test_one_training_step(path):
    torch.manual_seed(0)
    cfg = reduced(load(path))
    model = MODELS.build(cfg.model).train()
    cfg.optim_wrapper.optimizer.lr = 0.1
    optimizer = build_optim_wrapper(model, cfg.optim_wrapper)
    shape = clip_shape(cfg)  # of one view
    clips = [torch.randint(256, shape, dtype=torch.uint8) for _ in range(2)]
    for param in model.parameters():
        if not (param.requires_grad or param.any()):  # biases as if trained
            torch.nn.init.normal_(param, std=0.02)
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    for _ in range(4):  # new adapters end in zeros, and some feed others
        classes = cfg.model.cls_head.num_classes
        tasks = len(classes) if isinstance(classes, dict) else 1
        labels = [ActionDataSample().set_gt_label([i] * tasks) for i in (0, 4)]
        data = dict(inputs=clips, data_samples=labels)  # blending mixes them
        losses = model.train_step(data, optimizer)
    assert torch.isfinite(losses['loss'])
    for name, param in model.named_parameters():
        same = torch.equal(param, before[name])
        assert same != param.requires_grad, name
    optimized = {
        p for g in optimizer.optimizer.param_groups for p in g['params']
    }
    assert optimized == {p for p in model.parameters() if p.requires_grad}
