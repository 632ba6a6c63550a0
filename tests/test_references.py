"""The repository proves exactness by itself, wherever it is cloned."""

import pytest

from tests.golden import ROOT, load_golden

NEEDED = [
    'aim_recognizer_a.pt',
    'aim_swin_a.pt',
    'aim_vit_clip_b.pt',
    'aim_vit_imagenet_b_f64.pt',
    'dualpath_b_f64.pt',
    'evl_c.pt',
    'evl_finetune_on.pt',
    'vivit_model2_a.pt',
]


@pytest.mark.parametrize('name', NEEDED)
def test_a_golden_travels_with_the_code(name):
    golden = load_golden(ROOT / 'tests' / 'reference' / name)
    assert {'meta', 'state_dict', 'output', 'grads'} <= set(golden)


@pytest.mark.parametrize('model', ['model2_central', 'model3_both', 'model4'])
def test_a_golden_of_initialisation_travels_too(model):
    path = ROOT / 'tests' / 'reference' / f'vivit_init_{model}.pt'
    assert {'meta', 'source', 'state_dict'} <= set(load_golden(path))


def test_references_stay_small():
    files = (ROOT / 'tests' / 'reference').glob('*.pt')
    assert sum(path.stat().st_size for path in files) < 20e6
