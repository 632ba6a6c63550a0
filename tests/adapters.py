"""Tiny recognizers on one trunk, as if they had been trained."""

import zlib

import pytest
import torch
from mmaction.apis import inference_recognizer
from mmaction.registry import MODELS
from mmengine.config import Config

from mmvidadapt.apis import load_adapter
from mmvidadapt.engine.adapters import make_adapter, split_names
from mmvidadapt.models import ImageViT
from tests import runs

# What stands in the config of a backbone beside arch, size and trunk.
TIMED = dict(num_frames=runs.NUM_FRAMES)
EVL = dict(TIMED, type='EVL')
METHODS = dict(
    aim=dict(TIMED, type='AIM'),
    evl=dict(EVL, decoder_num_layers=2),
    evl_half=dict(EVL, decoder_num_layers=1, trunk_dtype='bf16'),
    lora=dict(type='LoRA', rank=2),
    vpt=dict(type='VPT', num_prompts=3),
    adaptformer=dict(type='AdaptFormer', adapter_dims=4),
    st_adapter=dict(TIMED, type='STAdapter', adapter_dims=4),
    probe=dict(type='ImageViT'),
)


def write_trunk(path, seed=0):
    """Write image weights that all the methods fit on."""
    torch.manual_seed(seed)
    vit = ImageViT(arch='tiny', img_size=runs.SIDE)
    for param in vit.parameters():
        param.data += 0.1 * torch.randn_like(param)
    torch.save(vit.state_dict(), path)
    return str(path)


def config_of(method, trunk, listing='list.txt', work_dir='work', **backbone):
    """Return the config of a tiny recognizer."""
    config = runs.recipe(runs.ROOT / listing, work_dir)
    sizes = dict(arch='tiny', img_size=runs.SIDE, pretrained=trunk)
    config.model.backbone = dict(METHODS[method], **sizes, **backbone)
    return Config(config.to_dict())


def trained_model(config, seed):
    """Build a model on its trunk whose own tensors are random."""
    model = MODELS.build(config.model)
    model.init_weights()
    state = model.state_dict()
    torch.manual_seed(seed)
    for name in split_names(model)[0]:
        if name != 'backbone.conv1.bias':  # as nobody trains it
            state[name] += 0.3 * torch.randn_like(state[name])
    return model.eval()


def write_adapter(folder, name, config, **facts):
    """Write an adapter file; return its path and the model that it is of."""
    seed = zlib.crc32(name.encode())
    torch.manual_seed(seed)
    model = trained_model(config, seed)
    path = folder / f'{name}.adapter.safetensors'
    parts = split_names(model), model.state_dict(), config.to_dict()
    make_adapter(*parts, **facts).write(path)
    return str(path), model


def write_adapters(folder, trunk, method, number, **backbone):
    """Write several adapters of one method; return paths by name."""
    config = config_of(method, trunk, **backbone)
    return {
        f'{method}{i}': write_adapter(folder, f'{method}{i}', config)[0]
        for i in range(number)
    }


def assert_as_alone(multi, paths, video):
    """Check that adapters on one trunk give what each gives alone."""
    for name, result in multi.predict(video).items():
        alone = inference_recognizer(load_adapter(paths[name]), video)
        assert torch.equal(result.pred_score, alone.pred_score), name


@pytest.fixture
def trunk(tmp_path):
    """Write image weights; a fixture for the files that import it."""
    return write_trunk(tmp_path / 'trunk.pth')


@pytest.fixture
def video(trained):
    """Give a short video; a fixture for the files that import it."""
    return str(trained.folder / 'videos/part0.mp4')
