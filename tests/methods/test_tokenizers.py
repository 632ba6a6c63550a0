"""Every tokenizer: ids where they are wanted only, frozen, refusing."""

import pytest
import torch
from mmaction.registry import MODELS

from mmvidadapt.methods.bevt.tokenizers import Tokenizer
from mmvidadapt.methods.bevt.tokenizers.nearest_code import nearest
from mmvidadapt.methods.bevt.tokenizers.precomputed import ids_to_picture
from tests.methods.tokenizer_samples import TOKENIZERS, build, pictures


@pytest.fixture(params=sorted(TOKENIZERS))
def tokenizer(request):
    return build(request.param)


def test_ids_at_masked_positions_are_those_of_all(tokenizer):
    frames = pictures(tokenizer)
    ids = tokenizer.tokenize(frames)
    assert ids.shape == (3, *tokenizer.grid) and tokenizer.grid == (4, 4)
    assert ids.dtype == torch.long and ids.unique().numel() > 1
    assert ids.min() >= 0 and ids.max() < tokenizer.vocab_size
    mask = torch.rand(ids.shape) < 0.4
    mask[1] = False
    assert torch.equal(tokenizer.tokenize_at(frames, mask), ids[mask])
    nowhere = torch.zeros_like(mask)
    assert tokenizer.tokenize_at(frames, nowhere).shape == (0,)


def test_pictures_outside_the_mask_are_not_looked_at(tokenizer, monkeypatch):
    frames, seen = pictures(tokenizer), []
    features = tokenizer.features
    monkeypatch.setattr(
        tokenizer, 'features', lambda x: seen.append(len(x)) or features(x)
    )
    mask = torch.zeros(3, 4, 4, dtype=torch.bool)
    mask[2, 1, 3] = True
    expected = tokenizer.tokenize(frames)[2, 1, 3]
    frames[:2] = float('nan')
    assert tokenizer.tokenize_at(frames, mask).item() == expected
    assert seen == [3, 1]


def test_pictures_are_encoded_a_few_at_a_time(tokenizer, monkeypatch):
    frames, seen = pictures(tokenizer, 35), []
    features = tokenizer.features
    monkeypatch.setattr(
        tokenizer, 'features', lambda x: seen.append(len(x)) or features(x)
    )
    ids = tokenizer.tokenize(frames, most=35)
    mask = torch.rand(ids.shape) < 0.4
    mask[::5] = False  # 28 pictures are left
    assert torch.equal(tokenizer.tokenize(frames), ids)
    assert torch.equal(tokenizer.tokenize_at(frames, mask), ids[mask])
    assert torch.equal(tokenizer.tokenize_at(frames, mask, 10), ids[mask])
    assert seen == [35, 32, 3, 28, 10, 10, 8]


def test_it_is_frozen_in_every_mode(tokenizer):
    assert isinstance(tokenizer, Tokenizer)
    tokenizer.load()
    assert tokenizer.train() is tokenizer
    modules = list(tokenizer.modules())
    assert not any(module.training for module in modules)
    assert not any(p.requires_grad for p in tokenizer.parameters())
    features, recorded = tokenizer.features, []
    tokenizer.features = lambda x: recorded.append(features(x)) or recorded[0]
    frames = pictures(tokenizer).requires_grad_()
    mask = torch.ones(3, 4, 4, dtype=torch.bool)
    tokenizer.tokenize_at(frames, mask)
    assert not recorded[0].requires_grad  # nothing is kept for a backward


def test_the_wrong_size_and_the_wrong_mask_are_named(tokenizer):
    frames, size = pictures(tokenizer), tokenizer.input_size
    with pytest.raises(ValueError, match=rf'wants pictures .*{size}, {size}'):
        tokenizer.tokenize(frames[..., :-1])
    mask = torch.ones(3, 7, 7, dtype=torch.bool)
    with pytest.raises(ValueError, match=r'\(3, 7, 7\) does not fit 3 pict'):
        tokenizer.tokenize_at(frames, mask)
    with pytest.raises(ValueError, match=r'torch\.int64; give it as torch'):
        tokenizer.tokenize_at(frames, torch.ones(3, 4, 4, dtype=torch.long))


def test_autocast_changes_nothing(tokenizer):
    frames = pictures(tokenizer)
    ids = tokenizer.tokenize(frames)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(tokenizer.tokenize(frames), ids)


def test_an_input_size_between_two_grids_is_refused():
    for name, size in (('dalle', 100), ('vqvae', 18), ('pixels', 4)):
        with pytest.raises(ValueError, match=f'input_size={size} is not a'):
            MODELS.build(dict(TOKENIZERS[name], input_size=size))


def test_nearest_is_the_smallest_distance(monkeypatch):
    rows, codes = torch.randn(50, 6), torch.randn(20, 6) * 3
    expected = torch.cdist(rows, codes).argmin(1)
    assert torch.equal(nearest(rows, codes), expected)
    monkeypatch.setattr(
        'mmvidadapt.methods.bevt.tokenizers.nearest_code.CHUNK', 100
    )
    assert torch.equal(nearest(rows, codes), expected)
    assert nearest(rows[:0], codes).shape == (0,)


def test_a_token_beyond_the_vocabulary_is_named():
    tokenizer = MODELS.build(
        dict(type='PrecomputedTokens', input_size=2, vocab_size=70_000)
    )
    ids = torch.tensor([[[0, 255], [256, 69_999]]])
    assert torch.equal(tokenizer.tokenize(ids_to_picture(ids)), ids)
    ids[0, 1, 1] = 70_000
    with pytest.raises(ValueError, match='token 70000, but vocab_size=70000'):
        tokenizer.tokenize(ids_to_picture(ids))


def test_only_who_can_decode_does():
    assert not build('dalle').decodes and not build('latents').decodes
    assert build('pixels').decodes
    for name in ('dalle', 'latents', 'vqvae'):
        with pytest.raises(ValueError, match='give it a decoder'):
            build(name).decode(torch.zeros(1, 4, 4, dtype=torch.long))
