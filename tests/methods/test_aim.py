"""AIM on ViTs and on Swin: ablations, the recognizer, what is dropped."""

import copy

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch.testing import assert_close

from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.trunks.dialects import DIALECTS
from mmvidadapt.weights import rename_official_
from tests.golden import assert_gradients, assert_output, goldens, load_golden
from tests.methods.cases.aim import (
    CASES,
    aim_of,
    renamed_gradients,
    sizes_of,
)

VIT, SWIN = CASES
OFFICIAL = dict(drop_path_mode='official')
ABLATIONS = {
    'no_temporal': ('spatial', 'joint'),
    'no_spatial': ('temporal', 'joint'),
    'no_joint': ('spatial', 'temporal'),
    'spatial_only': ('spatial',),
    'spatial_temporal': ('spatial', 'temporal'),
    'none': (),
}


def renamed(state_dict, prefix=''):
    state_dict = dict(state_dict)
    rename_official_(state_dict, prefix)
    return state_dict


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

    sample = ActionDataSample().set_gt_label(0)
    predicted = model(golden['input'], [sample], mode='predict')[0]
    assert_output(predicted.pred_score[None], golden['output'])

    labels = golden['train_label'].flatten().tolist()
    samples = [ActionDataSample().set_gt_label(label) for label in labels]
    loss = model(golden['train_input'], samples, mode='loss')['loss_cls']
    assert_output(loss, golden['train_loss'])
    loss.backward()

    assert_gradients(model, renamed_gradients(golden, 'backbone.'))


@pytest.mark.parametrize(
    'case,given,drops,varying',
    [
        (VIT, dict(), ('drop_path',), [{0}]),
        (VIT, dict(OFFICIAL, dialect='clip'), ('drop_path',), [{2}]),
        (VIT, dict(OFFICIAL, dialect='imagenet'), ('drop_path',), [{0, 1}]),
        (SWIN, dict(), ('t_drop', 'mlp_drop'), [{0}, {0}]),
        (SWIN, OFFICIAL, ('t_drop', 'mlp_drop'), [{0, 2}, {0, 1}]),
    ],
)
def test_what_is_dropped_as_a_whole(case, given, drops, varying):
    given = dict(given, drop_path_rate=0.5)
    if case is VIT and 'dialect' in given:  # the traits count, not the name
        given['dialect'] = dict(DIALECTS[given['dialect']])
    model = case.build(**given).train()
    frames = 4 if case is VIT else 2
    block = [m for m in model.modules() if hasattr(m, drops[0])][-1]
    x = torch.ones(64 * frames, 16, 8)
    for name, dims in zip(drops, varying):
        drop = getattr(block, name).train()
        kept = drop(x).unflatten(0, (64, frames))[..., 0]  # (B, T, N)
        assert set(kept.unique().tolist()) == {0.0, 2.0}
        for dim in range(3):
            same = (kept == kept.narrow(dim, 0, 1)).all()
            assert bool(same) != (dim in dims), (name, dim)
        assert drop.eval()(x) is x


@pytest.mark.parametrize('lean', [True, False])
@pytest.mark.parametrize('adapt', ['temporal', 'joint'])
def test_adapters_of_swin_are_dropped_in_training(adapt, lean):
    given = dict(adapt=(adapt,), lean=lean, drop_path_rate=0.5)
    model, video = SWIN.build(**given).train(), SWIN.batch(16)
    assert (model(video) != model(video)).any()


def test_checkpointing_saves_with_the_first_adapter_inside_a_block():
    only = dict(trainable=(r'.*_adapter\..*',))
    cases = only, dict(only, with_cp=True)
    plain, lean = (
        saved_bytes(aim, lambda m=aim: m(VIT.batch()))
        for aim in (VIT.build(False, **given) for given in cases)
    )
    assert lean < plain / 3


def test_an_embedding_of_frames_is_trained_and_tables_are_kept():
    trained = {
        relative: {
            name
            for name, param in SWIN.build(
                t_relative=relative
            ).named_parameters()
            if param.requires_grad
        }
        for relative in (True, False)
    }
    assert trained[False] - trained[True] == {'temporal_embedding'}
    model, video = SWIN.build(t_relative=False).eval(), SWIN.batch()
    assert_close(model(video)[1:], model(video[1:]))  # clips stay apart
    table = 'layers.0.blocks.0.attn.temporal_position_bias_table'
    assert table in SWIN.build().state_dict() and table not in trained[True]


@pytest.mark.parametrize(
    'switched_off, adapter',
    [('temporal', 't'), ('spatial', 's'), ('joint', 'mlp')],
)
@torch.no_grad()
def test_switching_off_is_zeroing(switched_off, adapter):
    full, video = SWIN.build().eval(), SWIN.batch()
    before = full(video)
    for name, param in full.named_parameters():
        if f'.{adapter}_adapter.up.' in name:
            param.zero_()
    rest = {'spatial', 'temporal', 'joint'} - {switched_off}
    ablated = SWIN.build(adapt=tuple(rest)).eval()
    weights = full.state_dict()
    ablated.load_state_dict({k: weights[k] for k in ablated.state_dict()})
    assert_close(ablated(video), full(video))
    assert not torch.allclose(before, full(video))
