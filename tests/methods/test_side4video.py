"""Side4Video beside its equations; its memory; its batch norms."""

import os

import pytest
import torch
import torch.distributed as dist
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import MMDistributedDataParallel
from torch.multiprocessing import spawn
from torch.testing import assert_close

from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.methods.side4video.block import shift_token
from mmvidadapt.trunks.parts.drop_path import DropPath
from tests.methods.cases.side4video import CASES

(CASE,) = CASES


def norm3d(w, name, x):
    """Norm (B, T, N, d) with the statistics of the batch."""
    mean = x.mean((0, 1, 2))
    var = x.var((0, 1, 2), unbiased=False)
    x = (x - mean) / (var + 1e-5).sqrt()
    return x * w[f'{name}.weight'] + w[f'{name}.bias']


def layer(w, name, x, dot='.'):
    return x @ w[f'{name}{dot}weight'].T + w[f'{name}{dot}bias']


def written_down(model, video, taps, left=1.0):
    """Write the equations down once more, frame by frame; two heads of 6.

    Drop path leaves a part of its branches.
    """
    w = model.side.state_dict()
    (b, _, t, *_), d = video.shape, 12
    s = F.conv3d(video, w['conv1.weight'], w['conv1.bias'], stride=(1, 8, 8))
    s = norm3d(w, 'bn_pre', s.flatten(3).permute(0, 2, 3, 1))  # (B, T, N, d)
    for i, x in enumerate(taps):
        p = {k[9:]: v for k, v in w.items() if k.startswith(f'layers.{i}.')}
        f = F.layer_norm(x, (32,), p['ln_in.weight'], p['ln_in.bias'])
        f = layer(p, 'proj_in', f).unflatten(0, (b, t))  # (B, T, 1+N, d)
        s = 0.5 * s + 0.5 * f[:, :, 1:]
        h = layer(p, 'pw_1', norm3d(p, 'bn_1', s))
        c = torch.zeros(b, t, 1, d).to(s)
        out = p['conv.bias'].expand_as(h).clone()
        for now in range(t):
            for by in (-1, 0, 1):
                if 0 <= now + by < t:
                    kernel = p['conv.weight'][:, 0, by + 1]
                    out[:, now] += kernel * h[:, now + by]
            if now + 1 < t:
                c[:, now, 0, : d // 2] = f[:, now + 1, 0, : d // 2]
            if now:
                c[:, now, 0, d // 2 :] = f[:, now - 1, 0, d // 2 :]
        s = s + left * layer(p, 'pw_2', out)
        y = torch.cat([c, s + w['positional_embedding']], 2)
        y = F.layer_norm(y, (d,), p['ln.weight'], p['ln.bias'])
        q, k, v = layer(p, 'attn.in_proj', y, '_').chunk(3, -1)
        heads = []
        for m in (slice(0, 6), slice(6, 12)):
            scores = q[:, :, 1:, m] @ k[..., m].mT * 6**-0.5
            heads.append(scores.softmax(-1) @ v[..., m])
        s = s + left * layer(p, 'attn.out_proj', torch.cat(heads, -1))
        h = F.gelu(layer(p, 'mlp.c_fc', norm3d(p, 'bn_2', s)))
        s = s + left * layer(p, 'mlp.c_proj', h)
    return norm3d(w, 'bn_post', s).mean((1, 2))[..., None, None, None]


@pytest.mark.parametrize('left', [1.0, 0.5])
@pytest.mark.parametrize('lean', [True, False])
def test_it_is_what_the_paper_writes(lean, left, monkeypatch):
    if left < 1:
        monkeypatch.setattr(DropPath, 'forward', lambda self, x: left * x)
    model, taps = CASE.build(lean=lean).double().train(), []
    for block in model.transformer.resblocks:
        block.register_forward_hook(lambda m, i, out: taps.append(out))
    video = CASE.batch(3).double()
    found = model(video)
    wanted = written_down(model, video, taps, left)
    assert_close(found, wanted, rtol=0, atol=1e-10)


def test_class_tokens_come_from_the_frames_beside():
    c = torch.tensor([[1.0, 10], [2, 20], [3, 30]])[None, :, None]
    found = shift_token(c)[0, :, 0].tolist()
    assert found == [[2, 0], [3, 10], [0, 20]]


def test_order_is_seen_by_the_convolution_and_by_the_class_token():
    model, video = CASE.build().double().eval(), CASE.batch().double()
    turned = video[:, :, [2, 0, 3, 1]]

    def moved():
        with torch.no_grad():
            return (model(turned) - model(video)).abs().max().item()

    assert moved() > 1e-6
    for one in model.side.layers:
        one.conv.weight.data[..., [0, 2]] = 0
    assert moved() > 1e-6  # the class tokens are left
    for one in model.side.layers:
        one.proj_in.bias.data[:] = 0
        one.attn.in_proj_weight.data[12:] = 0  # keys and values
    assert moved() < 1e-12


def test_nothing_inside_the_trunk_is_kept_for_backward():
    def kept(mlp_ratio, **given):
        arch = dict(
            embed_dims=32,
            num_layers=2,
            num_heads=2,
            patch_size=8,
            mlp_ratio=mlp_ratio,
        )
        model = CASE.build(arch=arch, **given).train()
        video = CASE.batch().requires_grad_()
        return saved_bytes(model, lambda: model(video))

    assert kept(4.0) == kept(16.0)
    assert kept(4.0, lean=False) > kept(4.0)
    assert kept(16.0, full_finetune=True) > kept(4.0, full_finetune=True)
    trunk = CASE.build().train()
    trunk(CASE.batch()).sum().backward()
    assert not any(
        p.grad is not None
        for n, p in trunk.named_parameters()
        if not n.startswith('side.')
    )


def test_init_is_that_of_the_spec():
    model = CASE.build(random=False, side_dims=64, side_num_heads=1)
    one, deep = model.side.layers[0], (2 * 2) ** -0.5
    for param, std in (
        (one.attn.in_proj_weight, 64**-0.5),
        (one.attn.out_proj.weight, 64**-0.5 * deep),
        (one.mlp.c_proj.weight, 64**-0.5 * deep),
        (one.mlp.c_fc.weight, 128**-0.5),
        (model.side.positional_embedding, 0.01),
    ):
        assert param.std().item() == pytest.approx(std, rel=0.1)
    assert (
        CASE.build(side_dims=320, side_num_heads=None)
        .side.layers[0]
        .attn.num_heads
        == 5
    )


def test_the_head_is_as_wide_as_the_side_network():
    model = dict(
        type='AdaptedRecognizer',
        backbone=dict(type='Side4Video', trunk='openai/ViT-B-32'),
        cls_head=dict(type='Float32I3DHead', num_classes=3),
    )
    with torch.device('meta'):
        assert MODELS.build(model).cls_head.in_channels == 320


def learn(model, clips):
    """Take a step; return what was learned, running statistics too."""
    torch.manual_seed(1)
    videos = torch.randn(4, *CASE.clip).double()
    weight = torch.linspace(-1, 1, 12).double()
    loss = (model(videos[clips])[:, :, 0, 0, 0] * weight).square().mean()
    loss.backward()
    whole = getattr(model, 'module', model)
    grads = {n: p.grad for n, p in whole.named_parameters() if p.requires_grad}
    buffers = {n: b for n, b in whole.named_buffers() if 'running' in n}
    return {**grads, **buffers}


def work(rank, folder):
    """Learn from half of the clips in each of two processes."""
    os.environ['OMP_NUM_THREADS'] = '1'
    torch.set_num_threads(1)
    where = f'file://{folder}/meeting'
    dist.init_process_group('gloo', where, rank=rank, world_size=2)
    found = {}
    for sync in (True, False):
        model = CASE.build(sync_bn=sync).double().train()
        model = MMDistributedDataParallel(model, broadcast_buffers=False)
        found[sync] = learn(model, [0, 1] if rank == 0 else [2, 3])
    torch.save(found, f'{folder}/rank{rank}.pt')
    dist.destroy_process_group()


def test_two_processes_learn_what_one_learns(tmp_path):
    spawn(work, (str(tmp_path),), nprocs=2)
    wanted = learn(CASE.build().double().train(), [0, 1, 2, 3])
    both = [torch.load(tmp_path / f'rank{rank}.pt') for rank in range(2)]
    for found in both:
        for name, value in wanted.items():
            assert_close(found[True][name], value, rtol=1e-8, atol=1e-10)
    alone = [found[False]['side.bn_post.running_mean'] for found in both]
    assert not torch.allclose(*alone)  # their own, without it


def test_evaluation_norms_with_the_running_statistics():
    model, video = CASE.build().eval(), CASE.batch(3)
    assert_close(model(video)[:1], model(video[:1]), rtol=0, atol=1e-4)
    before = model.side.bn_post.running_mean.clone()
    model(video)
    assert torch.equal(before, model.side.bn_post.running_mean)
    model.train()(video)
    assert not torch.equal(before, model.side.bn_post.running_mean)
