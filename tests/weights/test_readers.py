"""Containers: what is read, and what is refused with a reason."""

import io
import pickle
import random
import re
import zipfile

import pytest
import torch
from safetensors.torch import save, save_file

from mmvidadapt.weights import load_weights_file, to_native

from .foreign import openai_clip
from .samples import Node, same, vit


def halves(weights):
    """Hold floats in half precision."""
    return {
        k: v.half() if v.is_floating_point() else v for k, v in weights.items()
    }


def save_torchscript(weights, path):
    """Write an archive as OpenAI ships CLIP."""
    torch.jit.save(torch.jit.script(Node(weights)), str(path))


def save_legacy(weights, path):
    """Write the old format of torch.save."""
    torch.save(weights, path, _use_new_zipfile_serialization=False)


def other_zip():
    """Give the bytes of an archive without weights."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, 'w') as archive:
        archive.writestr('a.txt', 'text')
    return data.getvalue()


WRITERS = {
    'torchscript': save_torchscript,
    'zip': torch.save,
    'legacy': save_legacy,
    'safetensors': save_file,
}


@pytest.mark.parametrize('container', WRITERS)
@pytest.mark.parametrize('suffix', ['.pt', '.bin'])
def test_containers_give_float32(tmp_path, container, suffix):
    weights, _ = openai_clip()
    weights = halves(weights)
    path = tmp_path / f'weights{suffix}'
    WRITERS[container](weights, path)
    same(
        load_weights_file(path),
        {
            k: v.float() if v.is_floating_point() else v
            for k, v in weights.items()
        },
    )


def test_the_length_of_a_header_is_no_map_of_msgpack(tmp_path):
    weights, _ = openai_clip()
    data = save(weights)
    end = 8 + int.from_bytes(data[:8], 'little')
    header = data[8:end].ljust(0xA188)
    path = tmp_path / 'model.safetensors'
    path.write_bytes(b'\x88\xa1' + bytes(6) + header + data[end:])
    same(load_weights_file(path), weights)


def test_openai_archive_gives_the_image_tower(tmp_path):
    weights, ours = openai_clip()
    mixed = {  # as published: norms and embeddings stay in float32
        k: v if 'ln_' in k or 'embedding' in k or v.ndim == 0 else v.half()
        for k, v in weights.items()
    }
    save_torchscript(mixed, tmp_path / 'ViT.pt')
    with zipfile.ZipFile(tmp_path / 'ViT.pt') as archive:
        assert any('constants.pkl' in name for name in archive.namelist())
    read = to_native(load_weights_file(tmp_path / 'ViT.pt'))
    same(read, {k: mixed[f'visual.{k}'].float() for k in ours})


@pytest.mark.parametrize(
    'nest',
    [
        ('state_dict',),
        ('model',),
        ('model_state',),
        ('state_dict_ema',),
        ('teacher',),
        ('model', 'state_dict'),
    ],
)
@pytest.mark.parametrize('prefix', ['', 'module.', '_orig_mod.module.'])
def test_nested_and_wrapped_checkpoints_are_opened(tmp_path, nest, prefix):
    content = {prefix + k: v.double() for k, v in vit().items()}
    for key in reversed(nest):
        content = {'epoch': 3, 'optimizer': {'lr': 0.1}, key: content}
    torch.save(content, tmp_path / 'x.pth')
    same(load_weights_file(tmp_path / 'x.pth'), vit())


@pytest.mark.parametrize('container', WRITERS)
def test_truncated_files_are_named(tmp_path, container):
    whole, cut = tmp_path / 'whole', tmp_path / 'cut.pth'
    WRITERS[container](vit(), whole)
    data = whole.read_bytes()
    for length in [*range(1, 20), *range(20, len(data), len(data) // 20)]:
        cut.write_bytes(data[:length])
        with pytest.raises(ValueError, match='Cannot read weights') as error:
            load_weights_file(cut)
        assert f'{cut} ({length} bytes)' in str(error.value)


@pytest.mark.filterwarnings('ignore:Detected pickle protocol')
def test_garbage_is_named(tmp_path):
    rng, path = random.Random(0), tmp_path / 'garbage.pth'
    for start in (b'', b'\x80\x02', b'PK\x03\x04', b'\x08' + 7 * b'\0' + b'{'):
        for _ in range(25):
            path.write_bytes(start + rng.randbytes(rng.randrange(300)))
            if not path.stat().st_size:
                continue
            with pytest.raises(ValueError, match='Cannot read weights'):
                load_weights_file(path)


@pytest.mark.filterwarnings('ignore:Detected pickle protocol')
@pytest.mark.parametrize(
    'content, expected',
    [
        (b'', 'an empty file.*fetch it again'),
        (b'version https://git-lfs.github.com/spec/v1\noid', 'git lfs pull'),
        (b'<!DOCTYPE html><html>Sign in</html>', 'a web page.*Download'),
        (b'\n<html>', 'a web page'),
        (b'PK\x03\x04' + bytes(90), 'zip archive without a sound directory'),
        (b'hello, these are my weights', 'no container.*Give a TorchScript'),
        (pickle.dumps([1]), 'old format'),
        (other_zip(), 'zip archive of something else'),
        ({'epoch': 3}, r"keys \['epoch'\]"),
        ([torch.ones(1)], 'content is a list'),
        ({'state_dict': {}}, 'no named tensors'),
        (torch.nn.Linear(2, 2), 'torch.nn.modules.linear.Linear'),
    ],
)
def test_looks_and_way_out_are_told(tmp_path, content, expected):
    if isinstance(content, bytes):
        (tmp_path / 'x.pth').write_bytes(content)
    else:
        torch.save(content, tmp_path / 'x.pth')
    with pytest.raises(ValueError, match=expected):
        load_weights_file(tmp_path / 'x.pth')


def test_missing_file_and_folder_are_named(tmp_path):
    missing = re.escape(str(tmp_path / 'none.pth'))
    with pytest.raises(FileNotFoundError, match=f'{missing}.*does not exist'):
        load_weights_file(tmp_path / 'none.pth')
    with pytest.raises(FileNotFoundError, match='is a folder'):
        load_weights_file(tmp_path)


def test_the_metadata_of_safetensors_may_speak_of_a_shape(tmp_path):
    path = tmp_path / 'x.safetensors'
    save_file(dict(x=torch.ones(2)), path, dict(shape='224', format='pt'))
    assert load_weights_file(path)['x'].tolist() == [1, 1]
