"""Registered names are found though importing mmvidadapt imports little."""

import json
import subprocess
import sys

import mmaction.registry
import mmengine.registry
import pytest
from mmengine.registry import Registry

import mmvidadapt
from mmvidadapt.apis.train.config import config_root
from mmvidadapt.utils import register_all_modules, registration

PROGRAM = """
import json, sys
import mmvidadapt
said = {'import': sorted(sys.modules)}
from mmaction.registry import HOOKS, MODELS, TRANSFORMS
assert 'MidpointUniformSample' in TRANSFORMS
said['transforms'] = sorted(sys.modules)
assert 'TrainedParamsHook' in HOOKS
names = ['AIM', 'AIMSwin', 'ImageViT', 'Float32I3DHead', 'VideoRandomErasing']
assert all(name in MODELS for name in names)
from mmengine.registry import FUNCTIONS
assert 'seed_worker' in FUNCTIONS
import mmvidadapt.apis.train.config as config
import mmvidadapt.utils.compat as compat
said['report'] = compat.REPORT
from mmengine.runner import CheckpointLoader
loader = CheckpointLoader._get_checkpoint_loader('x.safetensors')
said['loader'] = loader.__module__
said['loaded'] = 'mmvidadapt.engine.checkpoints' in sys.modules
print(json.dumps(said))
"""
HEAVY = {'torch', 'cv2', 'mmaction', 'mmpretrain', 'scipy', 'torchvision'}
LIGHT = """
import json, runpy, sys
said = {}
for name in sys.argv[1:]:
    sys.argv = [name, '--help']
    try:
        if name.endswith('.py'):
            runpy.run_path(name, run_name='__main__')
        else:
            runpy.run_module(name, run_name='__main__')
    except SystemExit:
        pass
    said[name] = sorted(sys.modules)
sys.__stdout__.write('\\n' + json.dumps(said))
"""


def run(program, *arguments):
    """Run a program, and read the last line that it prints."""
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', program, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_names_are_registered_when_they_are_asked_for():
    """Without the plugin mmaction2's models do not even import."""
    said = run(PROGRAM)
    assert HEAVY & set(said['import']) == set()
    assert 'mmaction.models' not in said['transforms']
    assert 'mmpretrain' not in said['transforms']
    assert not [what for what in said['report'].values() if 'waits' in what]
    assert said['loader'] == 'mmvidadapt.utils.host_files'
    assert not said['loaded']


def test_light_commands_import_no_models():
    root = config_root().parent
    tools = ['prepare_data', 'transcode', 'adapter', 'convert_weights']
    paths = [root / 'tools' / f'{name}.py' for name in tools]
    said = run(LIGHT, 'mmvidadapt', *paths)
    without_torch = list(map(str, ['mmvidadapt', *paths[:2]]))
    for name, modules in said.items():
        assert 'mmvidadapt' in modules
        assert {'mmaction.models', 'mmaction.datasets'}.isdisjoint(modules)
        assert name not in without_torch or 'torch' not in modules


def every_registry():
    for module in (mmaction.registry, mmengine.registry):
        for name, registry in vars(module).items():
            if isinstance(registry, Registry):
                yield name, registry


def test_every_class_of_ours_is_where_its_registry_looks():
    register_all_modules(init_default_scope=False)
    found = 0
    for name, registry in every_registry():
        places = tuple(f'{place}.' for place in registry._locations)
        for kind in registry.module_dict.values():
            if kind.__module__.startswith('mmvidadapt.'):
                found += 1
                assert f'{kind.__module__}.'.startswith(places), (name, kind)
    assert found > 60


def test_registries_without_places_are_left_alone():
    """They share one list, by a default argument of mmengine."""
    lists = [r._locations for _, r in every_registry()]
    shared = [found for found in lists if not found]
    assert shared and all(found == [] for found in shared)


def test_a_registry_that_is_complete_gets_ours_at_once(monkeypatch):
    registry = Registry('late', scope='late', locations=['late_host'])
    monkeypatch.setattr(registry, '_imported', True)
    monkeypatch.delitem(sys.modules, 'mmvidadapt.version')
    registration._add(registry, ['mmvidadapt.version'])
    assert 'mmvidadapt.version' in sys.modules
    assert registry._locations == ['late_host', 'mmvidadapt.version']
    registration._add(registry, ['mmvidadapt.version'])
    assert len(registry._locations) == 2


def test_packages_have_their_classes_and_modules_and_no_others():
    from mmvidadapt import apis, datasets, engine, models
    from mmvidadapt.methods.aim.backbone import AIM

    assert models.AIM is AIM
    assert models.Float32I3DHead.__module__.startswith('mmvidadapt.heads')
    assert engine.seed_worker is engine.seed.seed_worker
    assert engine.load_safely is engine.checkpoints.load_safely
    assert apis.load_adapter is apis.use.adapters.load_adapter
    for package in (models, datasets, engine, apis, mmvidadapt):
        for name in ('Nothing', '__nothing__', 'torch', 'MODELS'):
            with pytest.raises(AttributeError, match=name):
                getattr(package, name)
