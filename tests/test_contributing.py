"""CONTRIBUTING.md: the map is the house, and its method trains."""

import importlib
import re
import sys

import pytest
import torch
from mmengine.runner import Runner

from mmvidadapt.engine.adapters import load_adapter
from tests import runs
from tests.engine.adapter_runs import recipe

PACKAGE = runs.ROOT / 'mmvidadapt'
TEXT = (runs.ROOT / 'CONTRIBUTING.md').read_text()


def test_the_map_names_every_folder_and_no_other():
    drawn = re.search(r'```text\n(.*?)```', TEXT, re.S).group(1)
    told = set(re.findall(r'(?<![\w/])(\w+)/', drawn))
    there = {
        folder.parent.name
        for folder in PACKAGE.rglob('__init__.py')
        if folder.parent.name != 'tokenizers'
    }
    assert there <= told
    assert told - there <= {'configs', 'tools', 'tests', '_base_'}
    for name in re.findall(r'\]\((?!http)([^)]+)\)', TEXT):
        assert (runs.ROOT / name).exists(), name


@pytest.fixture
def framebias(tmp_path, monkeypatch):
    """Write the method's folder and import it."""
    folder = tmp_path / 'framebias'
    folder.mkdir()
    for code in re.findall(r'```python\n(.*?)```', TEXT, re.S):
        name = re.search(r'methods/framebias/(\w+\.py)', code).group(1)
        (folder / name).write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module('framebias.backbone')
    for name in [n for n in sys.modules if n.startswith('framebias')]:
        del sys.modules[name]
    from mmaction.registry import MODELS

    MODELS._module_dict.pop('FrameBias')


def test_the_method_trains_and_is_saved_as_an_adapter(
    framebias, listing, tmp_path
):
    trunk = tmp_path / 'trunk.pth'
    torch.manual_seed(1)
    image = framebias.ViTTrunk(arch='tiny', img_size=runs.SIDE)
    torch.save(image.state_dict(), trunk)
    config = recipe(
        listing, tmp_path, str(trunk), model__backbone__type='FrameBias'
    )
    runner = Runner.from_cfg(runs.without_validation(config))
    runner.train()
    trained = {
        name: param
        for name, param in runner.model.backbone.named_parameters()
        if param.requires_grad
    }
    assert set(trained) == {
        f'transformer.resblocks.{i}.frame_bias' for i in (0, 1)
    }
    assert all(param.any() for param in trained.values())
    found = load_adapter(str(tmp_path / 'work/epoch_1.adapter.safetensors'))
    for name, value in runner.model.state_dict().items():
        assert torch.equal(found.state_dict()[name], value), name
