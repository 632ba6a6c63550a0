"""AIM: the four tests of a method, ablations, recogniser and modes."""

import copy

import pytest
import torch
from mmaction.registry import MODELS
from torch.testing import assert_close

from mmvidadapt.models import AIM, ImageViT
from mmvidadapt.models.backbones.vit import DIALECTS
from mmvidadapt.weights import rename_official_
from tests.golden import assert_gradients, assert_output, goldens, load_golden
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


def from_golden(golden, **overrides):
    meta, official = golden['meta'], dict(golden['meta']['kwargs'])
    clip = 'input_resolution' in official
    arch = dict(
        embed_dims=official['width' if clip else 'embed_dim'],
        num_layers=official['layers' if clip else 'depth'],
        num_heads=official['heads' if clip else 'num_heads'],
        patch_size=official['patch_size'],
    )
    model = AIM(
        **{
            **dict(
                arch=arch,
                dialect='clip' if clip else 'imagenet',
                img_size=official['input_resolution' if clip else 'img_size'],
                num_frames=official['num_frames'],
                num_t_adapters=official['num_tadapter'],
                adapter_ratio=meta.get('adapter_ratio', 0.25),
                adapter_scale=official['adapter_scale'],
                drop_path_rate=official['drop_path_rate'],
                drop_path_mode='official',
            ),
            **overrides,
        }
    )
    return model.to(golden['input'].dtype).eval()


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


@pytest.mark.parametrize('num_t_adapters', [1, 2])
def test_only_the_adapters_are_trained(num_t_adapters):
    aim = tiny_aim(num_t_adapters=num_t_adapters)
    adapters = ['t_adapter', 's_adapter', 'mlp_adapter']
    adapters += ['t_adapter_in'] * (num_t_adapters == 2)
    assert {n for n, p in aim.named_parameters() if p.requires_grad} == {
        'temporal_embedding',
        'ln_post.weight',
        'ln_post.bias',
    } | {
        f'transformer.resblocks.{i}.{a}.{fc}.{p}'
        for i in (0, 1)
        for a in adapters
        for fc in ('down', 'up')
        for p in ('weight', 'bias')
    }


@pytest.mark.parametrize('num_t_adapters', [1, 2])
def test_gradients_reach_exactly_what_is_trained(num_t_adapters):
    aim = tiny_aim(num_t_adapters=num_t_adapters)
    randomize_trained(aim)  # zero-initialised adapters would hide errors
    aim(torch.randn(VIDEO)).square().mean().backward()
    for name, param in aim.named_parameters():
        learns = param.grad is not None and bool(param.grad.any())
        assert learns == param.requires_grad, name


@pytest.mark.parametrize('with_cp', [False, True, 'mlp'])
@pytest.mark.parametrize(
    'path', goldens('aim_vit_clip_*.pt') + goldens('aim_vit_imagenet_*.pt')
)
def test_matches_the_official_code(path, with_cp):
    golden = load_golden(path)
    aim = from_golden(golden, with_cp=with_cp)
    aim.load_state_dict(golden['state_dict'], strict=True)
    output = aim(golden['input'])
    assert_output(output, golden['output'])
    (output * golden['w']).sum().backward()
    assert_gradients(aim, renamed_gradients(golden))


@pytest.mark.parametrize(
    'path', goldens('aim_vit_clip_*.pt') + goldens('aim_vit_imagenet_*.pt')
)
def test_switched_off_adaptations_match_the_official_code(path):
    golden = load_golden(path)
    if 'ablation_outputs' not in golden:
        pytest.skip('this golden has no ablations')
    assert set(golden['ablation_outputs']) <= set(ABLATIONS)
    for name, expected in golden['ablation_outputs'].items():
        aim = from_golden(golden, adapt=ABLATIONS[name])
        weights = renamed(golden['state_dict'])
        wanted = {k: weights[k] for k in aim.state_dict()}
        aim.load_state_dict(wanted, strict=True)
        assert_output(aim(golden['input']), expected)


@pytest.mark.parametrize('path', goldens('aim_recognizer_*.pt'))
def test_recogniser_loss_and_views_match_the_official_code(path):
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


def test_half_of_the_clips_are_dropped_as_a_whole():
    aim = tiny_aim(drop_path_rate=0.5).train()
    randomize_trained(aim)
    block = aim.transformer.resblocks[-1]
    x = torch.ones(4 * 64, 7, 32)  # 64 clips of 4 frames
    kept = block.drop_path(x).unflatten(0, (64, 4))
    per_clip = kept.flatten(1)
    assert (per_clip == per_clip[:, :1]).all()
    assert set(per_clip.unique().tolist()) == {0.0, 2.0}
    aim.eval()
    assert block.drop_path(x) is x


@pytest.mark.parametrize(
    'dialect,same', [('clip', (0, 1)), ('imagenet', (2,))]
)
def test_official_drop_path_granularity(dialect, same):
    aim = tiny_aim(
        dialect=dialect, drop_path_rate=0.5, drop_path_mode='official'
    ).train()
    kept = aim.transformer.resblocks[-1].drop_path(torch.ones(4 * 32, 64, 8))
    kept = kept.unflatten(0, (32, 4))[..., 0]  # (B, T, N)
    for dim in same:
        assert (kept == kept.narrow(dim, 0, 1)).all()
    other = ({0, 1, 2} - set(same)).pop()
    assert (kept != kept.narrow(other, 0, 1)).any()


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_autocast_agrees_with_float32(dtype):
    aim = tiny_aim(num_t_adapters=2)
    randomize_trained(aim)
    video, grads = torch.randn(VIDEO), []
    for enabled in (False, True):
        aim.zero_grad()
        with torch.autocast('cpu', dtype=dtype, enabled=enabled):
            out = aim(video)
        assert out.dtype == torch.float32  # norms stay in float32
        out.square().mean().backward()
        grads.append(
            {
                n: p.grad.clone()
                for n, p in aim.named_parameters()
                if p.grad is not None
            }
        )
    for name, grad in grads[0].items():
        assert grads[1][name].dtype == torch.float32
        error = (grads[1][name] - grad).abs().max() / grad.abs().max()
        assert error < 0.1, name


def test_checkpointing_changes_nothing_but_memory():
    results = []
    for with_cp in (False, True, 'mlp'):
        aim = tiny_aim(with_cp=with_cp, drop_path_rate=0.3).train()
        randomize_trained(aim)
        torch.manual_seed(1)
        aim(torch.ones(VIDEO)).square().mean().backward()
        results.append(
            torch.cat(
                [
                    p.grad.flatten()
                    for p in aim.parameters()
                    if p.grad is not None
                ]
            )
        )
    assert_close(results[1], results[0])
    assert_close(results[2], results[0])


@pytest.mark.parametrize(
    'wrong,message',
    [
        (dict(num_frames=4, frames=4), 'frames'),
        (dict(arch='giant'), "Unknown arch 'giant'.*base-p16"),
        (dict(arch=dict(embed_dims=8)), 'missing.*num_heads'),
        (dict(dialect='latin'), "Unknown dialect 'latin'"),
        (dict(adapt=('spacial',)), 'spacial.*spatial'),
        (dict(num_t_adapters=3), 'num_t_adapters.*3'),
        (dict(drop_path_mode='batch'), 'drop_path_mode.*batch'),
        (dict(img_size=0), 'img_size=.*0.*patch_size=8'),
        (dict(num_frames=0), 'num_frames=0'),
        (dict(with_cp=1), 'with_cp=1'),
        (dict(adapt='spatial'), "adapt='spatial' is a string"),
        (dict(trainable='ln_post.*'), "trainable='ln_post.*' is a string"),
        (dict(img_size=30), 'img_size=.*30.*patch_size=8'),
        (dict(with_cp='all'), "with_cp='all'"),
        (dict(trainable=('t_adaptor',)), 'No parameter of AIM.*t_adaptor'),
        (dict(adapter_ratio=0.001), 'ratio=0.001'),
        (dict(drop_path_rate=1.5), 'drop path rate'),
    ],
)
def test_wrong_arguments_are_named(wrong, message):
    with pytest.raises((ValueError, TypeError), match=message):
        tiny_aim(**wrong)


def test_wrong_clips_are_named():
    aim = tiny_aim()
    with pytest.raises(ValueError, match='num_frames=4.* 8 frames'):
        aim(torch.randn(1, 3, 8, 16, 24))
    with pytest.raises(ValueError, match='img_size.*16, 24.*32, 32'):
        aim(torch.randn(1, 3, 4, 32, 32))


def test_overrides_of_what_is_trained():
    aim = tiny_aim(trainable=(r'ln_post\..*',))
    assert {n for n, p in aim.named_parameters() if p.requires_grad} == {
        'ln_post.weight',
        'ln_post.bias',
    }
    assert all(
        p.requires_grad for p in tiny_aim(full_finetune=True).parameters()
    )


def test_full_finetuning_reaches_everything():
    aim = tiny_aim(full_finetune=True)
    randomize_trained(aim)
    aim(torch.randn(VIDEO)).square().mean().backward()
    idle = [
        n
        for n, p in aim.named_parameters()
        if p.grad is None or not p.grad.any()
    ]
    assert idle == []


def test_drop_path_of_a_frozen_trunk_stays_off():
    torch.manual_seed(0)
    options = dict(arch='tiny', img_size=VIDEO[-2:], drop_path_rate=0.5)
    frozen, video = ImageViT(**options), torch.randn(VIDEO)
    assert frozen.train() is frozen
    assert_close(frozen(video), frozen(video), rtol=0, atol=0)
    trained = ImageViT(**options, full_finetune=True).train()
    assert (trained(video) != trained(video)).any()


def saved_bytes(model, video):
    """Bytes that autograd keeps, parameters excluded."""
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = (storage.nbytes(), tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        output = model(video)
    assert output.requires_grad
    return sum(size for size, _ in kept.values())


def test_checkpointing_saves_with_the_first_adapter_inside_a_block():
    options = dict(trainable=(r'.*_adapter\..*',))
    plain, lean = (
        saved_bytes(tiny_aim(**options, with_cp=with_cp), torch.randn(VIDEO))
        for with_cp in (False, True)
    )
    assert lean < plain / 3


def test_official_drop_path_goes_by_what_the_dialect_is():
    for dialect, per in (('clip', 'token'), ('imagenet', 'frame')):
        aim = tiny_aim(
            dialect=dict(DIALECTS[dialect]), drop_path_mode='official'
        )
        assert aim.transformer.resblocks[0].drop_path.per == per


def test_exporters_see_plain_operators():
    aim, video = tiny_aim().eval(), torch.randn(VIDEO)
    randomize_trained(aim)
    with torch.no_grad():
        traced = torch.jit.trace(aim, video)
        assert 'PythonOp' not in str(traced.inlined_graph)
        assert_close(traced(video + 1), aim(video + 1))


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
