"""AttentiveProbe: what its tokens are, and whether their order counts."""

import math

import torch
from torch.testing import assert_close

from mmvidadapt.models import AttentiveProbe, ImageViT
from tests.methods.cases import REGISTERS

GIVEN = dict(arch='tiny', img_size=(16, 24), num_frames=4)


def probe(**given):
    torch.manual_seed(0)
    return AttentiveProbe(**{**GIVEN, **given}).eval()


def test_the_order_of_frames_counts_where_time_has_positions():
    clip = torch.randn(2, 3, 4, 16, 24)
    other = clip[:, :, [2, 0, 3, 1]]
    blind, told = probe(time_positions=None), probe()
    assert_close(blind(clip), blind(other), rtol=0, atol=1e-6)
    assert (told(clip) - told(other)).abs().max() > 1e-4


@torch.no_grad()
def test_tokens_are_normed_patches_and_sines_of_the_frame():
    clip = torch.randn(2, 3, 4, 16, 24)
    model = probe(dialect=REGISTERS, out_indices=(0, 1))
    weights = {
        k: v for k, v in model.state_dict().items() if k[:6] != 'probe.'
    }
    sizes = dict(GIVEN, dialect=REGISTERS, out_type='avg_featmap')
    del sizes['num_frames']
    vit = ImageViT(**sizes).eval()
    vit.load_state_dict(weights)
    x, wanted = vit.ln_pre(vit.embed(clip)), []
    for block in vit.transformer.resblocks:
        x = block(x)
        patches = vit.ln_post(x)[:, 4:].unflatten(0, (2, 4))  # (B, T, N, C)
        for t in range(4):
            for c in range(16):
                angle = t / 10000 ** (c / 16)
                patches[:, t, :, c] += math.sin(angle)
                patches[:, t, :, 16 + c] += math.cos(angle)
        wanted.append(patches.flatten(1, 2))  # (B, T*N, C)
    assert_close(model.tokens(model.taps(clip)), torch.cat(wanted, 1))
