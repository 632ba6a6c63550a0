"""ZeroI2V beside its equations, and merged."""

import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import nn
from torch.testing import assert_close

from mmvidadapt.methods.zeroi2v.block import shift_heads
from mmvidadapt.trunks.dialects import read_dialect
from mmvidadapt.weights import rename_official_, to_native
from tests.methods.cases.zeroi2v import BLOCK, CASES, VIT
from tests.methods.test_every_trunk import FAMILIES, sizes

SHIFTED, CASE = CASES
OFFICIAL = dict(
    attn_adapter_in='T_Adapter_in',
    attn_adapter_out='S_Adapter',
    mlp_adapter_in='MLP_Adapter',
    mlp_adapter_out='MLP_Adapter_out',
)


def build(case=CASE, **given):
    return case.build(**given).double().eval()


def norm(w, x, name):
    return F.layer_norm(x, (32,), w[f'{name}.weight'], w[f'{name}.bias'])


def layer(w, x, name, dot='.'):
    return x @ w[f'{name}{dot}weight'].T + w[f'{name}{dot}bias']


def adapt(w, u, name, scale):
    return u + scale * layer(w, layer(w, u, f'{name}.down'), f'{name}.up')


def read_neighbours(x, t, shifts, width):
    """Look every frame and every group of heads up."""
    found = x.clone()
    for f in range(len(x)):
        for g, by in enumerate(shifts):
            if 0 <= f % t + by < t:
                own = slice(g * width, (g + 1) * width)
                found[f, :, own] = x[f + by, :, own]
    return found


def written_down(model, video, scale, shifts, width):
    """Write the equations down once more, one head at a time."""
    state, t = model.state_dict(), video.shape[2]
    frames = video.transpose(1, 2).flatten(0, 1)
    x = F.conv2d(frames, state['conv1.weight'], stride=8)
    x = x.flatten(2).transpose(1, 2)  # (B*T, N, C)
    first = state['class_embedding'].expand(len(x), 1, 32)
    x = torch.cat([first, x], 1) + state['positional_embedding']
    time = state['temporal_embedding'][0].repeat(len(video), 1)
    x = norm(state, x + time[:, None], 'ln_pre')
    for i in range(2):
        w = {k.removeprefix(BLOCK.format(i)): v for k, v in state.items()}
        h = adapt(w, norm(w, x, 'ln_1'), 'attn_adapter_in', scale)
        q, k, v = layer(w, h, 'attn.in_proj', '_').chunk(3, -1)
        k, v = (read_neighbours(y, t, shifts, width) for y in (k, v))
        out = []
        for m in range(4):
            own = slice(8 * m, 8 * m + 8)
            scores = q[..., own] @ k[..., own].mT * 8**-0.5
            out.append(scores.softmax(-1) @ v[..., own])
        h = layer(w, torch.cat(out, -1), 'attn.out_proj')
        x = x + adapt(w, h, 'attn_adapter_out', scale)
        h = adapt(w, norm(w, x, 'ln_2'), 'mlp_adapter_in', scale)
        h = layer(w, h, 'mlp.c_fc')
        h = layer(w, h * torch.sigmoid(1.702 * h), 'mlp.c_proj')
        x = x + adapt(w, h, 'mlp_adapter_out', scale)
    x = norm(state, x[:, 0], 'ln_post')  # (B*T, C)
    return x.unflatten(0, (-1, t)).mT[..., None, None]


@pytest.mark.parametrize('shifts', [(-1, 1), (-1, 1, -2, 2), (3,)])
@pytest.mark.parametrize('lean', [True, False])
def test_it_is_what_the_paper_writes(shifts, lean):
    model = build(shifts=shifts, lean=lean, adapter_scale=0.7)
    video = CASE.batch().double()
    wanted = written_down(model, video, 0.7, shifts, 8)
    assert_close(model(video), wanted, rtol=0, atol=1e-10)


def test_heads_keep_their_own_where_no_frame_is():
    x = torch.arange(3.0)[:, None, None, None].expand(3, 4, 1, 1)
    found = shift_heads(x, 3, (-1, 1, -2), 1)[..., 0, 0].T.tolist()
    assert found == [[0, 0, 1], [1, 2, 2], [0, 1, 0], [0, 1, 2]]


def test_frames_that_are_equal_are_seen_as_images():
    model = build(random=False)
    image = MODELS.build(dict(type='ImageViT', arch=VIT['arch'], img_size=16))
    own = model.state_dict()
    image.load_state_dict({k: own[k] for k in image.state_dict()})
    still = CASE.batch().double()[:, :, :1].expand(-1, -1, 4, -1, -1)
    assert_close(model(still), image.double().eval()(still))


def test_order_is_seen_and_only_through_neighbours():
    model, video = build(), CASE.batch().double()
    nn.init.zeros_(model.temporal_embedding)
    with torch.no_grad():
        there, turned = model(video), model(video[:, :, [2, 0, 3, 1]])
        far = video.clone()
        far[:, :, 3] += 1
        moved = (model(far) - there).abs().amax((0, 1, 3, 4))
    assert (turned.mean(2) - there.mean(2)).abs().max() > 1e-3
    # Two blocks reach two frames.
    assert (moved[1:] > 1e-6).all() and moved[0] == 0


@pytest.mark.parametrize('family', FAMILIES)
@pytest.mark.parametrize('tuned', [False, True])
def test_merged_it_is_a_vit_with_a_shift(family, tuned):
    given = {**sizes(family), 'full_finetune': tuned}
    given['arch'] = dict(given['arch'], num_heads=4)
    model, video = CASE.build(**given).eval(), CASE.batch()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    vit = model.merge()
    wanted = model(video).detach()
    assert type(vit).__name__ == 'ShiftedViT'
    assert not any('adapter' in n for n, _ in vit.named_parameters())
    assert not any(p.requires_grad for p in vit.parameters())
    size = wanted.abs().max()
    assert_close(vit(video), wanted, rtol=0, atol=1e-5 * size)
    assert all(
        torch.equal(v, before[k]) for k, v in model.state_dict().items()
    )
    again = MODELS.build(model.plain_config())
    traits = read_dialect(again.built_as['dialect'] or 'clip')
    assert traits.get('key_bias', True)  # merged keys have one
    again.load_state_dict(vit.state_dict())
    model.transformer.resblocks[0].mlp_adapter_out.up.bias.data[0] += 1
    assert (model.merge()(video) - wanted).abs().max() > 1e-3 * size


def test_what_is_not_one_matrix_is_not_merged():
    model = build()
    model.transformer.resblocks[1].mlp.c_fc = nn.Sequential(nn.Linear(32, 128))
    with pytest.raises(ValueError, match=r'1\.mlp\.c_fc is a Sequential'):
        model.merge()


def test_dropout_is_between_the_layers_of_the_adapters():
    model = CASE.build(adapter_dropout=0.9).train()
    video = CASE.batch()
    assert not torch.equal(model(video), model(video))
    assert torch.equal(model.eval()(video), model(video))


def test_official_names_become_ours():
    own, theirs = build().state_dict(), {}
    for key, value in own.items():
        for ours, name in OFFICIAL.items():
            key = key.replace(f'.{ours}.down', f'.{name}.D_fc1')
            key = key.replace(f'.{ours}.up', f'.{name}.D_fc2')
        theirs[key] = value
    assert len(set(theirs) - set(own)) == 2 * 4 * 4
    assert set(to_native(dict(theirs))) == set(own)
    rename_official_(theirs)
    assert set(theirs) == set(own)
