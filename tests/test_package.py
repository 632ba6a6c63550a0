"""The package as mmengine sees it: configs by name, scope and registries."""

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
        "model = dict(backbone=dict(arch='tiny', img_size=16), "
        'cls_head=dict(in_channels=32, num_classes=3))\n'
    )
    config = Config.fromfile(path)
    assert config.model.backbone.pretrained == 'openai/ViT-B-16'
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
