"""ViViT: checkpoints of others by path alone, and our own."""

import pytest
import torch
from mmengine.runner import load_checkpoint
from safetensors.torch import save_file
from torch.testing import assert_close

from mmvidadapt.engine.checkpoints import read_checkpoint
from mmvidadapt.methods.vivit.names import temporal_depth
from mmvidadapt.models import ViViT, ViViTFactorisedEncoder
from mmvidadapt.weights import load_weights_file, to_native
from mmvidadapt.weights.load_hooks import compare
from tests.golden import assert_output, goldens, load_golden
from tests.methods.vivit_samples import (
    KINDS,
    clips,
    every_model,
    image_model,
    randomize,
    recognizer,
    recognizer_of_hub,
    tiny,
)

from .foreign import hf_vit
from .samples import replace, same

hub = pytest.mark.parametrize('path', goldens('vivit_hf_*.pt'))
released = pytest.mark.parametrize('path', goldens('vivit_*_checkpoint'))


@released
def test_released_files_load_by_path_alone(path):
    """Training states of flax, one with chunked arrays."""
    golden = load_golden(
        path.with_name(path.name[: -len('_flax_checkpoint')] + '.pt')
    )
    model = recognizer(golden)
    assert not compare(model, read_checkpoint(str(path)))
    load_checkpoint(model, str(path), strict=True)
    scores = model(clips(golden), stage='head')
    assert_output(scores.detach(), golden['output'])
    read, given = load_weights_file(path), {}
    assert read.keys() == golden['state_dict'].keys()
    for name, value in golden['state_dict'].items():
        assert torch.equal(read[name], value), name
    if any('Temporal' in name for name in read):
        given = dict(temporal_num_layers=None)
        assert temporal_depth(read) == 2
    model = recognizer(golden, pretrained=str(path), **given).backbone
    model.init_weights()
    for name, value in to_native(read).items():
        assert torch.equal(model.state_dict()[name], value), name


NEW = {
    'encoder.layer.': 'layers.',
    'attention.attention.query': 'attention.q_proj',
    'attention.attention.key': 'attention.k_proj',
    'attention.attention.value': 'attention.v_proj',
    'attention.output.dense': 'attention.o_proj',
    'intermediate.dense': 'mlp.fc1',
    'output.dense': 'mlp.fc2',
}


def new_names(state_dict):
    """Name a Hub checkpoint as transformers 5 does in memory."""
    return replace(state_dict, NEW)


@pytest.mark.parametrize('naming', [dict, new_names])
@pytest.mark.parametrize('prefix', ['', 'vivit.'])
def test_names_of_the_hub_become_ours(naming, prefix):
    theirs, ours = hf_vit(prefix)
    del theirs[f'{prefix}embeddings.mask_token']
    same(to_native(naming(theirs)), ours)


@hub
@pytest.mark.parametrize('naming', [dict, new_names])
@pytest.mark.parametrize('save', [save_file, torch.save])
def test_hub_checkpoints_load_by_path_alone(path, naming, save, tmp_path):
    golden = load_golden(path)
    weights = {k: v.contiguous() for k, v in golden['state_dict'].items()}
    name = 'model.safetensors' if save is save_file else 'pytorch_model.bin'
    save(naming(weights), tmp_path / name)
    model = recognizer_of_hub(golden)
    load_checkpoint(model, str(tmp_path / name), strict=True)
    assert_output(model(clips(golden), stage='head'), golden['output'])
    backbone = recognizer_of_hub(golden).backbone
    backbone.pretrained = str(tmp_path / name)
    backbone.init_weights()
    for key, value in model.backbone.state_dict().items():
        assert torch.equal(backbone.state_dict()[key], value), key


@hub
def test_a_model_without_head_is_read_too(path, tmp_path):
    """VivitModel has no prefix, and a pooler."""
    golden = load_golden(path)
    weights = {
        k[len('vivit.') :]: v
        for k, v in golden['state_dict'].items()
        if k.startswith('vivit.')
    }
    weights['pooler.dense.weight'] = torch.ones(48, 48)
    torch.save(weights, tmp_path / 'model.bin')
    whole = to_native(golden['state_dict'])
    found = to_native(load_weights_file(tmp_path / 'model.bin'))
    assert found.keys() == whole.keys()
    assert all(torch.equal(found[k], v) for k, v in whole.items())


def test_our_own_checkpoints_come_back(tmp_path):
    for kind in KINDS.values():
        model = tiny(kind)
        randomize(model)
        torch.save(model.state_dict(), tmp_path / 'own.pth')
        again = tiny(kind, pretrained=str(tmp_path / 'own.pth'))
        again.init_weights()
        for name, value in model.state_dict().items():
            assert torch.equal(again.state_dict()[name], value), name


def test_video_weights_are_not_loaded_by_halves(tmp_path):
    model = tiny(ViViTFactorisedEncoder, temporal_num_layers=3)
    torch.save(model.state_dict(), tmp_path / 'three.pth')
    path = str(tmp_path / 'three.pth')
    with pytest.raises(ValueError, match='lack.*resblocks.3.*None counts'):
        deeper = tiny(
            ViViTFactorisedEncoder, temporal_num_layers=4, pretrained=path
        )
        deeper.init_weights()
    with pytest.raises(ValueError, match='unknown to the model.*resblocks.1'):
        tiny(ViViTFactorisedEncoder, pretrained=path).init_weights()
    counted = tiny(
        ViViTFactorisedEncoder, temporal_num_layers=None, pretrained=path
    )
    counted.init_weights()
    assert len(counted.temporal.transformer.resblocks) == 3
    with pytest.raises(ValueError, match='positions of 6 tokens.*has 12'):
        tiny(ViViT, pretrained=path).init_weights()
    _, image = image_model(tmp_path)
    with pytest.raises(ValueError, match='no temporal layers to count'):
        tiny(
            ViViTFactorisedEncoder, temporal_num_layers=None, pretrained=image
        )


def test_time_steps_of_another_number(tmp_path):
    model = tiny(ViViTFactorisedEncoder)
    randomize(model)
    torch.save(model.state_dict(), tmp_path / 'two.pth')
    given = dict(num_frames=6, pretrained=str(tmp_path / 'two.pth'))
    with pytest.raises(ValueError, match='2 time steps.*has 3.*resize'):
        tiny(ViViTFactorisedEncoder, **given).init_weights()
    longer = tiny(
        ViViTFactorisedEncoder, **given, inflation=dict(positions='resize')
    )
    longer.init_weights()
    cls, first, last = model.temporal.positional_embedding
    wanted = torch.stack([cls, first, (first + last) / 2, last])
    assert_close(longer.temporal.positional_embedding, wanted)


@every_model
def test_frames_of_scenic_are_no_images(kind, tmp_path):
    """Its kernel of uniform frame sampling has no axis of time."""
    model = tiny(kind, tubelet_size=1, sampled_frames=3)
    randomize(model)
    weights = model.state_dict()
    theirs = {**weights, 'conv1.weight': weights['conv1.weight'][:, :, 0]}
    torch.save(theirs, tmp_path / 'frames.pth')
    given = dict(tubelet_size=1, sampled_frames=3)
    if kind is ViViTFactorisedEncoder:
        given['temporal_num_layers'] = None
        given['inflation'] = dict(class_token=False)  # of images alone
        assert temporal_depth(theirs) == 1
    again = tiny(kind, pretrained=str(tmp_path / 'frames.pth'), **given)
    again.init_weights()
    same(again.state_dict(), weights)


@released
def test_damaged_checkpoints_are_named(path, tmp_path):
    data = path.read_bytes()
    for cut in (1, 40, len(data) // 2, len(data) - 1):
        (tmp_path / 'checkpoint').write_bytes(data[:cut])
        with pytest.raises(ValueError, match='Cannot read weights'):
            load_weights_file(tmp_path / 'checkpoint')
