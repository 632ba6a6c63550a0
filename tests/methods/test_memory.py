"""What AIM keeps for the backward pass, at full size.

The official model keeps 1,313 MiB: ViT-B/16, 8 frames, float32, one clip.
"""

import pytest
import torch

from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.models import AIM

BOUNDS = {False: 870, 'mlp': 700, True: 150}  # MiB


@pytest.fixture(scope='module')
def saved_mib():
    """Measure once for each way of checkpointing."""
    torch.manual_seed(0)
    video, saved = torch.randn(1, 3, 8, 224, 224), {}
    for with_cp in BOUNDS:
        aim = AIM(with_cp=with_cp).train()
        saved[with_cp] = saved_bytes(aim, lambda m=aim: m(video)) / 2**20
    return saved


@pytest.mark.parametrize('with_cp', BOUNDS)
def test_bytes_saved_for_backward(saved_mib, with_cp):
    assert 0 < saved_mib[with_cp] <= BOUNDS[with_cp]


def test_each_way_saves_less_than_the_one_before(saved_mib):
    assert saved_mib[True] < saved_mib['mlp'] < saved_mib[False]
    inputs = 12 * 8 * 197 * 768 * 4 / 2**20  # of the blocks, float32
    assert saved_mib[True] > inputs  # the count sees into checkpoints


def test_the_count_is_what_autograd_keeps():
    """One linear layer and one product, counted by hand."""
    layer = torch.nn.Linear(8, 4)
    x = torch.randn(5, 8)
    halves = layer(x).chunk(2)  # one storage

    def run():
        return halves[0] * halves[0] + halves[1][:2].exp().sum()

    # exp keeps its output of 2 x 4; the product keeps one storage of 5 x 4
    assert saved_bytes(layer, run) == 4 * (5 * 4 + 2 * 4)
    # the layer keeps x, and its weight, which does not count
    x.requires_grad_()
    assert saved_bytes(layer, lambda: layer(x)) == 4 * 5 * 8
