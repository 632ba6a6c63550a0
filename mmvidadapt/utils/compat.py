"""Every remedy for a host version, and nothing else.

``import mmvidadapt`` calls :func:`heal` before anything of mmaction2 is
imported. Each remedy looks whether its host is sound and then does nothing;
a remedy for a package that takes long to import waits until it is imported.
``REPORT`` says what was done; ``python -m mmvidadapt doctor`` prints it.
"""

import importlib.util
import os.path as osp
import sys
from functools import partial
from typing import Any, Callable, Dict, Tuple

from mmengine.utils import digit_version

from .host_files import checkpoint_files, whole_local_files
from .import_hooks import Action, after_import, import_through
from .loader_options import no_workers

SOUND = 'not needed'
MULTIMODAL = ('mmaction.utils.dependency', 'mmpretrain.utils.dependency')
REPORT: Dict[str, str] = {}
REMEDIES: Dict[str, Callable[..., str]] = {}
HOSTS: Dict[str, Tuple[str, ...]] = {}


def remedy(*hosts: str) -> Callable[[Callable], Callable]:
    """List a remedy with the modules that it imports, and so waits for."""

    def add(function: Callable) -> Callable:
        REMEDIES[function.__name__] = function
        HOSTS[function.__name__] = hosts
        return function

    return add


@remedy()
def missing_drn() -> str:
    """Add the DRN package that mmaction2's wheel lacks.

    Affected: the wheel and sdist of mmaction2 1.2.0, which lack
    ``mmaction/models/localizers/drn``. Symptom: ``ModuleNotFoundError: No
    module named 'mmaction.models.localizers.drn'`` on
    ``import mmaction.models``. Delete when a release has it.
    """
    name = 'mmaction.models.localizers.drn'
    spec = importlib.util.find_spec('mmaction')
    root = osp.join(spec.submodule_search_locations[0], 'models', 'localizers')
    with open(osp.join(root, '__init__.py')) as file:
        wanted = '.drn' in file.read()
    if not wanted or osp.isdir(osp.join(root, 'drn')) or name in sys.modules:
        return SOUND
    from .missing_drn import stand_in

    stand_in(name)
    return 'stood in for the missing mmaction.models.localizers.drn'


@remedy('torch')
def safe_checkpoints() -> str:
    """Allow torch's safe loader to read mmengine's own checkpoints.

    Affected: torch >= 2.6 with mmengine <= 0.10.7. Symptom:
    ``UnpicklingError: Weights only load failed ... HistoryBuffer`` on resume,
    test and load_from. Delete when mmengine registers its types itself.
    """
    import torch
    from mmengine.logging import HistoryBuffer

    known = getattr(torch.serialization, 'get_safe_globals', list)()
    # Before 2.6 torch.load is not safe by default, and nothing is broken.
    if digit_version(torch.__version__) < digit_version('2.6') or (
        HistoryBuffer in known
    ):
        return SOUND
    import numpy as np

    def attribute(obj: Any, name: str) -> Any:
        if obj is HistoryBuffer and name in ('mean', 'max', 'min', 'current'):
            return getattr(obj, name)
        raise ValueError(
            f'refusing getattr({obj!r}, {name!r}) asked for by a checkpoint'
        )

    core = np.core if np.__version__.startswith('1.') else np._core
    # Both spellings: numpy 1 and 2 write different module names.
    functions = [
        (getattr(core.multiarray, f), f'numpy.{c}.multiarray.{f}')
        for f in ('_reconstruct', 'scalar')
        for c in ('core', '_core')
    ]
    dtypes = {
        type(np.dtype(t))
        for t in ['f2', 'f4', 'f8', 'i4', 'i8', 'u4', 'u8', '?']
    }
    torch.serialization.add_safe_globals(
        [HistoryBuffer, (attribute, 'builtins.getattr'), np.ndarray, np.dtype]
        + functions
        + sorted(dtypes - {np.dtype}, key=str)
    )
    return 'told torch.load which types mmengine stores in checkpoints'


@remedy('torchvision')
def cpu_torchvision(load: Action) -> str:
    """Declare the operators that a CUDA torchvision lacks beside CPU torch.

    Affected: torchvision 0.28.0 of the registry with a CPU-only torch.
    Symptom: ``RuntimeError: operator torchvision::nms does not exist`` on
    ``import torchvision`` (and so on ``import mmaction.models``). Delete when
    a CPU build of torchvision is what the registry gives.

    Args:
        load (Callable): Executes torchvision.
    """
    try:
        load()
        return SOUND
    except RuntimeError as error:
        if 'torchvision::' not in str(error):
            raise
    from .torchvision_operators import declare

    declare()
    load()
    return 'declared the operators nms and qnms of a CUDA-only torchvision'


@remedy(*MULTIMODAL)
def new_transformers() -> str:
    """Keep the hosts' multimodal models out when transformers is too new.

    Affected: mmaction2 1.2.0 and mmpretrain 1.2.0 with transformers >= 5.
    Symptom: ``ImportError: cannot import name 'apply_chunking_to_forward'`` on
    ``import mmaction.models``. Delete when they import what exists.
    """
    hosts = [sys.modules.get(name) for name in MULTIMODAL]
    hosts = [host for host in hosts if getattr(host, 'WITH_MULTIMODAL', False)]
    if not hosts:
        return SOUND
    try:
        from transformers.modeling_utils import apply_chunking_to_forward  # noqa: F401

        return SOUND
    except ImportError:
        for host in hosts:
            host.WITH_MULTIMODAL = False
    return 'switched off multimodal models that need transformers < 5'


@remedy()
def package_paths() -> str:
    """Replace mmengine's search for packages, which needs pkg_resources.

    Affected: mmengine <= 0.10.7. Symptoms: ``No module named
    'pkg_resources'`` (setuptools >= 82) and ``FileNotFoundError
    .../.mim/model-index.yml`` (editable installs) for ``pkg::`` configs.
    Delete when mmengine uses importlib.metadata.
    """
    import mmengine.utils.package_utils as host

    if 'pkg_resources' not in host.is_installed.__code__.co_names:
        return SOUND
    from .package_paths import install

    install()
    return 'replaced pkg_resources in mmengine by importlib.metadata'


@remedy()
def config_scope() -> str:
    """Make ``mmvidadapt::`` known to mmengine's configs.

    Affected: mmengine <= 0.10.7. Delete when its list of packages opens.
    Symptom: ``mmengine does not support to load mmvidadapt config``.
    """
    from mmengine.config.utils import MODULE2PACKAGE

    if 'mmvidadapt' in MODULE2PACKAGE:
        return SOUND
    MODULE2PACKAGE['mmvidadapt'] = 'mmvidadapt'
    return 'added mmvidadapt:: to the packages of mmengine configs'


@remedy(
    'mmengine.dist',
    'mmengine.model',
    'mmengine.optim',  # imports the first and is imported by the second
    f'{__package__}.cpu_distributed',
)
def cpu_distributed() -> str:
    """Enable training with several processes on CPUs in mmengine.

    Affected: mmengine <= 0.10.7 where there is no accelerator. Symptoms:
    ``module 'torch._C' has no attribute '_cuda_setDevice'`` in ``init_dist``
    and ``DistributedDataParallel device_ids ... only work with
    single-device/multiple-device GPU modules``. Delete when mmengine asks.
    """
    from mmengine.device import get_device

    if get_device() != 'cpu':
        return SOUND
    from .cpu_distributed import install

    install()
    return 'taught mmengine to train with gloo where there is no accelerator'


@remedy(
    'mmengine.runner', 'mmengine.infer', f'{__package__}.foreign_checkpoints'
)
def checkpoint_configs() -> str:
    """Read the config in a checkpoint as data.

    Affected: mmengine <= 0.10.7. Symptoms: ``Runner.resume`` and inferencers
    that are given weights alone run the config text of a checkpoint as
    Python, and CheckpointHook removes the file or folder that a resumed
    checkpoint names as its best. Delete when they take neither for granted.
    """
    from mmengine.infer import BaseInferencer
    from mmengine.runner import Runner

    methods = (Runner.resume, BaseInferencer._init_model)
    if not any('fromstring' in m.__code__.co_names for m in methods):
        return SOUND
    from .foreign_checkpoints import install

    install()
    return 'taught mmengine to read configs in checkpoints as data'


remedy('mmengine.runner')(no_workers)
remedy('mmengine.runner')(checkpoint_files)
remedy()(whole_local_files)


def heal() -> Dict[str, str]:
    """Apply every remedy that is needed, once; return ``REPORT``."""
    for name, hosts in HOSTS.items():
        if name in REPORT:
            continue
        REPORT[name] = f'waits for {" or ".join(hosts)}'
        if name == cpu_torchvision.__name__:
            import_through(*hosts, partial(_apply, name))
        elif hosts:
            after_import(hosts, partial(_apply, name))
        else:
            _apply(name)
    return REPORT


def _apply(name: str, *load: Action) -> None:
    """Apply a remedy, and remember what it did the first time."""
    done = REMEDIES[name](*load)
    if done != SOUND or REPORT[name].startswith('waits'):
        REPORT[name] = done
