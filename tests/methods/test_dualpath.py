"""DualPath: tests of a method, wrong arguments, the head."""

import re

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch.testing import assert_close

from mmvidadapt.methods.dualpath.backbone import VARIANTS
from mmvidadapt.methods.dualpath.block import split_paths
from mmvidadapt.models import AIM, DualPath, ImageViT

VIDEO = (2, 3, 16, 16, 16)  # (B, 3, T, H, W)
SMALL = dict(bottleneck=8, dropout=0.1, train_positions=False)
VARIANT = {
    'paper': dict(SMALL, temporal_pre_adapter=False, separate_cls=True),
    'paper-ssv2': dict(SMALL, temporal_pre_adapter=True, separate_cls=True),
    'official': VARIANTS['official'],
}
PATHS = [('temporal', 'spatial'), ('temporal',), ('spatial',)]
every_variant = pytest.mark.parametrize('variant', VARIANT)
every_paths = pytest.mark.parametrize('paths', PATHS)


def tiny(variant='paper', **kwargs):
    torch.manual_seed(0)
    given = dict(arch='tiny', img_size=16, num_frames=16, output_dims=12)
    return DualPath(variant=VARIANT[variant], **{**given, **kwargs})


def randomize(module, trained_only=True):
    for param in module.parameters():
        if param.requires_grad or not trained_only:
            torch.nn.init.normal_(param, std=0.2)


def names_of(adapters):
    return {
        f'transformer.resblocks.{i}.{adapter}.{fc}.{p}'
        for i in (0, 1)
        for adapter in adapters
        for fc in ('down', 'up')
        for p in ('weight', 'bias')
    }


@every_variant
def test_new_adapters_leave_clip_unchanged(variant):
    """In space the image model, in time nothing but the norms."""
    dual = tiny(variant, output_dims=None).eval()
    vit = ImageViT(arch='tiny', img_size=16).eval()
    own = dual.state_dict()
    vit.load_state_dict({k: own[k] for k in vit.state_dict()})
    video = torch.randn(VIDEO)
    temporal, spatial = dual(video).flatten(1).chunk(2, dim=1)
    assert_close(spatial, vit(video[:, :, ::2]).mean(2).flatten(1))
    x, _ = split_paths(dual.embed(video), dual.images)
    assert_close(temporal, dual.ln_post(dual.ln_pre(x[:, 0])))


@every_paths
@every_variant
def test_only_what_is_new_is_trained(variant, paths):
    dual = tiny(variant, paths=paths)
    wanted = set()
    if 'temporal' in paths:
        wanted |= names_of(['t_adapter_attn', 't_adapter_mlp'])
        wanted |= {'spatial_positional_embedding'}
        if variant != 'paper':
            wanted |= names_of(['t_adapter_attn_b'])
    if 'spatial' in paths:
        wanted |= names_of(['s_adapter_attn', 's_adapter_mlp'])
        if variant == 'official':
            wanted |= {'positional_embedding'}
    wanted |= {'class_embedding'}
    if len(paths) == 2 and variant != 'official':
        wanted |= {'temporal_class_embedding'}
    assert {n for n, p in dual.named_parameters() if p.requires_grad} == wanted


@pytest.mark.parametrize('full_finetune', [False, True])
@every_paths
@every_variant
def test_gradients_reach_exactly_what_is_trained(
    variant, paths, full_finetune
):
    dual = tiny(variant, paths=paths, full_finetune=full_finetune)
    randomize(dual)  # zero-initialised adapters would hide errors
    dual(torch.randn(VIDEO)).square().mean().backward()
    for name, param in dual.named_parameters():
        learns = param.grad is not None and bool(param.grad.any())
        assert learns == param.requires_grad, name


def test_fewer_images_pass_the_trunk_than_with_aim():
    seen = []
    models = [tiny(), AIM(arch='tiny', img_size=16, num_frames=16)]
    for model in models:
        for block in model.transformer.resblocks:
            block.register_forward_pre_hook(
                lambda _, args: seen.append(len(args[0]))
            )
        model(torch.randn(VIDEO))
    assert seen[0] / seen[2] == (8 + 1) / 16
    assert seen == [2 * 9] * 2 + [2 * 16] * 2  # every block, all at once


@pytest.mark.parametrize(
    'wrong,message',
    [
        (dict(frames=4), 'frames'),
        (dict(num_frames=24), r'num_frames=24.*grid=\(4, 4\).*16'),
        (dict(num_frames=8), r'num_frames=8.*grid=\(4, 4\).*16'),
        (dict(grid=(3, 3)), r'num_frames=16.*grid=\(3, 3\).*9'),
        (dict(grid=(0, 4)), r'grid=\(0, 4\)'),
        (dict(grid=(4,)), r'grid=\(4,\)'),
        (dict(num_spatial_frames=0), 'num_spatial_frames=0.*1 to 16'),
        (dict(num_spatial_frames=17), 'num_spatial_frames=17.*1 to 16'),
        (dict(paths=('spatial', 'time')), 'time.*temporal'),
        (dict(paths=()), r'paths=\(\)'),
        (dict(framesets_from='disk'), 'disk.*pipeline'),
        (dict(img_size=(16, 24)), r'img_size=\(16, 24\).*square'),
    ],
)
def test_wrong_arguments_are_named(wrong, message):
    with pytest.raises((ValueError, TypeError), match=message):
        tiny(**wrong)


@pytest.mark.parametrize(
    'variant,message',
    [
        ('ours', "Unknown variant 'ours'.*official.*paper"),
        (dict(bottleneck=3), 'missing.*separate_cls'),
        (dict(VARIANT['paper'], bottleneck=0), 'width=0'),
        (dict(VARIANT['paper'], bottleneck=0.001), 'ratio=0.001'),
        (dict(VARIANT['paper'], cls=1), "unknown.*'cls'"),
    ],
)
def test_wrong_variants_are_named(variant, message):
    with pytest.raises(ValueError, match=message):
        DualPath(arch='tiny', img_size=16, variant=variant)


def test_wrong_clips_are_named():
    dual = tiny()
    for shape in ((1, 3, 8, 16, 16), (16, 3, 16, 16)):
        message = re.escape(f'(B, 3, 16, H, W), not {shape}')
        with pytest.raises(ValueError, match=f'num_frames=16.*{message}'):
            dual(torch.randn(shape))
    with pytest.raises(ValueError, match='img_size.*16, 16.*16, 24'):
        dual(torch.randn(1, 3, 16, 16, 24))
    dual = tiny(framesets_from='pipeline')
    with pytest.raises(ValueError, match=r'the pipeline.*\(B, 3, 9, H, W\)'):
        dual(torch.randn(VIDEO))


def test_the_head_is_linear_gelu_linear():
    torch.manual_seed(0)
    head = MODELS.build(
        dict(type='DualPathHead', num_classes=5, in_channels=8)
    )
    before = head.linear1.weight.clone()
    head.init_weights()
    assert_close(head.linear1.weight, before)  # PyTorch's, not 0.01
    x = torch.randn(3, 8, 1, 1, 1)
    hidden = torch.nn.functional.gelu(head.linear1(x.flatten(1)))
    assert hidden.shape == (3, 4)
    assert_close(head(x), head.linear2(hidden))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert head(x).dtype == torch.float32
    sample = ActionDataSample().set_gt_label(1)
    assert head.loss(x, [sample] * 3)['loss_cls'] > 0


def test_views_are_averaged_as_logits_or_probabilities():
    head = dict(type='DualPathHead', num_classes=5, in_channels=24)
    for average in ('score', 'prob'):
        torch.manual_seed(0)
        backbone = dict(type='DualPath', arch='tiny', img_size=16)
        model = MODELS.build(
            dict(
                type='DualPathRecognizer',
                backbone=dict(backbone, output_dims=12),
                cls_head=dict(head, average_clips=average),
                data_preprocessor=dict(type='ActionDataPreprocessor'),
            )
        ).eval()
        views = torch.randn(1, 3, *VIDEO[1:])
        predicted = model(views, [ActionDataSample()], mode='predict')[0]
        scores = model(views[0][:, None], stage='head')
        scores = scores if average == 'score' else scores.softmax(-1)
        assert_close(predicted.pred_score, scores.mean(0))
