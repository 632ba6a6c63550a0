"""EVL: the four tests of a method, goldens, wrong arguments, the head."""

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch.testing import assert_close

from mmvidadapt.models import EVL
from mmvidadapt.weights import rename_official_, to_native
from tests.golden import assert_gradients, assert_output, goldens, load_golden

VIDEO = (2, 3, 4, 16, 24)  # (B, 3, T, H, W)
TEMPORAL = ('conv', 'position', 'motion')
SWITCHES = [(), *((name,) for name in TEMPORAL), TEMPORAL]
ENABLED = dict(
    conv='enable_temporal_conv',
    position='enable_temporal_pos_embed',
    motion='enable_temporal_cross_attention',
)
every_golden = pytest.mark.parametrize('path', goldens('evl_*.pt'))


def tiny_evl(**kwargs):
    torch.manual_seed(0)
    given = dict(
        arch='tiny', img_size=VIDEO[-2:], num_frames=4, decoder_num_layers=2
    )
    return EVL(**{**given, **kwargs})


def randomize(module, trained_only=True):
    for param in module.parameters():
        if param.requires_grad or not trained_only:
            torch.nn.init.normal_(param, std=0.2)


def learns(param):
    return param.grad is not None and bool(param.grad.any())


def recognizer(golden, **overrides):
    """Build the whole model of a golden, as a config would."""
    kwargs, preset = (
        golden['meta']['kwargs'],
        golden['meta']['backbone_preset'],
    )
    backbone = dict(
        type='EVL',
        arch=dict(
            embed_dims=preset['feature_dim'],
            num_layers=preset['num_layers'],
            num_heads=preset['num_heads'],
            patch_size=preset['patch_size'][0],
            mlp_ratio=preset['mlp_factor'],
        ),
        img_size=tuple(preset['input_size']),
        num_frames=kwargs['num_frames'],
        temporal=[name for name in TEMPORAL if kwargs[ENABLED[name]]],
        decoder_num_layers=kwargs['decoder_num_layers'],
        decoder_qkv_dims=kwargs['decoder_qkv_dim'],
        decoder_num_heads=kwargs['decoder_num_heads'],
        decoder_mlp_ratio=kwargs['decoder_mlp_factor'],
        full_finetune=kwargs['backbone_mode'] == 'finetune',
    )
    head = dict(
        type='EVLHead',
        num_classes=kwargs['num_classes'],
        in_channels=preset['feature_dim'],
    )
    model = dict(
        type='EVLRecognizer',
        backbone={**backbone, **overrides},
        cls_head=head,
        data_preprocessor=dict(type='ActionDataPreprocessor'),
    )
    model = MODELS.build(model).eval()
    return model.double() if golden['input'].dtype == torch.float64 else model


def load_official(model, golden):
    """Load the image weights, then what the official code saves."""
    clip = golden.get('clip_visual_state_dict')
    if clip is not None:
        trunk = {
            k: v for k, v in to_native(clip).items() if 'ln_post' not in k
        }
        missing, unknown = model.backbone.load_state_dict(trunk, strict=False)
        assert unknown == []
        assert all(k.startswith(('decoder.', 'conv1.bias')) for k in missing)
    own = model.state_dict()
    missing, unknown = model.load_state_dict(golden['state_dict'], False)
    frozen = [f'backbone.{name}' for name in model.backbone.trunk()]
    assert unknown == []
    assert missing == ([] if model.backbone.trunk_learns else frozen)
    return own


def renamed_gradients(golden):
    """Names are ours, and queries, keys and values fused."""
    whole = dict(golden['grads'])
    head = {'proj.0': 'norm', 'proj.2': 'fc_cls'}
    ours = {
        f'cls_head.{head[name[:6]]}{name[6:]}': whole.pop(name)
        for name in list(whole)
        if name.startswith('proj.')
    }
    rename_official_(whole)
    return {**{f'backbone.{k}': v for k, v in whole.items()}, **ours}


def test_position_and_motion_start_at_zero():
    plain = tiny_evl(temporal=('conv',)).eval()
    every = tiny_evl().eval()
    every.load_state_dict(plain.state_dict(), strict=False)
    assert not every.decoder.cls_token.any()
    with torch.no_grad():
        every.decoder.cls_token.normal_()
        plain.decoder.cls_token.copy_(every.decoder.cls_token)
    video = torch.randn(VIDEO)
    assert_close(every(video), plain(video))
    conv = every.decoder.layers[0].temporal_conv
    assert conv.weight.std() > 0.2  # as PyTorch makes it, not zero


@pytest.mark.parametrize('temporal', SWITCHES)
def test_only_the_decoder_is_trained(temporal):
    evl = tiny_evl(temporal=temporal)
    parts = ['norm1', 'norm2', 'norm3', 'mlp.fc1', 'mlp.fc2']
    parts += [f'attn.{name}_proj' for name in ('q', 'k', 'v', 'out')]
    parts += ['temporal_conv'] * ('conv' in temporal)
    names = [f'{part}.{p}' for part in parts for p in ('weight', 'bias')]
    names += ['temporal_pos_embed'] * ('position' in temporal)
    names += ['motion.w1', 'motion.w2'] * ('motion' in temporal)
    assert {n for n, p in evl.named_parameters() if p.requires_grad} == {
        'decoder.cls_token'
    } | {f'decoder.layers.{i}.{name}' for i in (0, 1) for name in names}


@pytest.mark.parametrize('full_finetune', [False, True])
@pytest.mark.parametrize('temporal', SWITCHES)
def test_gradients_reach_exactly_what_is_trained(temporal, full_finetune):
    evl = tiny_evl(temporal=temporal, full_finetune=full_finetune)
    randomize(evl)
    evl(torch.randn(VIDEO)).square().mean().backward()
    for name, param in evl.named_parameters():
        assert learns(param) == param.requires_grad, name


@every_golden
def test_matches_the_official_code(path):
    golden = load_golden(path)
    model = recognizer(golden)
    load_official(model, golden)
    scores = model(golden['input'][:, None], stage='head')
    assert_output(scores, golden['output'])
    (scores * golden['w']).sum().backward()
    assert_gradients(model, renamed_gradients(golden))


@every_golden
def test_taps_are_those_of_the_official_code(path):
    golden = load_golden(path)
    model = recognizer(golden)
    load_official(model, golden)
    taps = model.backbone.taps(golden['input'])
    for i, (x, _) in enumerate(taps):
        wanted = golden['intermediates'][f'tap{i}.out']
        assert_output(x.flatten(0, 1).detach(), wanted)


@pytest.mark.parametrize(
    'wrong,message',
    [
        (dict(frames=4), 'frames'),
        (dict(decoder_num_layers=3), 'decoder_num_layers=3.*trunk has 2'),
        (dict(decoder_num_layers=0), 'decoder_num_layers=0.*1 to 2'),
        (dict(decoder_num_layers=2.0), r'decoder_num_layers=2\.0.*whole'),
        (dict(num_frames=0), 'num_frames=0: give 1'),
        (dict(num_frames=4.0), r'num_frames=4\.0'),
        (dict(temporal=('pos',)), 'pos.*position'),
        (dict(trunk_dtype='int8'), 'int8.*bf16'),
        (dict(trunk_dtype='bf16', full_finetune=True), "trunk_dtype='bf16'"),
        (dict(decoder_num_heads=5), 'decoder_num_heads=5.*dims=32'),
        (dict(img_size=30), 'img_size=.*30.*patch_size=8'),
    ],
)
def test_wrong_arguments_are_named(wrong, message):
    with pytest.raises((ValueError, TypeError), match=message):
        tiny_evl(**wrong)


def test_wrong_clips_are_named():
    evl = tiny_evl()
    with pytest.raises(ValueError, match='num_frames=4.* 8 frames'):
        evl(torch.randn(1, 3, 8, 16, 24))
    with pytest.raises(ValueError, match='img_size.*16, 24.*32, 32'):
        evl(torch.randn(1, 3, 4, 32, 32))
    with pytest.raises(ValueError, match='torch.uint8.*normalise'):
        evl(torch.ones(1, 3, 4, 16, 24, dtype=torch.uint8))


def test_the_head_is_norm_dropout_linear():
    torch.manual_seed(0)
    head = MODELS.build(dict(type='EVLHead', num_classes=5, in_channels=8))
    before = head.fc_cls.weight.clone()
    head.init_weights()
    assert_close(head.fc_cls.weight, before)  # PyTorch's, not 0.01
    assert head.dropout.p == 0.5 and not list(head.avg_pool.parameters())
    torch.nn.init.normal_(head.norm.weight)
    x = torch.randn(3, 8, 1, 1, 1)
    wanted = head.fc_cls(head.norm(x.flatten(1)))
    assert_close(head.eval()(x), wanted)
    sample = ActionDataSample().set_gt_label(1)
    assert head.loss((x), [sample] * 3)['loss_cls'] > 0
