"""AIM in other modes: drop path, autocast, checkpointing, wrong arguments."""

import pytest
import torch
from torch.testing import assert_close

from mmvidadapt.models import ImageViT
from mmvidadapt.trunks.vit import DIALECTS
from tests.methods.test_aim import VIDEO, randomize_trained, tiny_aim


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


def test_overrides_of_what_is_trained():
    aim = tiny_aim(trainable=(r'ln_post\..*',))
    assert {n for n, p in aim.named_parameters() if p.requires_grad} == {
        'ln_post.weight',
        'ln_post.bias',
    }
    assert all(
        p.requires_grad for p in tiny_aim(full_finetune=True).parameters()
    )


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
