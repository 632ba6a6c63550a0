"""Fine-tuning from BEVT: the whole recogniser is the official one."""

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

from tests.golden import assert_gradients, assert_output, goldens, load_golden
from tests.methods.bevt_samples import plain_arch


def recogniser(golden):
    """Build the recogniser of a golden, with its weights."""
    meta, video = golden['meta'], golden['input']
    model = MODELS.build(
        dict(
            type='Recognizer3D',
            backbone=dict(
                type='BEVTVideoSwin',
                **plain_arch(meta['kwargs']),
                img_size=tuple(video.shape[-2:]),
                num_frames=video.shape[3],
            ),
            cls_head=dict(
                type='Float32I3DHead',
                num_classes=meta['num_classes'],
                in_channels=golden['output']['feat'].shape[1],
                dropout_ratio=meta['dropout_ratio'],
                label_smooth_eps=meta['label_smoothing'],
                average_clips='prob',
            ),
        )
    )
    model.load_state_dict(golden['state_dict'], strict=True)
    return model.to(video.dtype)


@pytest.mark.parametrize('path', goldens('bevt_finetune_*.pt'))
def test_a_step_is_the_official_one(path):
    golden = load_golden(path)
    model = recogniser(golden).train()
    features = model.backbone(golden['input'][:, 0])
    assert_output(features, golden['output']['feat'])
    samples = []
    for label in golden['label'].flatten():
        samples.append(ActionDataSample().set_gt_label(int(label)))
    loss = model(golden['input'], samples, mode='loss')['loss_cls']
    assert loss.item() == pytest.approx(golden['output']['loss_cls'], abs=1e-5)
    loss.backward()
    last = model.backbone.last_norm
    grads = {
        name.replace('backbone.norm.', f'backbone.{last}.'): grad
        for name, grad in golden['grads'].items()
    }
    assert_gradients(model, grads)


@pytest.mark.parametrize('path', goldens('bevt_finetune_*.pt'))
def test_views_are_averaged_as_in_the_official_code(path):
    golden = load_golden(path)
    model, views = recogniser(golden).eval(), golden['views']
    samples = [ActionDataSample() for _ in views]
    with torch.no_grad():
        predicted = model(views, samples, mode='predict')
    scores = torch.stack([sample.pred_score for sample in predicted])
    assert_output(scores, golden['output_views'])
