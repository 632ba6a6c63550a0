"""Record what a measured accuracy was measured on."""

import json
import math
import platform
from importlib.metadata import PackageNotFoundError, version
from numbers import Real
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np
from mmaction.registry import HOOKS
from mmengine.dist import all_gather_object, master_only
from mmengine.fileio import get
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import Dataset

from mmvidadapt.utils.check_installed import NEEDED
from mmvidadapt.utils.sha256 import fingerprint, hash_bytes
from mmvidadapt.utils.whole_file import whole_file
from mmvidadapt.version import __version__

from ..plain_config import plain_dict

NAME = 'manifest.json'


@HOOKS.register_module()
class ManifestHook(Hook):
    """Write ``manifest.json`` beside the metrics of every test run.

    Copies of a data set differ by hundreds of videos, and most numbers that
    do not reproduce were measured on another copy. The manifest holds the
    metrics, the number of videos, path and sha256 of the annotation list, the
    unreadable files with the reasons (they count as wrong), the config, path
    of the checkpoint and sha256 of the loaded weights, and the versions of
    the packages.
    """

    priority = 'LOWEST'  # after whatever else changes the weights

    def before_test_epoch(self, runner: Runner) -> None:
        """Hash what is tested."""
        self.unreadable: List[Dict[str, str]] = []
        self.effect = 'counted as wrong'
        self.weights = weights_hash(runner.model)

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Optional[dict] = None,
        outputs: Any = (),
    ) -> None:
        """Note the files that could not be read.

        What comes out need not be samples: mmaction2 extracts features with
        a head that gives tensors.
        """
        batch = data_batch if isinstance(data_batch, dict) else {}
        if isinstance(outputs, Tensor):
            self.effect = 'given the features of another video'
        for sample in batch.get('data_samples') or ():
            if 'reason' in sample.metainfo:
                self.unreadable.append(
                    dict(file=sample.filename, reason=sample.reason)
                )

    def after_test_epoch(
        self, runner: Runner, metrics: Optional[Dict[str, float]] = None
    ) -> None:
        """Write the manifest."""
        found = [
            bad for part in all_gather_object(self.unreadable) for bad in part
        ]
        unique = {bad['file']: bad for bad in found}  # samplers fill up
        self._write(runner, list(unique.values()), metrics or {})

    @master_only
    def _write(
        self,
        runner: Runner,
        unreadable: List[Dict[str, str]],
        metrics: Dict[str, float],
    ) -> None:
        """Write, on the first rank."""
        dataset = runner.test_dataloader.dataset
        manifest = dict(
            metrics={
                name: float(value) if isinstance(value, Real) else value
                for name, value in metrics.items()
            },
            num_videos=len(dataset),
            annotations=annotation_lists(dataset),
            num_unreadable=len(unreadable),
            unreadable=sorted(unreadable, key=lambda bad: bad['file']),
            checkpoint=runner._load_from,
            weights_sha256=self.weights,
            versions=versions(),
            config=plain_dict(runner.cfg),
        )
        path = Path(runner.log_dir, NAME)
        text = json.dumps(plain(manifest), indent=2, default=str)
        with whole_file(path) as part:
            part.write_text(f'{text}\n')
        effect = f' and {self.effect}' if unreadable else ''
        runner.logger.info(
            f'{len(dataset)} videos, {len(unreadable)} of them unreadable'
            f'{effect}. What was tested is in {path}.'
        )


def plain(value: Any) -> Any:
    """Turn a nested value into what JSON can hold: keys are texts."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (Tensor, np.ndarray)):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def weights_hash(model: nn.Module) -> str:
    """Hash names, types and values of all weights."""
    model = model.module if is_model_wrapper(model) else model
    try:
        return fingerprint(dict(model.state_dict()))
    except ValueError as error:  # sharded, so that nobody has all of them
        return f'unknown: {error}'


def annotation_lists(dataset: Dataset) -> List[Dict[str, str]]:
    """Return the annotation files of a data set and their hashes."""
    inner = [*getattr(dataset, 'datasets', ())]
    if hasattr(dataset, 'dataset'):
        inner.append(dataset.dataset)
    listed = [entry for part in inner for entry in annotation_lists(part)]
    path = getattr(dataset, 'ann_file', '')
    if path:
        digest = hash_bytes(get(path))
        listed.insert(0, dict(file=str(path), sha256=digest))
    return listed


def versions() -> Dict[str, str]:
    """Return the versions of what takes part in a result."""
    found = dict(python=platform.python_version(), mmvidadapt=__version__)
    for package in NEEDED.values():
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # another distribution provides it
            found[package] = 'unknown'
    return found
