"""Damaged and unfit files: every one is refused, and the reason named."""

import io
import random
import re

import pytest
import torch
from safetensors.torch import save_file

from mmvidadapt.apis.use.convert_weights import read_conversion
from mmvidadapt.apis.use.inference import load_strictly
from mmvidadapt.models import AIM, AIMSwin, ImageViT
from mmvidadapt.weights import SOURCES, Source, resolve
from tests.methods.cases.aim import TOY

from .foreign import aim_clip, swin_2d
from .loaders import (
    ARCH,
    LOADERS,
    every_loader,
    load_as_pretrained,
    repack,
    saved,
)
from .samples import aim, swin, vit
from .test_readers import save_legacy

NAME = 'transformer.resblocks.1.mlp.c_fc.weight'


def cut(write, share):
    """Write a part of a file."""

    def writer(path):
        write(vit(), path)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return writer


def rotten(path):
    """Turn one bit of a tensor."""
    saved({'state_dict': vit()}, path)
    data = bytearray(path.read_bytes())
    data[data.index(vit()[NAME].numpy().tobytes()) + 5] ^= 4
    path.write_bytes(data)


def incomplete(path):
    """Leave a tensor's numbers out of the archive."""
    saved(vit(), path)
    repack(path, lambda *e: None if e[0].endswith('/data/7') else e)


def lying(path):
    """Promise more numbers than a safetensors file has."""
    save_file(vit(), path)
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"shape":[32,8]', b'"shape":[92,8]', 1))


def numbers(change):
    """Change one tensor."""

    def writer(path):
        weights = vit()
        weights[NAME] = change(weights[NAME])
        saved({'state_dict': weights}, path)

    return writer


def spoiled(value):
    return numbers(lambda x: torch.where(x == x.max(), value, x))


def others(weights):
    return lambda path: saved({'state_dict': weights()}, path)


DAMAGED = {
    'cut-zip': (cut(torch.save, 0.6), 'sound directory'),
    'cut-legacy': (cut(save_legacy, 0.6), 'damaged or truncated'),
    'cut-safetensors': (cut(save_file, 0.6), 'damaged or truncated'),
    'cut-header': (cut(save_file, 0.01), 'header is damaged'),
    'bit': (rotten, 'checksum of .* is wrong'),
    'incomplete': (incomplete, 'damaged or truncated'),
    'lying': (lying, 'damaged or truncated'),
    'nan': (spoiled(torch.nan), 'NaN|1 of 256 are not finite'),
    'page': (lambda path: path.write_text('<html>Sign in'), 'a web page'),
}
UNFIT = {
    'integers': (numbers(torch.Tensor.long), 'int64 in the weights|int64'),
    'complex': (numbers(lambda x: x + 0j), 'complex64'),
    'infinite': (spoiled(-torch.inf), '1 of 256 are not finite'),
    'empty': (others(dict), 'no named tensors|missing in the checkpoint'),
}
DAMAGED_FOR_MODELS = {
    'shape': (numbers(lambda x: x[:-1]), r'\(31, 8\)'),
    'flat': (numbers(torch.Tensor.flatten), r'\(256,\)'),
    'names': (others(lambda: dict(list(vit().items())[:-1])), 'c_proj.bias'),
    'adapted': (others(aim), 'adapter'),
    'official': (others(lambda: aim_clip()[0]), 'adapter|backbone.'),
    'swin': (others(swin), 'swin|layers.0'),
    'image-swin': (others(lambda: swin_2d()[0]), 'swin|layers.0'),
    'dialect': (
        others(lambda: vit(pre_norm=False, patch_bias=True)),
        'ln_pre',
    ),
    'wider': (
        others(lambda: ImageViT(arch='tiny', img_size=24).state_dict()),
        r'\(32,',
    ),
}


def assert_named(load, path, write, reason):
    """Refuse what is written, naming the file and the reason."""
    write(path)
    with pytest.raises(ValueError, match=reason) as error:
        load(path)
    assert str(path) in str(error.value)


@every_loader
@pytest.mark.parametrize('kind', DAMAGED)
def test_damage_is_named(tmp_path, kind, load):
    assert_named(load, tmp_path / 'x.pth', *DAMAGED[kind])


@pytest.mark.parametrize('load', LOADERS[:3])
@pytest.mark.parametrize('kind', UNFIT)
def test_numbers_that_no_model_has_are_named(tmp_path, kind, load):
    assert_named(load, tmp_path / 'x.pth', *UNFIT[kind])


@pytest.mark.parametrize('load', LOADERS[:2])
@pytest.mark.parametrize('kind', DAMAGED_FOR_MODELS)
def test_what_is_for_another_model_is_named(tmp_path, kind, load):
    assert_named(load, tmp_path / 'x.pth', *DAMAGED_FOR_MODELS[kind])


@every_loader
def test_what_is_sound_is_loaded(tmp_path, load):
    saved({'state_dict': vit(), 'meta': {}}, tmp_path / 'x.pth')
    load(tmp_path / 'x.pth')
    halves = numbers(torch.Tensor.half)
    halves(tmp_path / 'half.pth')
    load(tmp_path / 'half.pth')


@pytest.mark.parametrize('kind', ['nan', 'integers', 'shape', 'names'])
@pytest.mark.parametrize('build', [AIM, AIMSwin])
def test_nothing_is_loaded_by_halves(tmp_path, kind, build):
    if build is AIM:
        model = AIM(arch=ARCH, img_size=12, num_frames=4)
    else:
        model = AIMSwin(arch=TOY, img_size=32, num_frames=4)
    weights = model.state_dict()
    name = next(k for k in weights if k.endswith('qkv.weight') or 'fc.w' in k)
    change = {
        'nan': lambda x: x.clone().fill_(torch.nan),
        'integers': torch.Tensor.int,
        'shape': lambda x: x[1:],
    }.get(kind)
    if change is None:
        del weights[name]
    else:
        weights[name] = change(weights[name])
    before = {k: v.clone() + 1 for k, v in model.state_dict().items()}
    model.load_state_dict(before)
    model.pretrained = str(tmp_path / 'x.pth')
    torch.save(weights, model.pretrained)
    for load in (
        model.init_weights,
        lambda: load_strictly(model, model.pretrained),
    ):
        with pytest.raises(ValueError, match=re.escape(name)):
            load()
        for key, value in model.state_dict().items():
            assert torch.equal(value, before[key]), key


def test_a_swapped_file_of_an_alias_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv('MMVIDADAPT_HOME', str(tmp_path))
    source = Source('https://models.invalid/ViT.pt', '0' * 64)
    monkeypatch.setitem(SOURCES, 'me/ViT', source)
    kept = tmp_path / 'weights' / 'me_ViT.pt'
    kept.parent.mkdir()
    torch.save(vit(), kept)
    with pytest.raises(ValueError, match='is not the file of') as error:
        load_as_pretrained('me/ViT')
    assert str(kept) in str(error.value) and '0' * 64 in str(error.value)
    with pytest.raises(ValueError, match='is not the file of'):
        resolve('me/ViT')


@pytest.mark.filterwarnings('ignore:Detected pickle protocol')
def test_random_damage_never_passes_as_sound(tmp_path):
    """Overwrite random bytes: refused, or every number as it was."""
    rng, path = random.Random(0), tmp_path / 'x.pth'
    whole = io.BytesIO()
    torch.save({'state_dict': vit()}, whole)
    for _ in range(60):
        data = bytearray(whole.getvalue())
        start = rng.randrange(len(data))
        data[start : start + rng.randrange(1, 64)] = rng.randbytes(8)
        path.write_bytes(data)
        try:
            found = read_conversion(str(path)).weights
        except ValueError as error:
            assert str(path) in str(error)
        else:
            assert all(torch.equal(v, found[k]) for k, v in vit().items())
