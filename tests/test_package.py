"""The package as mmengine sees it: configs by name, scope and registries."""

import ast
from pathlib import Path

import mmengine.hub
import mmengine.registry
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope

import mmvidadapt

SHIPPED = Path(mmvidadapt.__file__).parent / '.mim'
needs_install = pytest.mark.skipif(
    not SHIPPED.exists(),
    reason='mmvidadapt is not installed: pip install -e . makes .mim',
)


@needs_install
def test_a_config_inherits_from_the_package(tmp_path):
    path = tmp_path / 'mine.py'
    path.write_text(
        "_base_ = ['mmvidadapt::aim/vitb16_k400.py']\n"
        "sizes = dict(arch='tiny', img_size=16, pretrained=None)\n"
        'head = dict(in_channels=32, num_classes=3)\n'
        'model = dict(backbone=sizes, cls_head=head)\n'
    )
    config = Config.fromfile(path)
    assert config.model.backbone.trunk == 'openai/ViT-B-16'
    # Everything inherited has our scope now, the host's classes too.
    assert config.default_scope in ('mmaction', 'mmvidadapt')
    assert config.model._scope_ == 'mmvidadapt'
    for scope in ('mmaction', 'mmvidadapt'):
        init_default_scope(scope)
        model = mmvidadapt.registry.MODELS.build(config.model)
        assert type(model.backbone) is mmvidadapt.models.AIM
    transforms = mmvidadapt.registry.TRANSFORMS
    for step in config.train_pipeline:
        assert transforms.build(step) is not None
    for hook in config.custom_hooks:
        assert mmvidadapt.registry.HOOKS.build(hook) is not None


@needs_install
def test_the_hub_knows_the_configs():
    config = mmengine.hub.get_config('mmvidadapt::aim/vitb16_k400.py')
    assert config.model.backbone.type == 'AIM'


def test_every_registry_of_the_host_has_a_child():
    import mmaction.registry as host

    for name, registry in vars(host).items():
        if isinstance(registry, mmengine.registry.Registry):
            child = getattr(mmvidadapt.registry, name)
            assert child.parent is registry and child.scope == 'mmvidadapt'


def test_class_names_are_our_own():
    """No class of ours hides one of mmengine, mmaction2 or mmpretrain."""
    import mmpretrain.models  # noqa: F401
    from mmaction.registry import MODELS
    from mmpretrain.registry import MODELS as others

    ours = {
        name
        for name, kind in MODELS.module_dict.items()
        if kind.__module__.startswith('mmvidadapt')
    }
    assert {'AIM', 'AIMSwin', 'ImageViT', 'Float32I3DHead'} <= ours
    assert not ours & set(others.module_dict)


# Rooms in the order in which they may import: each the ones before it.
ORDER = ('utils', 'weights', 'trunks', 'methods', 'datasets', 'apis')
BESIDE = dict(heads='methods', engine='datasets')
PACKAGE = Path(mmvidadapt.__file__).parent


def place(parts):
    """Say where in the order a module stands; None outside of the rooms."""
    room = BESIDE.get(parts[0], parts[0])
    if room == 'methods' and parts[-1].startswith(('dataset', 'transforms')):
        room = 'datasets'  # what a method does to data
    return ORDER.index(room) if room in ORDER else None


def imports_of(file):
    """Yield the modules that a file imports, wherever it does."""
    package = ['mmvidadapt', *file.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split('.') for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level]
            base = base if node.level else []
            module = [*base, *(node.module or '').split('.')]
            yield [part for part in module if part]


def test_imports_point_one_way():
    wrong = []
    for file in PACKAGE.rglob('*.py'):
        parts = file.relative_to(PACKAGE).with_suffix('').parts
        if '.mim' in parts or place(parts) is None:
            continue
        for module in imports_of(file):
            there = place(module[1:]) if len(module) > 1 else None
            outside = module[0] in ('tests', 'tools', 'configs')
            inside = module[0] == 'mmvidadapt' and there is not None
            if outside or (inside and there > place(parts)):
                wrong.append(('/'.join(parts), '.'.join(module)))
    assert not wrong
