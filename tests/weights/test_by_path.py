"""Weights in every layout and container load by path alone.

Trunks of goldens are written as other projects write them; the model then
gives the golden output. Layouts of EVL, ViViT, BEVT and DualPath: their files.
"""

import itertools

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.runner import load_checkpoint

from mmvidadapt.engine.checkpoints import read_checkpoint
from tests.golden import assert_output, goldens, load_golden
from tests.methods.cases.aim import aim_of, sizes_of, swin_of
from tests.methods.test_aim import renamed

from . import foreign
from .foreign import under
from .loaders import saved
from .samples import layer, random_weights
from .test_readers import WRITERS

ADAPTED = ('_adapter', 'temporal')


def openai(trunk):
    """The whole CLIP, whose text tower has the same names."""
    text = {k: v[..., :8] + 1 for k, v in trunk.items() if 'resblocks' in k}
    whole = {
        'positional_embedding': torch.ones(7, 8),
        'logit_scale': torch.ones(()),
    }
    sizes = {'input_resolution': torch.tensor(48)}
    return {**under('visual.', trunk), **text, **whole, **sizes}


LAYOUTS = {
    'openai': openai,
    'tower': lambda trunk: {**trunk, 'proj': torch.randn(8, 5)},
    'native': dict,
    'ours': lambda trunk: under('backbone.', trunk),
    'hf-clip': foreign.as_hf_clip,
    'hf-vit': foreign.as_hf_vit,
    'timm': lambda trunk: {
        **foreign.as_timm(trunk),
        **random_weights(layer('head', 3, 8)),
    },
    'mmpretrain': foreign.as_mmpretrain,
}
OF = {
    'aim_vit_clip_*.pt': set(LAYOUTS) - {'hf-vit'},
    'aim_vit_imagenet_*.pt': {'hf-vit', 'timm', 'mmpretrain', 'native'},
}


@pytest.mark.parametrize(
    'path, layout, container',
    [
        pytest.param(*path.values, *pair, id='-'.join([path.id, *pair]))
        for pattern, layouts in OF.items()
        for path in goldens(pattern)
        for pair in zip(sorted(layouts), itertools.cycle(WRITERS))
        if path.values[0]
    ],
)
def test_trunks_of_every_layout(path, layout, container, tmp_path):
    golden = load_golden(path)
    state = {k: v.float() for k, v in renamed(golden['state_dict']).items()}
    trunk = {
        k: v for k, v in state.items() if not any(a in k for a in ADAPTED)
    }
    theirs = LAYOUTS[layout](trunk)
    file = tmp_path / 'weights.bin'
    WRITERS[container]({k: v.contiguous() for k, v in theirs.items()}, file)
    model = aim_of(golden, pretrained=str(file)).float()
    model.init_weights()
    adapters = {k: v for k, v in state.items() if k not in trunk}
    model.load_state_dict({**model.state_dict(), **adapters})
    scores = model(golden['input'].float()).detach()
    assert_output(scores, golden['output'].float())


@pytest.mark.parametrize('path', goldens('aim_[vs][iw]*.pt'))
def test_official_backbones_load_by_path(path, tmp_path):
    golden = load_golden(path)
    build = swin_of if 'swin' in path.name else aim_of
    torch.save(golden['state_dict'], tmp_path / 'aim.pth')
    model = build(golden).to(golden['input'].dtype).eval()
    load_checkpoint(model, str(tmp_path / 'aim.pth'), strict=True)
    assert_output(model(golden['input']).detach(), golden['output'])


@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize('path', goldens('aim_recognizer_*.pt'))
def test_a_released_recognizer_loads_by_path(path, zipped, tmp_path):
    golden = load_golden(path)
    official = golden['meta']['kwargs']
    backbone, head = official['backbone'], dict(official['cls_head'])
    meta = dict(mmcv_version='1.3.17')
    file = str(tmp_path / 'vit_b_clip_8frame_k400.pth')
    content = dict(state_dict=golden['state_dict'], optimizer={}, amp={})
    saved(dict(content, meta=meta), file, zipped)
    model = MODELS.build(
        dict(
            type='Recognizer3D',
            backbone=dict(
                type='AIM',
                **sizes_of(backbone),
            ),
            cls_head=dict(head, type='Float32I3DHead', average_clips='prob'),
        )
    ).eval()
    load_checkpoint(model, file, strict=True)
    sample = ActionDataSample().set_gt_label(0)
    predicted = model(golden['input'], [sample], mode='predict')[0]
    assert_output(predicted.pred_score[None], golden['output'])
    assert read_checkpoint(file)['meta'] == meta
