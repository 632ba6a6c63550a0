"""AIM on Swin: what its case in ``cases/`` does not say."""

import pytest
import torch
from torch.testing import assert_close

from mmvidadapt.models import AIMSwin
from tests.methods.cases.aim import TOY

VIDEO = (2, 3, 4, 64, 32)  # (B, 3, T, H, W)


def tiny_swin(**given):
    torch.manual_seed(0)
    return AIMSwin(arch=TOY, img_size=VIDEO[-2:], num_frames=4, **given)


def test_an_embedding_of_frames_is_trained_and_tables_are_kept():
    trained = {
        relative: {
            name
            for name, param in tiny_swin(
                t_relative=relative
            ).named_parameters()
            if param.requires_grad
        }
        for relative in (True, False)
    }
    assert trained[False] - trained[True] == {'temporal_embedding'}
    table = 'layers.0.blocks.0.attn.temporal_position_bias_table'
    assert table in tiny_swin().state_dict() and table not in trained[True]


@pytest.mark.parametrize(
    'switched_off, adapter',
    [('temporal', 't'), ('spatial', 's'), ('joint', 'mlp')],
)
@torch.no_grad()
def test_switching_off_is_zeroing(switched_off, adapter):
    full, video = tiny_swin().eval(), torch.randn(VIDEO)
    for param in full.parameters():
        if param.requires_grad:
            torch.nn.init.normal_(param, std=0.1)
    before = full(video)
    for name, param in full.named_parameters():
        if f'.{adapter}_adapter.up.' in name:
            param.zero_()
    rest = {'spatial', 'temporal', 'joint'} - {switched_off}
    ablated = tiny_swin(adapt=tuple(rest)).eval()
    weights = full.state_dict()
    ablated.load_state_dict({k: weights[k] for k in ablated.state_dict()})
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
