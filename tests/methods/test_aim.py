"""AIM: the four tests of a method, ablations and the recognizer."""

import copy

import pytest
import torch
from mmaction.registry import MODELS
from torch.testing import assert_close

from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.models import AIM, ImageViT
from mmvidadapt.trunks.dialects import DIALECTS
from mmvidadapt.weights import rename_official_
from tests.golden import assert_gradients, assert_output, goldens, load_golden
from tests.methods.cases.aim import aim_of, sizes_of

VIDEO = (2, 3, 4, 16, 24)  # (B, 3, T, H, W)
ABLATIONS = {
    'no_temporal': ('spatial', 'joint'),
    'no_spatial': ('temporal', 'joint'),
    'no_joint': ('spatial', 'temporal'),
    'spatial_only': ('spatial',),
    'spatial_temporal': ('spatial', 'temporal'),
    'none': (),
}


def tiny_aim(**kwargs):
    torch.manual_seed(0)
    return AIM(
        **{**dict(arch='tiny', img_size=VIDEO[-2:], num_frames=4), **kwargs}
    )


def randomize_trained(module):
    for param in module.parameters():
        if param.requires_grad:
            torch.nn.init.normal_(param, std=0.1)


def renamed(state_dict, prefix=''):
    state_dict = dict(state_dict)
    rename_official_(state_dict, prefix)
    return state_dict


def renamed_gradients(golden, prefix=''):
    """Names are recognised as a whole: fill in what has no gradient."""
    whole = {
        name: golden['grads'].get(name, torch.full_like(value, torch.nan))
        for name, value in golden['state_dict'].items()
    }
    return {
        name: grad
        for name, grad in renamed(whole, prefix).items()
        if not grad.isnan().any()
    }


@pytest.mark.parametrize('dialect', ['clip', 'imagenet'])
def test_new_adapters_leave_the_image_model_unchanged(dialect):
    aim = tiny_aim(dialect=dialect).eval()
    vit = ImageViT(arch='tiny', dialect=dialect, img_size=VIDEO[-2:]).eval()
    trunk = {
        k: v for k, v in aim.state_dict().items() if k in vit.state_dict()
    }
    vit.load_state_dict(trunk)
    video = torch.randn(VIDEO)
    assert_close(aim(video), vit(video))


@pytest.mark.parametrize(
    'path', goldens('aim_vit_clip_*.pt') + goldens('aim_vit_imagenet_*.pt')
)
def test_switched_off_adaptations_match_the_official_code(path):
    golden = load_golden(path)
    if 'ablation_outputs' not in golden:
        pytest.skip('this golden has no ablations')
    assert set(golden['ablation_outputs']) <= set(ABLATIONS)
    for name, expected in golden['ablation_outputs'].items():
        aim = aim_of(golden, adapt=ABLATIONS[name])
        weights = renamed(golden['state_dict'])
        wanted = {k: weights[k] for k in aim.state_dict()}
        aim.load_state_dict(wanted, strict=True)
        assert_output(aim(golden['input']), expected)


@pytest.mark.parametrize('path', goldens('aim_recognizer_*.pt'))
def test_recognizer_loss_and_views_match_the_official_code(path):
    golden = load_golden(path)
    kwargs = golden['meta']['kwargs']
    backbone = copy.deepcopy(kwargs['backbone'])
    head = dict(kwargs['cls_head'], type='Float32I3DHead')
    views = kwargs['test_cfg']
    head['average_clips'] = views['average_clips']
    model = MODELS.build(
        dict(
            type='Recognizer3D',
            backbone=dict(
                type='AIM',
                **sizes_of(backbone),
                adapter_scale=backbone['adapter_scale'],
            ),
            cls_head=head,
            test_cfg=dict(max_testing_views=views['max_testing_views']),
        )
    )
    model.load_state_dict(golden['state_dict'], strict=True)
    model.eval()

    from mmaction.structures import ActionDataSample

    sample = ActionDataSample().set_gt_label(0)
    predicted = model(golden['input'], [sample], mode='predict')[0]
    assert_output(predicted.pred_score[None], golden['output'])

    labels = golden['train_label'].flatten().tolist()
    samples = [ActionDataSample().set_gt_label(label) for label in labels]
    loss = model(golden['train_input'], samples, mode='loss')['loss_cls']
    assert_output(loss, golden['train_loss'])
    loss.backward()

    assert_gradients(model, renamed_gradients(golden, 'backbone.'))


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


def test_official_drop_path_goes_by_what_the_dialect_is():
    for dialect, per in (('clip', 'token'), ('imagenet', 'frame')):
        aim = tiny_aim(
            dialect=dict(DIALECTS[dialect]), drop_path_mode='official'
        )
        assert aim.transformer.resblocks[0].drop_path.per == per


def test_checkpointing_saves_with_the_first_adapter_inside_a_block():
    options = dict(trainable=(r'.*_adapter\..*',))
    plain, lean = (
        saved_bytes(aim, lambda m=aim: m(torch.ones(VIDEO)))
        for aim in (tiny_aim(**options, with_cp=cp) for cp in (False, True))
    )
    assert lean < plain / 3
