"""Every remedy works where it is needed and keeps off where it is not."""

import io
import os
import pickle
import subprocess
import sys
import types

import mmengine.utils.package_utils
import numpy as np
import pytest
import torch
from mmengine.config.utils import MODULE2PACKAGE
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader

from mmvidadapt.utils import compat, package_paths
from mmvidadapt.utils.host_files import SCHEMES


def test_everything_was_healed_on_import():
    assert set(compat.REPORT) == set(compat.REMEDIES)
    import mmaction.models  # noqa: F401  does not import by itself in 1.2.0

    assert not [what for what in compat.REPORT.values() if 'waits' in what]
    assert compat.heal() is compat.REPORT  # again: nothing happens


@pytest.mark.parametrize('remedy', sorted(compat.REMEDIES))
def test_the_way_to_delete_a_remedy_is_written_down(remedy):
    text = compat.REMEDIES[remedy].__doc__
    for word in ('Affected:', 'Symptom', 'Delete when'):
        assert word in text


def test_a_complete_mmaction2_is_left_alone(tmp_path, monkeypatch):
    localizers = tmp_path / 'mmaction' / 'models' / 'localizers'
    (localizers / 'drn').mkdir(parents=True)
    (localizers / '__init__.py').write_text('from .drn.drn import DRN\n')
    name = 'mmaction.models.localizers.drn'
    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.delitem(sys.modules, f'{name}.drn', raising=False)
    where = [str(tmp_path / 'mmaction')]
    spec = types.SimpleNamespace(submodule_search_locations=where)
    monkeypatch.setattr(compat.importlib.util, 'find_spec', lambda name: spec)
    assert compat.missing_drn() == compat.SOUND
    assert name not in sys.modules

    (localizers / 'drn').rmdir()  # as in the wheel
    assert compat.missing_drn() != compat.SOUND
    with pytest.raises(ImportError, match='DRN is missing'):
        sys.modules[f'{name}.drn'].DRN()


def test_mmengine_checkpoints_load_safely(tmp_path):
    history = HistoryBuffer([1.0, 2.0], [1, 1])
    path = tmp_path / 'epoch_1.pth'
    torch.save(dict(message_hub=dict(loss=history, lr=np.float64(3))), path)
    hub = torch.load(path, weights_only=True)['message_hub']
    assert hub['loss'].mean() == 1.5 and hub['lr'] == 3


def test_mmengine_says_whose_reader_reads():
    assert CheckpointLoader._get_checkpoint_loader('a.pth').__name__ == (
        'load_from_mmvidadapt'  # its log shows what follows ``load_from_``
    )


def test_safe_types_are_registered_once_and_only_where_needed(monkeypatch):
    assert compat.safe_checkpoints() == compat.SOUND  # done on import
    monkeypatch.setattr(torch.serialization, 'get_safe_globals', list)
    monkeypatch.setattr(torch, '__version__', '2.5.1+cpu')
    assert compat.safe_checkpoints() == compat.SOUND


class Malicious:
    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    'function, args, words',
    [
        (os.system, ('true',), 'system'),
        (getattr, (HistoryBuffer, '__init__'), 'refusing getattr'),
    ],
)
def test_the_safe_loader_stays_safe(function, args, words):
    """Also the getattr that statistics are read with."""
    buffer = io.BytesIO()
    torch.save(dict(x=Malicious(function, args)), buffer)
    buffer.seek(0)
    with pytest.raises((pickle.UnpicklingError, ValueError), match=words):
        torch.load(buffer, weights_only=True)


def test_an_mmengine_that_reads_safetensors_keeps_its_loader(monkeypatch):
    monkeypatch.setattr(CheckpointLoader, '_schemes', {})
    assert compat.checkpoint_files() != compat.SOUND
    assert set(CheckpointLoader._schemes) == set(SCHEMES)

    def sound(path):
        return load_file(path)  # noqa: F821

    monkeypatch.setattr('mmengine.runner.checkpoint.load_from_local', sound)
    monkeypatch.setattr(CheckpointLoader, '_schemes', {})
    assert compat.checkpoint_files() == compat.SOUND
    assert not CheckpointLoader._schemes


def test_a_sound_torchvision_is_left_alone():
    loads = []
    assert compat.cpu_torchvision(lambda: loads.append(1)) == compat.SOUND
    assert loads == [1]

    def broken():
        raise RuntimeError('something else')

    with pytest.raises(RuntimeError, match='something else'):
        compat.cpu_torchvision(broken)


def test_a_torchvision_without_its_compiled_part_is_loaded_again(monkeypatch):
    """As beside a CPU-only torch."""
    monkeypatch.setitem(sys.modules, 'torchvision.half', sys)
    before = {k: m for k, m in sys.modules.items() if 'torchvision' in k}
    loads = []

    def load():
        loads.append(1)
        if 'torchvision.half' in sys.modules:
            raise RuntimeError('operator torchvision::nms does not exist')

    assert 'nms' in compat.cpu_torchvision(load)
    assert loads == [1, 1]
    assert hasattr(torch.ops.torchvision, 'nms')
    sys.modules.update(before)


def test_package_functions_know_distributions_and_modules():
    is_installed = package_paths.is_installed
    assert is_installed('mmaction2') and is_installed('mmaction')
    assert not is_installed('mmvidadapt_of_tomorrow')
    assert package_paths.package2module('opencv-python') == 'cv2'
    import mmaction

    here = os.path.dirname(mmaction.__file__)
    assert package_paths.get_installed_path('mmaction2') == here
    assert mmengine.utils.package_utils.is_installed is is_installed
    assert compat.package_paths() == compat.SOUND  # already replaced


def test_configs_may_name_the_package():
    assert MODULE2PACKAGE['mmvidadapt'] == 'mmvidadapt'
    assert compat.config_scope() == compat.SOUND


def test_an_accelerator_keeps_the_hosts_distributed_code(monkeypatch):
    import mmengine.device
    import mmengine.dist.utils as host

    before = host._init_dist_pytorch
    monkeypatch.setattr(mmengine.device, 'get_device', lambda: 'cuda')
    assert compat.cpu_distributed() == compat.SOUND
    assert host._init_dist_pytorch is before


def test_too_new_transformers_switch_multimodal_models_off(monkeypatch):
    import mmaction.utils.dependency as host

    assert compat.new_transformers() == compat.SOUND  # none is installed
    monkeypatch.setattr(host, 'WITH_MULTIMODAL', True)
    modeling = types.ModuleType('transformers.modeling_utils')
    package = types.ModuleType('transformers')
    package.modeling_utils = modeling
    monkeypatch.setitem(sys.modules, 'transformers', package)
    monkeypatch.setitem(sys.modules, 'transformers.modeling_utils', modeling)
    assert compat.new_transformers() != compat.SOUND
    assert host.WITH_MULTIMODAL is False

    modeling.apply_chunking_to_forward = None  # as before version 5
    monkeypatch.setattr(host, 'WITH_MULTIMODAL', True)
    assert compat.new_transformers() == compat.SOUND
    assert host.WITH_MULTIMODAL is True


def test_a_missing_package_is_named():
    code = (
        'import sys, importlib.util as util; found = util.find_spec\n'
        "sys.modules['mmaction'] = None\n"
        'util.find_spec = lambda name: (\n'
        "    None if name in ('mmaction', 'cv2') else found(name))\n"
        'import mmvidadapt\n'
    )
    command = [sys.executable, '-c', code]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1
    needs = 'ImportError: mmvidadapt needs opencv-python, mmaction2'
    assert needs in run.stderr and 'requirements/tested.txt' in run.stderr
