"""BEVT on a TimeSformer: mmaction2's model, masked, and single frames."""

import pytest
import torch
from einops import rearrange
from mmaction.models import TimeSformer
from torch.testing import assert_close

from mmvidadapt.models import BEVTTimeSformer
from tests.methods.bevt_samples import batch, build, tiny_pretrainer

VIDEO, IMAGE = (2, 3, 4, 32, 32), (2, 3, 32, 32)


def tiny(**kwargs):
    torch.manual_seed(0)
    model = BEVTTimeSformer('tiny', 32, 8, 4, **kwargs)
    for param in model.parameters():
        torch.nn.init.normal_(param, std=0.2)
    return model.eval()


@pytest.fixture
def host():
    """mmaction2's model with the same weights, and what its norm gives."""
    model = TimeSformer(
        4, 32, 8, embed_dims=32, num_heads=2, num_transformer_layers=2
    ).eval()
    weights = tiny().state_dict()
    del weights['mask_token']
    model.load_state_dict(weights, strict=True)
    model.norm.register_forward_hook(
        lambda _, args, out: setattr(model, 'seen', out)
    )
    return model


def test_clips_are_those_of_mmaction2(host):
    video = torch.randn(VIDEO)
    host(video)
    theirs = rearrange(host.seen[:, 1:], 'b (n t) c -> (b t n) c', t=4)
    assert_close(tiny()(video), theirs)


def test_an_image_is_a_vit():
    """Without temporal parts what is left is a pre-norm ViT."""
    model, images = tiny(), torch.randn(IMAGE)
    x = model.patch_embed.projection(images).flatten(2).transpose(1, 2)
    cls = model.cls_token.expand(2, -1, -1)
    x = torch.cat([cls, x], 1) + model.pos_embed
    for layer in model.transformer_layers.layers:
        spatial, ffn = layer.attentions[1], layer.ffns[0]
        h = spatial.norm(x).transpose(0, 1)
        x = x + spatial.attn(h, h, h)[0].transpose(0, 1)
        h = torch.nn.functional.gelu(ffn.layers[0][0](ffn.norm(x)))
        x = x + ffn.layers[1](h)
    assert_close(model(images), model.norm(x[:, 1:]).flatten(0, 1))


@pytest.mark.parametrize('stream', ['video', 'image'])
def test_masked_rows_are_those_of_the_whole_map(stream):
    model = tiny()
    x = torch.randn(VIDEO if stream == 'video' else IMAGE)
    times = (4,) if stream == 'video' else ()
    mask = torch.rand(2, *times, 4, 4) < 0.4
    whole = model(x, mask, dense=True)
    assert_close(model(x, mask), whole[mask.flatten()])
    broken = torch.full_like(x, torch.nan)
    hidden = torch.ones_like(mask)
    assert_close(model(x, hidden), model(broken, hidden))


def test_both_streams_learn_and_checkpoint():
    config = tiny_pretrainer()
    config['backbone'] = dict(
        type='BEVTTimeSformer',
        arch='tiny',
        img_size=32,
        patch_size=8,
        num_frames=4,
    )
    config['tokenizer']['input_size'] = 4
    torch.manual_seed(1)
    video = batch(
        torch.randn(VIDEO),
        torch.rand(2, 4, 4, 4) < 0.5,
        torch.randint(16, (2, 4, 4, 4)),
    )
    image = batch(
        torch.randn(IMAGE),
        torch.rand(2, 4, 4) < 0.5,
        torch.randint(16, (2, 4, 4)),
    )
    grads = {}
    for with_cp in (False, True):
        config['backbone']['with_cp'] = with_cp
        model = build(config).eval()
        for param in model.parameters():
            torch.nn.init.normal_(param, std=0.2)
        torch.manual_seed(2)
        for param in model.parameters():
            torch.nn.init.normal_(param, std=0.2)
        losses = model(video, image, mode='loss')
        (losses['loss_cls_3d'] + losses['loss_cls_2d']).backward()
        grads[with_cp] = {n: p.grad for n, p in model.named_parameters()}
    for name, grad in grads[False].items():
        assert grad is not None and grad.abs().sum() > 0, name
        assert_close(grads[True][name], grad, msg=name)


def test_images_alone_leave_time_as_it_is():
    model = tiny(streams=('image',))
    frozen = {n for n, p in model.named_parameters() if not p.requires_grad}
    assert frozen == {
        name
        for name, _ in model.named_parameters()
        if name == 'time_embed' or '.attentions.0.' in name
    }
    model(torch.randn(IMAGE)).square().sum().backward()
    for name, param in model.named_parameters():
        if name != 'mask_token':
            assert (param.grad is not None) == param.requires_grad, name


def test_the_joint_stage_starts_where_images_have_ended(tmp_path):
    first = tiny(streams=('image',))
    weights = {f'backbone.{k}': v for k, v in first.state_dict().items()}
    weights['cls_head.lm_head.bias'] = torch.zeros(4)
    path = str(tmp_path / 'image.pth')
    torch.save(dict(state_dict=weights), path)
    joint = BEVTTimeSformer('tiny', 32, 8, 4, pretrained=path).eval()
    joint.init_weights()
    images = torch.randn(IMAGE)
    assert_close(joint(images), first(images))


def test_bad_sizes_are_named():
    with pytest.raises(ValueError, match='not a multiple of patch_size=8'):
        BEVTTimeSformer('tiny', 36, 8, 4)
    with pytest.raises(ValueError, match=r'expects \(B, 3, 4, 32, 32\) or'):
        tiny()(torch.zeros(1, 3, 2, 32, 32))
