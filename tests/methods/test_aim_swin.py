"""AIM on Swin: the four tests of a method, modes and errors."""

import pytest
import torch
from torch.testing import assert_close

from mmvidadapt.models import AIMSwin
from mmvidadapt.weights import rename_official_
from tests.golden import assert_gradients, assert_output, goldens, load_golden

TOY = dict(embed_dims=16, depths=(2, 2), num_heads=(2, 4), window_size=4)
VIDEO = (2, 3, 4, 64, 32)  # (B, 3, T, H, W)


def tiny_swin(**kwargs):
    torch.manual_seed(0)
    return AIMSwin(
        **{**dict(arch=TOY, img_size=VIDEO[-2:], num_frames=4), **kwargs}
    )


def randomize_trained(module):
    for param in module.parameters():
        if param.requires_grad:
            torch.nn.init.normal_(param, std=0.1)


def renamed_gradients(golden):
    whole = {
        name: golden['grads'].get(
            name,
            torch.full_like(value, torch.nan, dtype=golden['input'].dtype),
        )
        for name, value in golden['state_dict'].items()
    }
    rename_official_(whole, '')
    return {
        name: grad for name, grad in whole.items() if not grad.isnan().any()
    }


def from_golden(golden, **overrides):
    official = golden['meta']['kwargs']
    arch = dict(
        embed_dims=official['embed_dim'],
        depths=official['depths'],
        num_heads=official['num_heads'],
        window_size=official['window_size'],
    )
    model = AIMSwin(
        **{
            **dict(
                arch=arch,
                img_size=golden['meta']['img_size'],
                num_frames=official['num_frames'],
                drop_path_rate=official['drop_path_rate'],
                t_relative=official.get('t_relative', True),
            ),
            **overrides,
        }
    )
    return model.to(golden['input'].dtype).eval()


def test_new_adapters_leave_the_image_model_unchanged():
    adapted, plain = tiny_swin().eval(), tiny_swin(adapt=()).eval()
    plain.load_state_dict(
        {
            k: v
            for k, v in adapted.state_dict().items()
            if k in plain.state_dict()
        }
    )
    video = torch.randn(VIDEO)
    assert_close(adapted(video), plain(video))


@pytest.mark.parametrize('t_relative', [True, False])
def test_only_the_adapters_are_trained(t_relative):
    model = tiny_swin(t_relative=t_relative)
    assert {n for n, p in model.named_parameters() if p.requires_grad} == {
        f'layers.{i}.blocks.{j}.{a}_adapter.{fc}.{p}'
        for i in (0, 1)
        for j in (0, 1)
        for a in ('s', 'mlp') + ('t',) * (j == 0)
        for fc in ('down', 'up')
        for p in ('weight', 'bias')
    } | ({'temporal_embedding'} if not t_relative else set())
    assert 'layers.0.blocks.0.attn.temporal_position_bias_table' in (
        model.state_dict()
    )


def test_gradients_reach_exactly_what_is_trained():
    model = tiny_swin(t_relative=False)
    randomize_trained(model)
    (model(torch.randn(VIDEO)) * torch.randn(2, 32, 2, 8, 4)).sum().backward()
    for name, param in model.named_parameters():
        learns = param.grad is not None and bool(param.grad.any())
        assert learns == param.requires_grad, name


@pytest.mark.parametrize('with_cp', [False, True, 'mlp'])
@pytest.mark.parametrize('path', goldens('aim_swin_*.pt'))
def test_matches_the_official_code(path, with_cp):
    golden = load_golden(path)
    model = from_golden(golden, with_cp=with_cp)
    model.load_state_dict(golden['state_dict'], strict=True)
    output = model(golden['input'])
    assert_output(output, golden['output'])
    (output * golden['w']).sum().backward()
    assert_gradients(model, renamed_gradients(golden))


@pytest.mark.parametrize(
    'switched_off,adapters',
    [
        ('temporal', ('t_adapter',)),
        ('spatial', ('s_adapter',)),
        ('joint', ('mlp_adapter',)),
    ],
)
def test_switching_off_is_zeroing(switched_off, adapters):
    full = tiny_swin().eval()
    randomize_trained(full)
    rest = {'spatial', 'temporal', 'joint'} - {switched_off}
    ablated = tiny_swin(adapt=tuple(rest)).eval()
    video = torch.randn(VIDEO)
    with torch.no_grad():
        before = full(video)
        for name, param in full.named_parameters():
            if any(f'.{a}.up.' in name for a in adapters):
                param.zero_()
        ablated.load_state_dict(
            {
                k: v
                for k, v in full.state_dict().items()
                if k in ablated.state_dict()
            }
        )
        assert_close(ablated(video), full(video))
        assert not torch.allclose(before, full(video))


@pytest.mark.parametrize(
    'mode,dims', [('sample', ((0,), (0,))), ('official', ((0, 2), (0, 1)))]
)
def test_drop_path_granularity(mode, dims):
    model = tiny_swin(drop_path_rate=0.5, drop_path_mode=mode).train()
    block = model.layers[-1].blocks[-1]
    for drop, varying in zip((block.t_drop, block.mlp_drop), dims):
        kept = drop(torch.ones(32 * 2, 16, 8)).unflatten(0, (32, 2))[..., 0]
        for dim in range(3):
            same = (kept == kept.narrow(dim, 0, 1)).all()
            assert bool(same) != (dim in varying), (drop, dim)


@pytest.mark.parametrize(
    'wrong,message',
    [
        (dict(num_frames=5), 'num_frames=5 is not a multiple'),
        (dict(img_size=36), r'img_size=\(36, 36\)'),
        (dict(img_size=40), '10 x 10 tokens.*windows of 4'),
        (dict(arch='giant'), "Unknown arch 'giant'"),
        (dict(adapt=('time',)), 'time.*temporal'),
        (dict(window=7), 'window'),
    ],
)
def test_wrong_arguments_are_named(wrong, message):
    with pytest.raises((ValueError, TypeError), match=message):
        tiny_swin(**wrong)


def test_wrong_clips_are_named():
    with pytest.raises(ValueError, match=r'num_frames=4.*\(2, 3, 8, 64, 32\)'):
        tiny_swin()(torch.randn(2, 3, 8, 64, 32))


def test_train_returns_the_model():
    model = tiny_swin()
    assert model.eval() is model
