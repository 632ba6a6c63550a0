"""DualPath: how it starts, paths and framesets, memory, dropout, its head."""

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch.testing import assert_close

from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.methods.dualpath.backbone import VARIANTS
from mmvidadapt.methods.dualpath.block import split_paths
from mmvidadapt.methods.dualpath.framesets import (
    build_framesets,
    sample_frames,
)
from mmvidadapt.models import AIM, DualPath, ImageViT
from tests.methods.cases.dualpath import PAPER, SSV2

VIDEO = (2, 3, 16, 16, 16)  # (B, 3, T, H, W)
VARIANT = {
    'paper': PAPER,
    'paper-ssv2': SSV2,
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


@pytest.mark.parametrize('paths', PATHS)
def test_a_pipeline_may_build_the_framesets(paths):
    model = tiny(paths=paths).eval()
    other = tiny(paths=paths, framesets_from='pipeline').eval()
    video = torch.randn(VIDEO)
    images = [build_framesets(video, (4, 4)), sample_frames(video, 8)]
    kept = [x for x, n in zip(images, model.images, strict=True) if n]
    assert torch.equal(other(torch.cat(kept, dim=2)), model(video))
    with pytest.raises(ValueError, match=r'the pipeline.*\(B, 3, [189], H'):
        other(video)


@every_variant
def test_bytes_saved_for_backward(variant):
    """At a realistic ratio of channels to tokens."""
    sizes = dict(embed_dims=192, num_layers=4, num_heads=3, patch_size=16)
    given = dict(img_size=112, num_frames=16)
    if variant != 'official':
        given['variant'] = dict(VARIANT[variant], bottleneck=32)
    else:
        given['variant'] = variant
    lean, plain = (
        DualPath(arch=sizes, lean=lean, **given) for lean in (True, False)
    )
    video = torch.randn(2, 3, 16, 112, 112)
    saved = [
        saved_bytes(model, lambda m=model: m(video))
        for model in (lean.eval(), plain.eval())
    ]
    assert saved[0] < 0.71 * saved[1]


def test_the_temporal_code_is_no_part_of_a_checkpoint():
    dual = tiny()
    assert 'temporal_code' not in dual.state_dict()
    assert dual.double().temporal_code.dtype == torch.float64
    assert dual.to('meta').temporal_code.is_meta


def test_the_order_of_frames_matters_in_time_only():
    for paths, differs in ((PATHS[1], True), (PATHS[2], False)):
        dual = tiny(paths=paths, num_spatial_frames=16).eval()
        randomize(dual)
        video = torch.randn(VIDEO)
        outputs = dual(video), dual(video.flip(2))
        assert torch.allclose(*outputs, atol=1e-5) != differs


@pytest.mark.parametrize('lean', [True, False])
@pytest.mark.parametrize('rate', [0.0, 0.5])
def test_half_of_the_images_pass_a_block_as_they_are(rate, lean):
    dual = tiny(drop_path_rate=rate, lean=lean).train()
    randomize(dual)
    block = dual.transformer.resblocks[-1]
    block.only_readout = False
    x = torch.randn(128 * 9, 5, 32)
    kept = (block(x) == x).flatten(1).all(1)
    for path in split_paths(kept, dual.images):
        assert 0.1 < path.float().mean() < 0.4 if rate else not path.any()
    assert (block.eval()(x) == x).flatten(1).all(1).sum() == 0


def test_adapters_drop_out_in_training_only():
    dual = tiny().train()
    randomize(dual)
    video = torch.randn(VIDEO)
    assert not torch.equal(dual(video), dual(video))
    dual.eval()
    assert torch.equal(dual(video), dual(video))
    rates = {m.p for m in dual.modules() if isinstance(m, torch.nn.Dropout)}
    assert rates == {0.1}


def test_what_is_new_starts_small():
    arch = dict(embed_dims=192, num_layers=2, num_heads=3, patch_size=2)
    dual = tiny(arch=arch)
    for param in (dual.spatial_positional_embedding, dual.proj):
        assert abs(param.std() * 192**0.5 - 1) < 0.1
    trunk = dual.class_embedding
    assert torch.equal(dual.temporal_class_embedding, trunk)
