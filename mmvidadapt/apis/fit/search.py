"""Cross-validate readers of cached features, many rates at once."""

import json
import logging
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import (
    Callable,
    Dict,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

import numpy as np
import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from mmvidadapt.methods.probe_sweep.config import sweep_config
from mmvidadapt.methods.probe_sweep.grid import Rates, grid
from mmvidadapt.utils.sha256 import hash_bytes
from mmvidadapt.utils.whole_file import whole_file

from .folds import Fold

QUIET = dict(logger=dict(type='LoggerHook', interval=10**6), checkpoint=None)
BATCH = 32  # clips that are scored at a time


class Candidate(NamedTuple):
    """A method with its config, and the rates that are compared.

    The training set of the config is cached and augmented, its test set holds
    the same clips, cached as they are.
    """

    name: str
    config: Config
    lr: Sequence[float]
    weight_decay: Sequence[float]
    others: Tuple[Tuple[str, dict], ...] = ()  # data sets scored as well

    @property
    def plain(self) -> dict:
        """Config of the data set that is scored."""
        return self.config.test_dataloader.dataset

    @property
    def members(self) -> Dict[str, Rates]:
        """Rates by the names of members."""
        return grid(self.lr, self.weight_decay)


class Outcome(NamedTuple):
    """What cross-validation found of a member of a candidate."""

    candidate: str
    member: str
    scores: np.ndarray  # (N, K), zero where a clip was never tested
    accuracy: float


def quiet_config(config: Config, train: np.ndarray, work_dir: Path) -> Config:
    """Make a config train on some clips of its cache and say little.

    Args:
        config (Config): It reads its training set from a cache.
        train (np.ndarray): Places of the clips, ``(n,)``.
        work_dir (Path): Where the run writes.

    Returns:
        Config: A copy, without validation, test and checkpoints.
    """
    config = deepcopy(config)
    config.train_dataloader.dataset.indices = train.tolist()
    config.train_dataloader.update(num_workers=0, persistent_workers=False)
    for name in ('val', 'test'):
        for part in ('dataloader', 'cfg', 'evaluator'):
            config[f'{name}_{part}'] = None
    config.default_hooks = dict(config.default_hooks, **QUIET)
    kept = ('EpochSeedHook', 'CpuProductsHook', 'NonFiniteLossHook')
    config.custom_hooks = [h for h in config.custom_hooks if h.type in kept]
    config.log_level, config.work_dir = 'WARNING', str(work_dir)
    config.visualizer = None
    return config


@torch.no_grad()
def score(model: nn.Module, dataset: dict, places: np.ndarray) -> dict:
    """Score clips of a cache with every member of a sweep.

    Args:
        model (nn.Module): A ProbeSweep without a kept member.
        dataset (dict): Config of the data set.
        places (np.ndarray): Places of the clips, ``(n,)``.

    Returns:
        Dict[str, np.ndarray]: Scores ``(n, K)`` by the names of members.
    """
    built = DATASETS.build(dict(dataset, indices=places.tolist()))
    found: Dict[str, List[np.ndarray]] = {}
    loader = DataLoader(built, BATCH, collate_fn=pseudo_collate)
    model.eval()
    for batch in loader:
        for sample in model.val_step(batch):
            for name, value in sample.pred_score.items():
                found.setdefault(name, []).append(value.cpu().numpy())
    return {name: np.stack(values) for name, values in found.items()}


@contextmanager
def quiet_thread() -> Iterator[None]:
    """Compute on one thread and log warnings only, for a while.

    The numbers are the same however many folds are trained at once.
    """
    threads, level = torch.get_num_threads(), logging.root.manager.disable
    torch.set_num_threads(1)
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(level)
        torch.set_num_threads(threads)


def run_fold(candidate: Candidate, fold: Fold, path: Path) -> None:
    """Train all members on one side of a fold; score the other, in a file.

    Args:
        candidate (Candidate): What is trained.
        fold (Fold): Its sides.
        path (Path): Where scores ``(n, K)`` are written, by the names of
            members, with the places of the clips and ``key``.
    """
    init_default_scope('mmaction')
    rates = candidate.lr, candidate.weight_decay
    config = sweep_config(candidate.config, *rates)
    config = quiet_config(config, fold.train, path.with_suffix(''))
    config.experiment_name = str(path.with_suffix(''))
    with quiet_thread():
        runner = Runner.from_cfg(config)
        runner.train()
        found = score(runner.model, candidate.plain, fold.test)
        for name, dataset in candidate.others:
            other = score(runner.model, dataset, fold.test)
            found.update({f'{m}, {name}': s for m, s in other.items()})
    key = fold_key(candidate, fold)
    with whole_file(path) as part, open(part, 'wb') as file:
        np.savez(file, key=key, places=fold.test, **found)


def fold_key(candidate: Candidate, fold: Fold) -> str:
    """Hash what decides the scores of a fold."""
    config = candidate.config
    parts = config.model, config.train_dataloader, config.optim_wrapper
    parts += config.param_scheduler, config.train_cfg, config.randomness
    said = [candidate[2:], str(candidate.plain), [s.tolist() for s in fold]]
    return hash_bytes(json.dumps([str(parts), said]).encode())


def cross_validate(
    candidates: Sequence[Candidate],
    divided: Sequence[Fold],
    num_classes: int,
    folder: Path,
    processes: int = 1,
    report: Optional[Callable[[int, int], None]] = None,
) -> List[Outcome]:
    """Cross-validate all members of all candidates.

    What an earlier run has finished is read from ``folder``.

    Args:
        candidates (Sequence[Candidate]): What is compared.
        divided (Sequence[Fold]): The folds, of places in their data set.
        num_classes (int): Number of classes K.
        folder (Path): Where the folds' scores are kept.
        processes (int): How many folds are trained at once. Defaults to 1.
        report (Callable, optional): Told how many folds are done, and of how
            many. Defaults to None.

    Returns:
        List[Outcome]: Of every member of every candidate, the best first;
        among equals in the order of the candidates.
    """
    folder.mkdir(parents=True, exist_ok=True)
    jobs = {
        folder / f'{c.name}_fold{i}.npz': (c, fold)
        for i, fold in enumerate(divided)
        for c in candidates
    }
    todo = {p: job for p, job in jobs.items() if not is_finished(p, job)}
    done = len(jobs) - len(todo)
    for count, _ in enumerate(run_jobs(todo, processes), start=done + 1):
        if report:
            report(count, len(jobs))
    labels = labels_of(candidates[0].plain)
    size = len(labels), num_classes
    found = [o for c in candidates for o in _outcomes(c, jobs, size, labels)]
    return sorted(found, key=lambda outcome: -outcome.accuracy)


def is_finished(path: Path, job: tuple) -> bool:
    """Check whether a fold was trained before, in this very way."""
    try:
        with np.load(path) as found:
            return str(found['key']) == fold_key(*job)
    except (OSError, ValueError, KeyError):
        return False


def run_jobs(jobs: Dict[Path, tuple], processes: int) -> Iterator[None]:
    """Run folds, some at a time; one process runs them here."""
    if min(processes, len(jobs)) < 2:
        for path, job in jobs.items():
            yield run_fold(*job, path)
        return
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(processes, context, _start) as pool:
        futures = [pool.submit(run_fold, *j, p) for p, j in jobs.items()]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:  # after an error, do not wait for those that have not begun
            pool.shutdown(wait=False, cancel_futures=True)


def _start() -> None:
    """Import what heals mmaction2 in a new process."""
    import mmvidadapt  # noqa: F401


def labels_of(dataset: dict) -> np.ndarray:
    """Read the labels of a cached data set, (N,)."""
    built = DATASETS.build(dict(dataset, indices=None))
    return np.asarray(built.labels[: built.meta.clips])


def _outcomes(
    candidate: Candidate,
    jobs: Dict[Path, tuple],
    size: tuple,
    labels: np.ndarray,
) -> List[Outcome]:
    """Put the scores of all folds together."""
    outcomes = []
    kinds = ['', *(f', {name}' for name, _ in candidate.others)]
    for name in (m + kind for m in candidate.members for kind in kinds):
        scores, tested = np.zeros(size, np.float32), np.zeros(size[0], bool)
        for path, (own, *_) in jobs.items():
            if own is candidate:
                with np.load(path) as found:
                    scores[found['places']] = found[name]
                    tested[found['places']] = True
        right = scores.argmax(1) == labels
        accuracy = float(right[tested].mean())
        outcomes.append(Outcome(candidate.name, name, scores, accuracy))
    return outcomes
