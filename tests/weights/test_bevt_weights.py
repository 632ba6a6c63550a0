"""From the image stage to the joint one, and from there to fine-tuning."""

import ast
import re

import pytest
import torch
from torch.testing import assert_close

from mmvidadapt.methods.bevt import names as bevt
from mmvidadapt.methods.bevt.names import (
    inflate_table,
    resize_table,
    to_video_swin,
)
from mmvidadapt.models import BEVTSwin, BEVTVideoSwin
from tests.golden import goldens, load_golden
from tests.methods.bevt_samples import TOY, arch_of, plain_arch, tiny_bevt

VIDEO = (2, 3, 8, 32, 32)


def saved(tmp_path, content, name='weights.pth'):
    torch.save(content, tmp_path / name)
    return str(tmp_path / name)


@pytest.fixture
def said(monkeypatch):
    """Collect what loading says of names: left out, and new."""
    lines = []
    monkeypatch.setattr(
        bevt, 'print_log', lambda text, **_: lines.append(text)
    )

    def read():
        (line,) = lines
        found = re.search(
            r'tensors, (\[.*\]) are left out; new are (.*)\.', line
        )
        return [set(ast.literal_eval(names)) for names in found.groups()]

    return read


def official(names):
    """Leave out indices and masks, which every model computes itself."""
    return {n for n in names if not n.endswith(('_index', '.attn_mask'))}


def not_read(source, window):
    """Name what is dropped before the names are compared."""
    plain = {bevt.PREFIX.sub('', name) for name in official(source)}
    return plain - set(to_video_swin(source, window))


@pytest.mark.parametrize('path', goldens('bevt_convert_*.pt'))
def test_joint_to_fine_tuning_is_the_official_conversion(path, tmp_path, said):
    golden = load_golden(path)
    meta = golden['meta']
    source = saved(tmp_path, dict(state_dict=golden['joint_state_dict']))
    arch = plain_arch(meta['finetune_kwargs'])
    model = BEVTVideoSwin(
        **arch,
        pretrained=source,
        pretrained_window_size=meta['pretrained_window_size'],
    )
    model.init_weights()
    last = f'norm{len(arch["arch"]["depths"]) - 1}'
    own = {
        name.replace(last, 'norm'): value
        for name, value in model.state_dict().items()
    }
    assert set(own) == set(golden['finetune_state_dict'])
    for name, value in golden['finetune_state_dict'].items():
        assert_close(own[name], value, rtol=0, atol=1e-6, msg=name)
    left, new = said()
    assert new == official(golden['finetune_missing'])
    left |= not_read(golden['joint_state_dict'], model.window_size)
    assert left == official(golden['finetune_unexpected'])


@pytest.mark.parametrize('path', goldens('bevt_convert_*.pt'))
def test_image_to_joint_is_the_official_conversion(path, tmp_path, said):
    golden = load_golden(path)
    meta = golden['meta']
    root, weights = meta['image_ckpt_root'], golden['image_state_dict']
    source = saved(tmp_path, {root: weights} if root else weights)
    arch = arch_of(meta['joint_kwargs'])
    side = 4 * 2 ** (len(arch['arch']['depths']) - 1)
    model = BEVTSwin(
        **arch,
        img_size=[side * window for window in arch['window_size'][1:]],
        pretrained=source,
    )
    before = {k: v.clone() for k, v in model.state_dict().items()}
    model.init_weights()
    own = model.state_dict()
    for name, value in golden['image_loaded'].items():
        assert_close(own[name], value, rtol=0, atol=1e-6, msg=name)
    left, new = said()
    assert new == official(golden['image_missing'])
    assert new == set(own) - set(golden['image_loaded'])
    left |= not_read(weights, model.window_size)
    assert left == official(golden['image_unexpected'])
    for name in new:
        assert_close(own[name], before[name], rtol=0, atol=0)


def stage(tmp_path, name, **kwargs):
    """Save a recognizer's checkpoint of a small random encoder."""
    model = tiny_bevt(**kwargs)
    weights = {f'backbone.{k}': v for k, v in model.state_dict().items()}
    weights['cls_head.lm_head.weight'] = torch.zeros(4, 32)
    return model, saved(tmp_path, dict(state_dict=weights, meta={}), name)


def fine_tuned(source):
    """Build the small model of fine-tuning on a checkpoint."""
    model = BEVTVideoSwin(TOY, 32, 8, window_size=(4, 2, 2), pretrained=source)
    model.init_weights()
    return model


def test_the_three_stages_follow_one_another_by_path(tmp_path):
    image, source = stage(
        tmp_path, 'image.pth', window_size=(1, 2, 2), streams=('image',)
    )
    joint = tiny_bevt(window_size=(4, 2, 2), pretrained=source)
    joint.init_weights()
    pictures = torch.randn(2, 3, 32, 32)
    mask = torch.rand(2, 8, 8) < 0.5
    assert_close(joint(pictures, mask), image(pictures, mask))
    # A clip that stands still looks like its image.
    still = pictures[:, :, None].expand(-1, -1, 8, -1, -1)
    assert_close(
        joint.embed(still, None, 'video')[:, :1],
        image.embed(pictures, None, 'image'),
    )
    weights = {f'backbone.{k}': v for k, v in joint.state_dict().items()}
    source = saved(tmp_path, dict(state_dict=weights), 'joint.pth')
    tuned = fine_tuned(source)
    video = torch.randn(VIDEO)
    features = joint.encode(video, None, 'video')[-1]
    assert_close(tuned(video), joint.norm(features).permute(0, 4, 1, 2, 3))


def test_an_image_stage_is_fine_tuned_on_video(tmp_path):
    image, source = stage(
        tmp_path, 'image.pth', window_size=(1, 2, 2), streams=('image',)
    )
    tuned = fine_tuned(source)
    weight = image.patch_embed_2d.proj.weight / 2
    for i in range(2):
        assert_close(tuned.patch_embed.proj.weight[:, :, i], weight)


def test_a_longer_window_is_found_out(tmp_path):
    _, source = stage(tmp_path, 'joint.pth', window_size=(2, 2, 2))
    tuned = fine_tuned(source)
    attn = tuned.layers[0].blocks[0].attn
    assert attn.relative_position_bias_table.shape == (7 * 9, 2)


def test_tables_are_resized_in_time():
    table = torch.randn(3 * 9, 2)
    assert resize_table(table, (2, 2, 2)) is table
    longer = resize_table(table, (3, 2, 2)).view(5, 9, 2)
    slabs = table.view(3, 9, 2)
    assert_close(longer[2], slabs[1])
    assert_close(longer[0], slabs[0])
    middle = resize_table(table, (1, 2, 2))
    assert_close(middle, slabs[1])
    flat = torch.randn(9, 2)
    assert_close(inflate_table(flat, (2, 2, 2)).view(3, 9, 2)[2], flat)
    larger = inflate_table(flat, (2, 3, 4)).view(3, 5 * 7, 2)
    picture = flat.t().view(1, 2, 3, 3)
    bicubic = torch.nn.functional.interpolate(picture, (5, 7), mode='bicubic')
    assert_close(larger[0], bicubic[0].flatten(1).t())


def test_tables_of_other_windows_are_named():
    for rows, windows in ((26, [(2, 2, 2)]), (27, [(2, 2, 2), (3, 2, 2)])):
        with pytest.raises(ValueError, match='pretrained_window_size'):
            resize_table(torch.zeros(rows, 2), *windows)
    with pytest.raises(ValueError, match='10 rows'):
        inflate_table(torch.zeros(10, 2), (2, 2, 2))


def test_weights_of_something_else_are_refused(tmp_path):
    source = saved(tmp_path, {'layers.0.blocks.0.w': torch.zeros(2)})
    with pytest.raises(ValueError, match='layers.0.blocks.0.norm1.weight'):
        tiny_bevt(pretrained=source).init_weights()
    _, source = stage(tmp_path, 'joint.pth')
    with pytest.raises(ValueError, match='of another size'):
        arch = dict(embed_dims=32, depths=(2, 2), num_heads=(2, 4))
        tiny_bevt(arch=arch, pretrained=source).init_weights()


def test_what_a_pooling_model_has_for_its_norm():
    weights = {
        'encoder.patch_embed.proj.weight': torch.randn(8, 3, 4, 4),
        'encoder.norm.weight': torch.zeros(8),
        'encoder.fc_norm.weight': torch.ones(8),
        'head.weight': torch.zeros(2, 8),
        'encoder.layers.0.blocks.1.attn_mask': torch.zeros(1),
    }
    renamed = to_video_swin(weights, (2, 2, 2))
    assert sorted(renamed) == [
        'norm.weight',
        'patch_embed.proj.weight',
        'patch_embed_2d.proj.weight',
    ]
    assert renamed['norm.weight'].all()


def test_fine_tuning_saves_no_indices():
    model = BEVTVideoSwin(TOY, 32, 8, window_size=(2, 2, 2))
    assert not any('index' in name for name in model.state_dict())
    old = dict(model.state_dict())
    old['norm.weight'] = old.pop('norm1.weight') + 1
    old['layers.0.blocks.0.attn.relative_position_index'] = torch.zeros(8, 8)
    model.load_state_dict(old, strict=True)
    assert model.norm1.weight.eq(2).all()
    assert model.train() is model and model.eval() is model


def test_clips_of_another_size_are_named():
    model = BEVTVideoSwin(TOY, 32, 8, window_size=(2, 2, 2))
    with pytest.raises(ValueError, match=r'expects \(B, 3, 8, 32, 32\)'):
        model(torch.zeros(1, 3, 4, 32, 32))
