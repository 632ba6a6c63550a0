"""AIM: the four tests of a method, ablations and the recognizer."""

import copy

import pytest
import torch
from mmaction.registry import MODELS
from torch.testing import assert_close

from mmvidadapt.models import AIM, ImageViT
from mmvidadapt.weights import rename_official_
from tests.golden import assert_gradients, assert_output, goldens, load_golden
from tests.methods.cases.aim import aim_of
from tests.reference.plain_aim import PlainAIM

VIDEO = (2, 3, 4, 16, 24)  # (B, 3, T, H, W)
ABLATIONS = {
    'no_temporal': ('spatial', 'joint'),
    'no_spatial': ('temporal', 'joint'),
    'no_joint': ('spatial', 'temporal'),
    'spatial_only': ('spatial',),
    'spatial_temporal': ('spatial', 'temporal'),
    'none': (),
}


def tiny_aim(**kwargs):
    torch.manual_seed(0)
    return AIM(
        **{**dict(arch='tiny', img_size=VIDEO[-2:], num_frames=4), **kwargs}
    )


def randomize_trained(module):
    for param in module.parameters():
        if param.requires_grad:
            torch.nn.init.normal_(param, std=0.1)


def renamed(state_dict, prefix=''):
    state_dict = dict(state_dict)
    rename_official_(state_dict, prefix)
    return state_dict


def renamed_gradients(golden, prefix=''):
    """Names are recognised as a whole: fill in what has no gradient."""
    whole = {
        name: golden['grads'].get(name, torch.full_like(value, torch.nan))
        for name, value in golden['state_dict'].items()
    }
    return {
        name: grad
        for name, grad in renamed(whole, prefix).items()
        if not grad.isnan().any()
    }


@pytest.mark.parametrize('dialect', ['clip', 'imagenet'])
def test_new_adapters_leave_the_image_model_unchanged(dialect):
    aim = tiny_aim(dialect=dialect).eval()
    vit = ImageViT(arch='tiny', dialect=dialect, img_size=VIDEO[-2:]).eval()
    trunk = {
        k: v for k, v in aim.state_dict().items() if k in vit.state_dict()
    }
    vit.load_state_dict(trunk)
    video = torch.randn(VIDEO)
    assert_close(aim(video), vit(video))


@pytest.mark.parametrize(
    'path', goldens('aim_vit_clip_*.pt') + goldens('aim_vit_imagenet_*.pt')
)
def test_switched_off_adaptations_match_the_official_code(path):
    golden = load_golden(path)
    if 'ablation_outputs' not in golden:
        pytest.skip('this golden has no ablations')
    assert set(golden['ablation_outputs']) <= set(ABLATIONS)
    for name, expected in golden['ablation_outputs'].items():
        aim = aim_of(golden, adapt=ABLATIONS[name])
        weights = renamed(golden['state_dict'])
        wanted = {k: weights[k] for k in aim.state_dict()}
        aim.load_state_dict(wanted, strict=True)
        assert_output(aim(golden['input']), expected)


@pytest.mark.parametrize('path', goldens('aim_recognizer_*.pt'))
def test_recognizer_loss_and_views_match_the_official_code(path):
    golden = load_golden(path)
    kwargs = golden['meta']['kwargs']
    backbone = copy.deepcopy(kwargs['backbone'])
    head = dict(kwargs['cls_head'], type='Float32I3DHead')
    views = kwargs['test_cfg']
    head['average_clips'] = views['average_clips']
    model = MODELS.build(
        dict(
            type='Recognizer3D',
            backbone=dict(
                type='AIM',
                arch=dict(
                    embed_dims=backbone['width'],
                    num_layers=backbone['layers'],
                    num_heads=backbone['heads'],
                    patch_size=backbone['patch_size'],
                ),
                img_size=backbone['input_resolution'],
                num_frames=backbone['num_frames'],
                adapter_scale=backbone['adapter_scale'],
            ),
            cls_head=head,
            test_cfg=dict(max_testing_views=views['max_testing_views']),
        )
    )
    model.load_state_dict(golden['state_dict'], strict=True)
    model.eval()

    from mmaction.structures import ActionDataSample

    sample = ActionDataSample().set_gt_label(0)
    predicted = model(golden['input'], [sample], mode='predict')[0]
    assert_output(predicted.pred_score[None], golden['output'])

    labels = golden['train_label'].flatten().tolist()
    samples = [ActionDataSample().set_gt_label(label) for label in labels]
    loss = model(golden['train_input'], samples, mode='loss')['loss_cls']
    assert_output(loss, golden['train_loss'])
    loss.backward()

    assert_gradients(model, renamed_gradients(golden, 'backbone.'))


@pytest.mark.parametrize('num_t_adapters', [1, 2])
@pytest.mark.parametrize('dialect', ['clip', 'imagenet'])
def test_equals_the_plain_restatement(dialect, num_t_adapters):
    aim = tiny_aim(dialect=dialect, num_t_adapters=num_t_adapters, img_size=16)
    randomize_trained(aim)
    plain = PlainAIM(
        embed_dims=32,
        num_layers=2,
        num_heads=2,
        patch_size=8,
        img_size=16,
        num_frames=4,
        num_t_adapters=num_t_adapters,
        dialect=dialect,
    )
    plain.load_state_dict(aim.state_dict())
    video = torch.randn(2, 3, 4, 16, 16)
    results = []
    for model in (aim, plain):
        output = model(video)
        output.square().mean().backward()
        grads = {
            name: param.grad
            for name, param in model.named_parameters()
            if param.requires_grad
        }
        results.append((output, grads))
    assert_close(*results, rtol=1e-4, atol=1e-5)
