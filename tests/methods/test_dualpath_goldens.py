"""DualPath: features and tokens of the official code, its checkpoints."""

import pytest
import torch
from mmengine.runner import load_checkpoint
from torch.testing import assert_close

from mmvidadapt.models import ImageViT
from tests.golden import (
    ROOT,
    assert_output,
    goldens,
    load_golden,
)
from tests.methods.cases.dualpath import recognizer
from tests.methods.test_dualpath import randomize, tiny

REFERENCE = ROOT / 'tests' / 'reference'
every_golden = pytest.mark.parametrize(
    'path', goldens('dualpath_[a-z].pt') + goldens('dualpath_?_f64.pt')
)


@every_golden
def test_features_and_antialiasing_match_the_official_code(path):
    golden = load_golden(path)
    model = recognizer(golden)
    model.load_state_dict(dict(golden['state_dict']), strict=True)
    features = model.backbone(golden['video']).flatten(1)
    assert_output(features, golden['features'])
    model = recognizer(golden, antialias=True)
    model.load_state_dict(dict(golden['state_dict']), strict=True)
    scores = model(golden['video'][:, None], stage='head')
    assert_output(scores, golden['output_antialias'])


@pytest.mark.parametrize('nested', [True, False])
@every_golden
def test_official_checkpoints_load_by_path_alone(path, nested, tmp_path):
    golden = load_golden(path)
    content = dict(model=golden['state_dict'], epoch=3)
    torch.save(content if nested else content['model'], tmp_path / 'x.pth')
    model = recognizer(golden)
    load_checkpoint(model, str(tmp_path / 'x.pth'), strict=True)
    scores = model(golden['video'][:, None], stage='head')
    assert_output(scores.detach(), golden['output'])
    backbone = recognizer(golden, pretrained=str(tmp_path / 'x.pth')).backbone
    backbone.init_weights()
    features = backbone.double()(golden['video'].double()).flatten(1)
    assert_close(features.to(golden['features']), golden['features'])


@pytest.mark.parametrize('heads', ['pretrained', 'own'])
def test_the_second_class_token_starts_as_the_first(heads, tmp_path):
    first = tiny() if heads == 'own' else ImageViT(arch='tiny', img_size=16)
    randomize(first, trained_only=False)
    torch.save(first.state_dict(), tmp_path / 'x.pth')
    dual = tiny(pretrained=str(tmp_path / 'x.pth'), output_dims=None)
    if heads == 'own':
        dual = tiny(pretrained=str(tmp_path / 'x.pth'))
    dual.init_weights()
    own = dual.state_dict()
    assert_close(own['class_embedding'], first.state_dict()['class_embedding'])
    if heads == 'own':
        for name, value in first.state_dict().items():
            assert_close(own[name], value)
    else:
        assert_close(own['temporal_class_embedding'], own['class_embedding'])


def test_a_text_tower_is_named(tmp_path):
    whole = load_golden(REFERENCE / 'dualpath_b_f64.pt')['state_dict']
    text = {k: v for k, v in whole.items() if not k.startswith('visual.')}
    torch.save(text, tmp_path / 'text.pt')
    dual = tiny(pretrained=str(tmp_path / 'text.pt'))
    with pytest.raises(ValueError, match='text tower') as error:
        dual.init_weights()
    assert str(tmp_path / 'text.pt') in str(error.value)
