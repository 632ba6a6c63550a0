"""Checkpoints as EVL's authors release them load by path alone."""

import pytest
import torch
from mmengine.runner import load_checkpoint

from mmvidadapt.models import EVL, ImageViT
from mmvidadapt.weights import load_pretrained, to_native
from mmvidadapt.weights.load_hooks import compare
from tests.golden import assert_output, goldens, load_golden
from tests.methods.cases.evl import recognizer
from tests.methods.test_evl import tiny_evl

every_golden = pytest.mark.parametrize('path', goldens('evl_*.pt'))


def release(golden, folder, nested=True, prefix='module.'):
    """Save what the official training saves; give its path."""
    weights = {prefix + k: v for k, v in golden['state_dict'].items()}
    content = dict(model=weights, optimizer={}, next_step=5)
    torch.save(content if nested else weights, folder / 'released.pth')
    return str(folder / 'released.pth')


def save_trunk(golden, folder):
    torch.save(golden['clip_visual_state_dict'], folder / 'clip.pt')
    return str(folder / 'clip.pt')


@pytest.mark.parametrize('nested', [True, False])
@pytest.mark.parametrize('prefix', ['module.', ''])
@every_golden
def test_released_files_load_by_path_alone(path, nested, prefix, tmp_path):
    golden = load_golden(path)
    trunk = save_trunk(golden, tmp_path)
    model = recognizer(golden, pretrained=trunk)
    released = release(golden, tmp_path, nested, prefix)
    assert not compare(model, torch.load(released))  # what StrictLoadHook sees
    load_checkpoint(model, released, strict=True)
    scores = model(golden['input'][:, None], stage='head')
    assert_output(scores.detach(), golden['output'])


def test_a_fine_tuned_file_serves_as_pretrained(tmp_path):
    path = goldens('evl_finetune_*.pt')[-1].values[0]
    if path is None:
        pytest.skip('no golden of fine-tuning')
    golden = load_golden(path)
    model = recognizer(golden, pretrained=release(golden, tmp_path))
    model.backbone.init_weights()
    own = model.backbone.state_dict()
    for name, value in to_native(golden['state_dict']).items():
        torch.testing.assert_close(own[name], value)


def test_image_weights_leave_out_what_evl_does_not_read(tmp_path):
    weights = ImageViT(arch='tiny', img_size=(16, 24)).state_dict()
    torch.save(weights, tmp_path / 'clip.pth')
    assert 'ln_post.weight' in weights and 'conv1.bias' not in weights
    evl = tiny_evl(pretrained=str(tmp_path / 'clip.pth'))
    evl.init_weights()
    own = evl.state_dict()
    for name, value in weights.items():
        if 'ln_post' not in name:
            torch.testing.assert_close(own[name], value)
    assert not own['conv1.bias'].any()


def test_a_decoder_alone_needs_a_trunk():
    evl = tiny_evl()
    decoder = {k: v for k, v in evl.state_dict().items() if 'decoder' in k}
    with pytest.raises(RuntimeError, match='Missing.*class_embedding'):
        evl.load_state_dict(decoder)


def test_our_own_decoder_takes_the_trunk_of_its_config(tmp_path):
    evl = tiny_evl()
    trunk = {k: v for k, v in evl.state_dict().items() if 'decoder' not in k}
    torch.save(trunk, tmp_path / 'trunk.pth')
    other = EVL(
        arch='tiny',
        img_size=(16, 24),
        num_frames=4,
        decoder_num_layers=2,
        pretrained=str(tmp_path / 'trunk.pth'),
    )
    decoder = {k: v for k, v in evl.state_dict().items() if 'decoder' in k}
    other.load_state_dict(decoder, strict=True)
    for name, value in evl.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], value)


def test_weights_of_another_width_are_named(tmp_path):
    arch = dict(embed_dims=48, num_layers=2, num_heads=2, patch_size=8)
    wide = tiny_evl(arch=arch)
    torch.save(wide.state_dict(), tmp_path / 'wide.pth')
    with pytest.raises(ValueError, match=r'class_embedding: \(48,\).*\(32,\)'):
        load_pretrained(tiny_evl(), str(tmp_path / 'wide.pth'))
    with pytest.raises(RuntimeError, match=r'\[48\].*\[32\]'):
        tiny_evl().load_state_dict(wide.state_dict())
