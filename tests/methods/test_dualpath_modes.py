"""DualPath: switches against the plain re-statement, memory, precision."""

import pytest
import torch
from torch.testing import assert_close

from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.methods.dualpath.framesets import (
    build_framesets,
    sample_frames,
)
from mmvidadapt.models import DualPath
from tests.methods.test_dualpath import (
    PATHS,
    VARIANT,
    VIDEO,
    every_paths,
    every_variant,
    randomize,
    tiny,
)
from tests.reference.plain_dualpath import PlainDualPath

SIZES = dict(embed_dims=48, num_layers=3, num_heads=3, patch_size=4)


def lean_and_plain(full_finetune=False, **given):
    torch.manual_seed(0)
    given = {**dict(img_size=20, num_frames=16, output_dims=10), **given}
    lean = DualPath(arch=SIZES, full_finetune=full_finetune, **given)
    plain = PlainDualPath(**SIZES, **given)
    randomize(lean, trained_only=False)
    plain.load_state_dict(lean.state_dict(), strict=True)
    return lean.eval(), plain.eval()


def check_agreement(lean, plain, video):
    outputs = [model(video) for model in (lean, plain)]
    for output in outputs:
        output.square().sum().backward()
    scale = outputs[1].abs().max().item()
    assert_close(outputs[0], outputs[1], rtol=0, atol=1e-5 * scale)
    wanted = {n: p.grad for n, p in plain.named_parameters()}
    for name, param in lean.named_parameters():
        if param.requires_grad:
            atol = 1e-4 * wanted[name].abs().max().item()
            assert_close(param.grad, wanted[name], rtol=0, atol=atol)


@every_paths
@every_variant
def test_lean_and_plain_agree(variant, paths):
    """The width of 8 lets all adapters fold, one of 64 none."""
    for bottleneck in (8, 64):
        traits = dict(VARIANT[variant], bottleneck=bottleneck)
        models = lean_and_plain(variant=traits, paths=paths)
        check_agreement(*models, torch.randn(2, 3, 16, 20, 20))


@pytest.mark.parametrize('antialias', [False, True])
@pytest.mark.parametrize(
    'grid,frames,spatial',
    [((1, 1), 4, 4), ((2, 2), 8, 3), ((3, 3), 18, 6), ((4, 4), 32, 1)],
)
def test_grids_and_numbers_of_frames(grid, frames, spatial, antialias):
    models = lean_and_plain(
        variant=VARIANT['paper-ssv2'],
        grid=grid,
        num_frames=frames,
        num_spatial_frames=spatial,
        antialias=antialias,
    )
    assert models[0].images == (frames // (grid[0] * grid[1]), spatial)
    check_agreement(*models, torch.randn(2, 3, frames, 20, 20))


@pytest.mark.parametrize('full_finetune', [False, True])
def test_full_finetuning_agrees_as_well(full_finetune):
    lean, plain = lean_and_plain(
        variant=dict(VARIANT['official'], bottleneck=8),
        full_finetune=full_finetune,
    )
    check_agreement(lean, plain, torch.randn(2, 3, 16, 20, 20))
    idle = [n for n, p in lean.named_parameters() if p.grad is None]
    assert full_finetune or 'conv1.weight' in idle
    assert not full_finetune or idle == []


@pytest.mark.parametrize('paths', PATHS)
def test_a_pipeline_may_build_the_framesets(paths):
    model = tiny(paths=paths).eval()
    other = tiny(paths=paths, framesets_from='pipeline').eval()
    video = torch.randn(VIDEO)
    images = [build_framesets(video, (4, 4)), sample_frames(video, 8)]
    kept = [x for x, n in zip(images, model.images, strict=True) if n]
    assert torch.equal(other(torch.cat(kept, dim=2)), model(video))


def test_checkpointing_changes_nothing_but_memory():
    grads, saved = [], []
    for with_cp in (False, True, 'mlp'):
        dual = tiny(with_cp=with_cp, drop_path_rate=0.3).train()
        randomize(dual)
        video = torch.ones(VIDEO)
        torch.manual_seed(1)
        saved.append(saved_bytes(dual, lambda m=dual, v=video: m(v)))
        torch.manual_seed(1)
        dual(video).square().mean().backward()
        grads.append({n: p.grad for n, p in dual.named_parameters()})
    assert saved[1] < saved[2] < saved[0]
    for other in grads[1:]:
        for name, grad in grads[0].items():
            assert (grad is None) == (other[name] is None)
            if grad is not None:
                assert_close(other[name], grad)


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
        DualPath(arch=sizes, **given),
        PlainDualPath(**sizes, **given),
    )
    trained = {n for n, p in lean.named_parameters() if p.requires_grad}
    for name, param in plain.named_parameters():
        param.requires_grad_(name in trained)
    video = torch.randn(2, 3, 16, 112, 112)
    saved = [
        saved_bytes(model, lambda m=model: m(video))
        for model in (lean.eval(), plain.eval())
    ]
    assert saved[0] < 0.6 * saved[1]


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
@every_variant
def test_autocast_agrees_with_float32(variant, dtype):
    dual = tiny(variant, num_frames=32).eval()
    randomize(dual)
    video, grads = torch.randn(2, 3, 32, 16, 16), []
    for enabled in (False, True):
        dual.zero_grad()
        with torch.autocast('cpu', dtype=dtype, enabled=enabled):
            out = dual(video)
        assert out.dtype == torch.float32
        out.square().mean().backward()
        grads.append(
            {n: p.grad for n, p in dual.named_parameters() if p.requires_grad}
        )
    for name, grad in grads[0].items():
        assert grads[1][name].dtype == torch.float32
        error = (grads[1][name] - grad).abs().max() / grad.abs().max()
        assert error < 0.15, name


def test_compiles():
    dual = tiny('paper-ssv2', paths=PATHS[0]).eval()
    randomize(dual)
    video = torch.randn(VIDEO)
    compiled = torch.compile(dual, backend='aot_eager')
    assert_close(compiled(video), dual(video))


@every_variant
def test_exporters_see_plain_operators(variant):
    dual, video = tiny(variant).eval(), torch.randn(VIDEO)
    randomize(dual)
    with torch.no_grad():
        traced = torch.jit.trace(dual, video)
        assert 'PythonOp' not in str(traced.inlined_graph)
        assert_close(traced(video + 1), dual(video + 1))


def test_the_imagenet_dialect_and_no_projection():
    dual = tiny(dialect='imagenet', output_dims=None)
    randomize(dual)
    out = dual(torch.randn(VIDEO))
    assert out.shape == (2, 64, 1, 1, 1)
    out.square().sum().backward()
    assert all(p.grad.any() for p in dual.parameters() if p.requires_grad)


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


@pytest.mark.parametrize('rate', [0.0, 0.5])
def test_half_of_the_images_pass_a_block_as_they_are(rate):
    dual = tiny(drop_path_rate=rate).train()
    randomize(dual)
    block = dual.transformer.resblocks[-1]
    block.only_readout = False
    x = torch.randn(32 * 9, 5, 32)
    kept = (block(x) == x).flatten(1).all(1)
    assert 0.15 < kept.float().mean() < 0.35 if rate else not kept.any()
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
    dual = tiny(arch=dict(SIZES, embed_dims=192, patch_size=2))
    for param in (dual.spatial_positional_embedding, dual.proj):
        assert abs(param.std() * 192**0.5 - 1) < 0.1
    trunk = dual.class_embedding
    assert torch.equal(dual.temporal_class_embedding, trunk)
