"""BEVT's encoder and decoders: exact, lean, and clear about bad input."""

import pytest
import torch
from torch.testing import assert_close

from mmvidadapt.models import BEVTHead, BEVTSwin
from tests.golden import assert_output, goldens
from tests.methods.bevt_samples import TOY, arch_of, read, tiny_bevt


def from_golden(golden, img_size, num_frames, **kwargs):
    model = BEVTSwin(
        **arch_of(golden['meta']['kwargs']),
        img_size=img_size,
        num_frames=num_frames,
        **kwargs,
    )
    model.load_state_dict(golden['state_dict'], strict=True)
    return model


def assert_gradients_of(named, expected):
    assert set(named) == set(expected)
    for name, grad in expected.items():
        tol = 1e-4 if grad.dtype == torch.float32 else 1e-10
        atol = max(tol * grad.abs().max().item(), 1e-6)
        assert_close(
            named[name],
            grad,
            rtol=0,
            atol=atol,
            msg=lambda m, name=name: f'{name}: {m}',
        )


@pytest.mark.parametrize('with_cp', [False, True])
@pytest.mark.parametrize(
    'path', goldens('bevt_image_*.pt') + goldens('bevt_video_*.pt')
)
def test_matches_the_official_streams(path, with_cp):
    golden = read(path)
    stream = 'image' if golden['meta']['is_img'] else 'video'
    x = golden['input'].requires_grad_()
    frames = x.shape[2] if stream == 'video' else 2
    model = from_golden(golden, x.shape[-2:], frames, with_cp=with_cp)
    model = model.to(x.dtype).train()
    mask = golden['mask'].bool()
    stages = model.encode(
        x, mask if stream == 'video' else mask[:, None], stream
    )
    for ours, theirs in zip(stages, golden['stages'], strict=True):
        theirs = theirs.movedim(1, -1)
        assert_output(ours.view_as(theirs), theirs)
    output = model(x, mask, dense=True).view_as(golden['output'])
    assert_output(output, golden['output'])
    visible = golden['output_nomask']
    assert_output(model(x).view_as(visible), visible)
    (output * golden['probe']).sum().backward()
    learnt = {
        name: param.grad
        for name, param in model.named_parameters()
        if param.grad is not None
    }
    assert_gradients_of(learnt, golden['grads'])
    assert_gradients_of({'input': x.grad}, {'input': golden['grad_input']})


@pytest.mark.parametrize('path', goldens('bevt_window877_*.pt'))
def test_matches_the_official_windows(path):
    golden = read(path)
    video, image = (
        (golden[f'{stream}_uint8'].float() - 127.5) / 64
        for stream in ('video', 'image')
    )
    model = from_golden(golden, video.shape[-1], video.shape[2]).eval()
    with torch.no_grad():
        for x, stream in ((video, 'video'), (image, 'image')):
            mask = golden[f'mask_{stream}'].bool()
            output = golden[f'output_{stream}']
            assert_output(model(x, mask, dense=True).view_as(output), output)
            mask = mask if stream == 'video' else mask[:, None]
            stages = model.encode(x, mask, stream)[-2:]
            for ours, theirs in zip(stages, golden[f'{stream}_stages']):
                theirs = theirs.movedim(1, -1)
                assert_output(ours.view_as(theirs), theirs)


def inputs(stream, batch=2):
    torch.manual_seed(1)
    if stream == 'image':
        return torch.randn(batch, 3, 32, 32), torch.rand(batch, 8, 8) < 0.4
    mask = torch.rand(batch, 4, 8, 8) < 0.4
    return torch.randn(batch, 3, 8, 32, 32), mask


@pytest.mark.parametrize('stream', ['video', 'image'])
def test_masked_rows_are_those_of_the_whole_map(stream):
    model = tiny_bevt()
    x, mask = inputs(stream)
    whole = model(x, mask, dense=True)
    if stream == 'video':
        mask = mask.repeat_interleave(2, 1)
    x, where = inputs(stream)
    assert_close(model(x, where), whole[mask.flatten()])
    nothing = model(x, torch.zeros_like(where))
    assert nothing.shape == (0, 32) and nothing.requires_grad


def test_the_plain_head_is_the_lean_one():
    rows, ids = torch.randn(9, 32).double(), torch.randint(7, (9,))
    found = []
    for lean in (True, False):
        torch.manual_seed(0)
        head = BEVTHead(7, 32, loss_weight_3d=0.5, lean=lean).double()
        assert lean == (type(head) is BEVTHead)
        losses = head.loss(rows.requires_grad_(), ids, 'video')
        losses['loss_cls_3d'].backward()
        grads = [rows.grad.clone(), *(p.grad for p in head.parameters())]
        found.append([*losses.values(), *grads])
        rows.grad = None
    for one, other in zip(*found, strict=True):
        assert_close(one, other, rtol=0, atol=1e-12)


def test_images_teach_temporal_distance_zero_only():
    model = tiny_bevt(num_frames=8, window_size=(4, 2, 2))
    x, mask = inputs('image')
    model(x, mask).square().sum().backward()
    for name, param in model.named_parameters():
        if name.endswith('bias_table'):
            slabs = param.grad.view(7, 9, -1).abs().sum((1, 2))
            assert slabs[3] > 0 and not slabs[[0, 1, 2, 4, 5, 6]].any()


@pytest.mark.parametrize('stream', ['video', 'image'])
def test_nothing_shines_through_a_whole_mask(stream):
    model = tiny_bevt()
    x, mask = inputs(stream)
    hidden = torch.ones_like(mask)
    broken = torch.full_like(x, torch.nan)
    assert_close(model(x, hidden), model(broken, hidden))


def test_swin_mode_masks_shifted_blocks_only():
    official = tiny_bevt().eval()
    swin = tiny_bevt(image_mask_mode='swin').eval()
    swin.load_state_dict(official.state_dict())
    x, mask = inputs('image')
    assert (official(x, mask) - swin(x, mask)).abs().max() > 0.01
    windows = [stage.windows['image'] for stage in swin.layers]
    bias = torch.zeros(2, 4, 4)
    assert windows[0].bias(bias, False).shape == (1, 2, 4, 4)
    assert windows[0].bias(bias, True).shape == (16, 2, 4, 4)
    video, hidden = inputs('video')
    assert_close(swin(video, hidden), official(video, hidden))


def test_scores_are_scaled_as_asked_for():
    sizes = dict(embed_dims=16, depths=(2, 2), num_heads=(2, 4))
    double = tiny_bevt(arch=dict(sizes, qk_scale=2 * 8**-0.5))
    plain = tiny_bevt()  # 8 and 8 channels a head
    for param in (*double.parameters(), *plain.parameters()):
        param.data *= 5
    x, mask = inputs('video')
    assert (double(x, mask) - plain(x, mask)).abs().max() > 0.1
    for stage in plain.layers:
        for block in stage.blocks:
            queries = len(block.attn.qkv.weight) // 3
            block.attn.qkv.weight.data[:queries] *= 2
            block.attn.qkv.bias.data[:queries] *= 2
    assert_close(double(x, mask), plain(x, mask))


def test_patches_can_do_without_a_norm():
    names = {'patch_embed.norm.bias', 'patch_embed_2d.norm.weight'}
    assert names < set(tiny_bevt().state_dict())
    bare = tiny_bevt(arch=dict(TOY, patch_norm=False))
    assert not names & set(bare.state_dict())
