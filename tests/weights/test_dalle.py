"""OpenAI's pickled modules: their tensors are read, their code never runs."""

import pickle
import sys
import types

import pytest
import torch
from mmpretrain.models.selfsup.cae import Conv2d, DALLEEncoder, EncoderBlock
from torch import nn

from mmvidadapt.methods.bevt.tokenizers import DALLETokenizer
from mmvidadapt.methods.bevt.tokenizers.dalle_files import (
    read_dalle,
    read_pickled_module,
)
from tests.tools.processes import call

from .loaders import saved
from .test_malice import Malice, evil_script

SIZES = dict(n_hid=8, vocab_size=64)


@pytest.fixture
def package(monkeypatch):
    """Let the package that pickled the modules be there while pickling."""
    kinds = {}
    for place, names in (
        ('dall_e', ()),
        ('dall_e.encoder', ('Encoder', 'EncoderBlock')),
        ('dall_e.utils', ('Conv2d',)),
    ):
        module = types.ModuleType(place)
        for name in names:
            kinds[name] = type(name, (nn.Module,), {'__module__': place})
            setattr(module, name, kinds[name])
        monkeypatch.setitem(sys.modules, place, module)
    return kinds


def as_published(encoder, kinds):
    """Turn mmpretrain's encoder into one of the original classes."""
    for module in encoder.modules():
        if isinstance(module, EncoderBlock):
            module.__class__ = kinds['EncoderBlock']
        elif isinstance(module, Conv2d):
            module.__class__ = kinds['Conv2d']
    published = nn.Module()
    published.__class__ = kinds['Encoder']
    published.device = torch.device('cpu')
    published.blocks = encoder.blocks
    return published


@pytest.fixture(params=['zip', 'old'])
def pickled(request, package, tmp_path, monkeypatch):
    """Write an encoder.pkl; give its path and the weights in it."""
    torch.manual_seed(0)
    encoder = DALLEEncoder(**SIZES)
    weights = {k: v.clone() for k, v in encoder.state_dict().items()}
    path = tmp_path / 'encoder.pkl'
    torch.save(
        as_published(encoder, package),
        path,
        _use_new_zipfile_serialization=request.param == 'zip',
    )
    for place in ('dall_e', 'dall_e.encoder', 'dall_e.utils'):
        monkeypatch.delitem(sys.modules, place)
    return path, weights


def test_all_tensors_are_read_without_the_package(pickled):
    path, weights = pickled
    with pytest.raises(ModuleNotFoundError, match='dall_e'):
        torch.load(path, weights_only=False)
    read = read_pickled_module(path)
    assert list(read) == list(weights)
    assert all(torch.equal(read[name], weights[name]) for name in weights)


def test_the_tokenizer_takes_the_pickle_and_what_the_tool_makes_of_it(
    pickled, tmp_path, monkeypatch, capsys
):
    path, weights = pickled
    plain = tmp_path / 'encoder.pth'
    call(monkeypatch, 'convert_dalle.py', path, plain)
    assert f'{len(weights)} tensors' in capsys.readouterr().out
    assert torch.load(plain, weights_only=True)['state_dict'].keys() == (
        weights.keys()
    )
    for source in (path, plain):
        tokenizer = DALLETokenizer(
            pretrained=str(source), input_size=16, **SIZES
        )
        tokenizer.load()
        for name, value in tokenizer.encoder.state_dict().items():
            assert torch.equal(value, weights[name])


def test_a_decoder_is_loaded_beside_the_encoder(tmp_path):
    torch.manual_seed(0)
    source = DALLETokenizer(decoder='any', input_size=16, **SIZES)
    for part in ('encoder', 'decoder'):
        state = getattr(source, part).state_dict()
        torch.save(state, tmp_path / f'{part}.pth')
    source.loaded = True
    loaded = DALLETokenizer(
        pretrained=str(tmp_path / 'encoder.pth'),
        decoder=str(tmp_path / 'decoder.pth'),
        input_size=16,
        **SIZES,
    )
    ids = torch.randint(64, (2, 2, 2))
    drawn = loaded.decode(ids)
    assert drawn.shape == (2, 3, 16, 16)
    assert drawn.min() >= 0 and drawn.max() <= 255 and drawn.std() > 0
    assert torch.equal(drawn, source.decode(ids))
    low, high = 0.1, 0.9  # grey values that the mapping leaves for 0 and 255
    inside = loaded.decoder(ids).clamp(low, high)
    expected = (inside - low) / (high - low) * 255
    torch.testing.assert_close(drawn, expected)


@pytest.mark.parametrize('zipped', [True, False])
def test_code_is_refused_and_does_not_run(tmp_path, zipped):
    path, target = tmp_path / 'encoder.pkl', tmp_path / 'harm'
    saved(dict(w=torch.ones(2), x=Malice(target, 'system')), path, zipped)
    with pytest.raises(ValueError, match=r'encoder\.pkl .*asks for \w+\.sys'):
        read_pickled_module(path)
    assert not target.exists()


@pytest.mark.parametrize('reader', [read_pickled_module, read_dalle])
def test_a_program_in_an_archive_does_not_run(tmp_path, reader):
    path, target = tmp_path / 'encoder.pkl', tmp_path / 'harm'
    evil_script(path, target)
    with pytest.raises(ValueError, match=r'encoder\.pkl .*brings along a pro'):
        reader(path)
    assert not target.exists()


def pickled_name(module, name):
    """Write a pickle of one global."""
    texts = (module.encode(), name.encode())
    return b'\x80\x04%b\x93.' % b''.join(
        b'\x8c' + bytes([len(text)]) + text for text in texts
    )


@pytest.mark.parametrize(
    'read, data, reason',
    [
        (
            read_pickled_module,
            pickled_name('torch.nn.modules.module', 'os.system'),
            'asks for torch.nn.modules.module.os.system',
        ),
        (
            read_pickled_module,
            pickled_name('builtins', 'eval'),
            'asks for builtins.eval',
        ),
        (  # what torch names so would be called with the argument
            read_pickled_module,
            b'ctorch.nn.modules.module\nsystem\n(S"touch x"\ntR.',
            'without tensors|cannot be read',
        ),
        (
            read_dalle,
            b'<html>not found</html>',
            r'encoder\.pkl \(22 bytes\) cannot',
        ),
        (read_dalle, pickle.dumps(None)[:-1], 'cannot be read'),
    ],
    ids=['system', 'eval', 'shell', 'page', 'cut'],
)
def test_other_files_are_named(tmp_path, read, data, reason):
    path = tmp_path / 'encoder.pkl'
    with pytest.raises(FileNotFoundError):
        read_dalle(path)
    path.write_bytes(data)
    with pytest.raises(ValueError, match=reason):
        read(path)
    torch.save(dict(a=torch.ones(1)), path)
    with pytest.raises(ValueError, match='holds a dict without tensors'):
        read_pickled_module(path)
