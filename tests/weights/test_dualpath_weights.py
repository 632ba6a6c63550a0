"""DualPath reads image weights of any source, CLIP's projection included."""

import pytest
import torch

from mmvidadapt.models import DualPath
from mmvidadapt.weights import rename_whole_, to_native
from mmvidadapt.weights.layouts.vit import find_projection

from . import foreign
from .samples import same

ARCH = dict(embed_dims=8, num_layers=2, num_heads=2, patch_size=4)


def dualpath(**given):
    given = {**dict(arch=ARCH, img_size=12, num_frames=16), **given}
    return DualPath(
        variant=dict(
            bottleneck=4,
            temporal_pre_adapter=True,
            separate_cls=True,
            train_positions=True,
            dropout=0.0,
        ),
        **given,
    )


def saved(weights, folder):
    torch.save(weights, folder / 'weights.pth')
    return str(folder / 'weights.pth')


def test_there_may_be_none():
    assert find_projection(foreign.timm_vit()[0]) == {}


@pytest.mark.parametrize(
    'source, name, transposed',
    [
        (foreign.openai_clip, 'visual.proj', False),
        (foreign.clip_visual, 'proj', False),
        (foreign.hf_clip, 'visual_projection.weight', True),
        (foreign.timm_clip, 'head.weight', True),
    ],
)
def test_image_weights_load_with_the_projection(
    source, name, transposed, tmp_path
):
    theirs, ours = source()
    wanted = dict(proj=theirs[name].T if transposed else theirs[name])
    same(find_projection(theirs), wanted)
    assert 'proj' not in to_native(theirs)  # other methods have no use for it
    path = saved(theirs, tmp_path)
    model = dualpath(pretrained=path, output_dims=5)
    model.init_weights()
    own = model.state_dict()
    same({k: own[k] for k in (*ours, 'proj')}, {**ours, **wanted})
    plain = dualpath(pretrained=path)
    plain.init_weights()
    assert 'proj' not in plain.state_dict()
    same({k: plain.state_dict()[k] for k in ours}, ours)


def test_a_missing_projection_is_named(tmp_path):
    theirs, _ = foreign.clip_visual()
    del theirs['proj']
    path = saved(theirs, tmp_path)
    with pytest.raises(ValueError, match='missing.*: proj') as error:
        dualpath(pretrained=path, output_dims=5).init_weights()
    assert path in str(error.value)


def test_one_path_leaves_out_what_it_does_not_read(tmp_path):
    theirs, ours = foreign.openai_clip()
    model = dualpath(pretrained=saved(theirs, tmp_path), paths=('temporal',))
    model.init_weights()
    own = model.state_dict()
    assert 'positional_embedding' not in own
    same(
        {k: own[k] for k in ours if k in own},
        {k: v for k, v in ours.items() if k != 'positional_embedding'},
    )


@pytest.mark.parametrize('prefix', ['', 'backbone.'])
def test_our_own_checkpoints_are_read_again(prefix, tmp_path):
    first = dualpath(output_dims=5)
    weights = {prefix + k: v for k, v in first.state_dict().items()}
    second = dualpath(output_dims=5, pretrained=saved(weights, tmp_path))
    second.init_weights()
    same(second.state_dict(), first.state_dict())


def test_recognizers_leave_other_checkpoints_alone():
    for content in (
        {'backbone.class_embedding': torch.ones(2)},
        {'model': torch.ones(2)},
        foreign.openai_clip()[0],
    ):
        before = dict(content)
        rename_whole_(content)
        assert content.keys() == before.keys()
