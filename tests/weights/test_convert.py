"""Every layout is recognized, and every name is accounted for."""

import pytest
import torch
from safetensors.torch import save_file

from mmvidadapt.weights import load_weights_file, to_native
from mmvidadapt.weights.layouts.convert import convert
from tests.golden import goldens, load_golden

from . import foreign
from .samples import layer, random_weights, same, swin, vit

IMAGES = {
    'openai-clip': foreign.openai_clip,
    'clip-visual': foreign.clip_visual,
    'hf-clip': foreign.hf_clip,
    'hf-vit': foreign.hf_vit,
    'timm-vit': foreign.timm_vit,
    'mmpretrain-vit': foreign.mmpretrain_vit,
    'aim-imagenet': foreign.aim_imagenet,
    'aim-swin': foreign.aim_swin,
    'swin-2d': foreign.swin_2d,
    'native': lambda: (vit(), vit()),
}
WHOLE = {'aim-clip': foreign.aim_clip, 'native': foreign.native_recognizer}
# Golden to layout, and whether it holds backbone and head.
GOLDENS = {
    'aim_recognizer_*.pt': ('aim-clip', True),
    'aim_vit_clip_*.pt': ('aim-clip', False),
    'aim_vit_imagenet_*.pt': ('aim-imagenet', False),
    'aim_swin_*.pt': ('aim-swin', False),
    'clip_visual_*.pt': ('openai-clip', False),
    'dualpath_[ab]*.pt': ('dualpath', True),
    'evl_*.pt': ('evl', True),
    'vivit_hf_*.pt': ('vivit-hf', True),
    'vivit_model*.pt': ('vivit-scenic', True),
    'bevt_joint_*.pt': ('bevt-joint', False),
    'bevt_finetune_*.pt': ('video-swin', True),
}


def accounted(theirs, found):
    """Every name of theirs is matched or left over, and ours come of it."""
    assert sorted([*found.matches, *found.leftovers]) == sorted(theirs)
    assert set(found.matches.values()) == set(found.weights)


@pytest.mark.parametrize('name', IMAGES)
def test_backbones_are_taken_out(name):
    theirs, ours = IMAGES[name]()
    found = convert(theirs)
    assert found.layout == name and not found.whole
    same(found.weights, ours)
    same(to_native(theirs, 'swin' if 'swin' in name else 'vit'), ours)
    accounted(theirs, found)
    for a, b in found.matches.items():
        if theirs[a].numel() == ours[b].numel():
            same({b: theirs[a].flatten()}, {b: ours[b].flatten()})
        elif 'qkv' not in b and 'in_proj' not in b:
            assert b == 'patch_embed.proj.weight'


@pytest.mark.parametrize('name', WHOLE)
def test_recognizers_stay_whole(name):
    theirs, ours = WHOLE[name]()
    found = convert(theirs)
    same(to_native(theirs), ours)
    assert found.layout == name and found.whole
    head = {k: v for k, v in theirs.items() if 'cls_head' in k}
    same(found.weights, {**foreign.under('backbone.', ours), **head})
    accounted(theirs, found)
    assert not found.leftovers


@pytest.mark.parametrize(
    'path, layout, whole',
    [
        pytest.param(*path.values, *expected, id=path.id)
        for pattern, expected in GOLDENS.items()
        for path in goldens(pattern)
        if path.values[0]
    ],
)
def test_layouts_of_goldens_are_recognized(path, layout, whole):
    golden = load_golden(path)
    theirs = golden['state_dict']
    before = dict(theirs)
    found = convert(theirs)
    assert (found.layout, found.whole) == (layout, whole)
    accounted(theirs, found)
    same(theirs, before)
    again = convert(found.weights)  # ours already, but for BEVT's Swin
    same(again.weights, found.weights)


@pytest.mark.parametrize('path', goldens('vivit_*_checkpoint'))
def test_paths_of_flax_are_followed(path):
    theirs = load_weights_file(path)
    found = convert(theirs)
    assert found.layout == 'vivit-scenic' and found.whole
    accounted(theirs, found)
    kernel = next(k for k in theirs if k.endswith('MlpBlock_0/Dense_0/kernel'))
    own = found.weights[found.matches[kernel]]
    assert torch.equal(own, theirs[kernel].T)


def test_image_swins_stay_as_they_are_for_bevt():
    theirs, _ = foreign.swin_2d()
    found = convert(theirs, 'bevt')
    assert found.layout == 'swin-2d'
    accounted(theirs, found)
    assert found.weights['patch_embed.proj.weight'].ndim == 4
    stage = {f'encoder.{k}': v for k, v in theirs.items()}
    stage['encoder.mask_token'] = torch.zeros(1, 1, 8)
    found = convert(stage)
    assert found.layout == 'bevt-image'
    accounted(stage, found)
    assert 'mask_token' in found.weights
    assert found.weights['patch_embed.proj.weight'].ndim == 4
    joint = {**stage, 'encoder.patch_embed_2d.norm.bias': torch.zeros(8)}
    assert convert(joint).layout == 'bevt-joint'


def test_heads_of_image_models_are_left_out():
    theirs, ours = foreign.timm_vit()
    head = random_weights(layer('cls_head.fc_cls', 3, 8))
    found = convert({**foreign.under('backbone.', theirs), **head})
    assert not found.whole
    same(found.weights, ours)
    assert {'cls_head.fc_cls.weight', 'backbone.head.bias'} <= set(
        found.leftovers
    )


@pytest.mark.parametrize(
    'weights, reason',
    [
        ({'a.weight': torch.ones(1)}, 'unknown layout'),
        (
            {**foreign.timm_vit()[0], 'rope': torch.ones(1)},
            "place for .'rope'",
        ),
    ],
)
def test_unknown_names_are_refused(weights, reason):
    with pytest.raises(ValueError, match=reason):
        convert(weights)


def test_video_swins_are_no_image_swins(tmp_path):
    found = convert({**swin(), **foreign.buffers()})
    assert found.layout == 'video-swin' and len(found.leftovers) == 2
    same(found.weights, swin())
    save_file(found.weights, tmp_path / 'x.safetensors')
    same(
        to_native(load_weights_file(tmp_path / 'x.safetensors'), 'swin'),
        swin(),
    )
