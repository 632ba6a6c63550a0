"""Train the chosen reader once more, test it once, and write what is left."""

import shutil
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Dict, List, NamedTuple, Optional

import numpy as np
from mmengine.config import Config
from mmengine.runner import Runner

from mmvidadapt.weights.adapter_file import SUFFIX

from ..report.contents import Report
from ..report.measure_run import RunReporter
from ..report.page import write_report
from ..train.config import write_config
from .advice import Orders, advise
from .folds import Fold
from .intervals import Interval, grouped_interval

if TYPE_CHECKING:
    from .fitter import Fitter

ADAPTER, CONFIG, REPORT = f'model{SUFFIX}', 'config.py', 'report.html'
PARTS = (0.25, 0.5)  # of the clips, for what more clips would bring


class Fitted(NamedTuple):
    """What was reached, and where the files are.

    Args:
        accuracy (Interval): Of the cross-validation, by groups.
        test (Interval, optional): Of the clips that were held out; None where
            there were none.
        adapter (Path): The adapter file.
        config (Path): The config, for ``tools/train.py``.
        report (Path): The report.
    """

    accuracy: Interval
    test: Optional[Interval]
    adapter: Path
    config: Path
    report: Path


def finish(fitter: 'Fitter', config: Config) -> Fitted:
    """Train on all that is not held out, test once, and report.

    Args:
        fitter (Fitter): After its search.
        config (Config): Of the chosen method, from the cache.

    Returns:
        Fitted: What was reached.
    """
    out = fitter.job.out
    config = final_config(fitter, config)
    path = out / CONFIG
    before = path.read_text() if path.is_file() else None
    write_config(config, path)
    adapter = train(config, out, go_on=path.read_text() == before)
    report = make_report(fitter, config, adapter)
    write_report(report, out / REPORT)
    test = None
    if len(fitter.held.test):
        labels = [clip.label for clip in report.clips]
        chosen = [report.classes[i] for i in report.scores.argmax(1)]
        right = [float(a == b) for a, b in zip(labels, chosen)]
        test = grouped_interval(right, [c.group for c in report.clips])
        fitter.say(f'Tested once, on clips that were held out: {test}.')
    paths = out / ADAPTER, out / CONFIG, out / REPORT
    fitter.say('Wrote ' + ', '.join(map(str, paths)) + '.')
    return Fitted(fitter.accuracy, test, *paths)


def final_config(fitter: 'Fitter', config: Config) -> Config:
    """Make the config of the last training: cached clips, tested on videos."""
    config = deepcopy(config)
    name, out = fitter.outcome.candidate, fitter.job.out
    videos = fitter.configs[name]
    rates = fitter.candidate(name, 1).members[fitter.outcome.member]
    config.optim_wrapper.optimizer.update(rates._asdict())
    config.train_dataloader.dataset.indices = fitter.held.train.tolist()
    config.train_dataloader.update(num_workers=0, persistent_workers=False)
    for split in ('val', 'test'):
        config[f'{split}_dataloader'] = deepcopy(videos[f'{split}_dataloader'])
        path = fitter.list_of('test' if len(fitter.held.test) else 'train')
        dataset = config[f'{split}_dataloader'].dataset
        dataset.ann_file = str(path.absolute())
    config.work_dir = str((out / 'train').absolute())
    epochs = config.train_cfg.max_epochs
    config.default_hooks.logger.interval = 10
    config.default_hooks.checkpoint.update(
        interval=epochs, save_best=None, max_keep_ckpts=1
    )
    # Nothing is chosen on what is held out: no validation in between.
    for part in ('dataloader', 'cfg', 'evaluator'):
        config[f'val_{part}'] = None
    return config


def train(config: Config, out: Path, go_on: bool) -> Path:
    """Train, or go on where this very training stopped.

    Args:
        config (Config): What is trained.
        out (Path): The folder that gets the adapter file.
        go_on (bool): Whether what is in ``config.work_dir`` is of it.

    Returns:
        Path: The adapter file.
    """
    work, config = Path(config.work_dir), deepcopy(config)
    adapter = work / f'epoch_{config.train_cfg.max_epochs}{SUFFIX}'
    if not (go_on and adapter.is_file()):
        config.resume = go_on and (work / 'last_checkpoint').is_file()
        config.log_level = 'WARNING'
        Runner.from_cfg(config).train()
    shutil.copyfile(adapter, out / ADAPTER)
    return out / ADAPTER


def make_report(fitter: 'Fitter', config: Config, adapter: Path) -> Report:
    """Test the clips that were held out, in all orders of frames."""
    held = fitter.held.test
    places = held if len(held) else fitter.held.train
    groups = [fitter.clips[i].group for i in places]
    reporter = RunReporter(config, str(adapter), fitter.found.classes)
    report = reporter.collect(groups=groups, title=fitter.job.videos.name)
    if not len(held):  # what it was trained on says nothing
        report.scores = fitter.outcome.scores[places]
        report.orders = None
    orders = None
    if report.orders:
        accuracy = {k: _accuracy(report, v) for k, v in report.orders.items()}
        plain = _accuracy(report, report.scores)
        orders = Orders(
            plain,
            accuracy.get('shuffled'),
            accuracy.get('single frame'),
            accuracy.get('reversed'),
        )
    advice = advise(report.classes, learning_curve(fitter, report), orders)
    fitter.tell(advice)
    report.notes = [*advice, *fitter.notes]
    report.left_out = [*report.left_out, *fitter.found.rejected]
    report.commands = [fitter.command]
    return report


def _accuracy(report: Report, scores: np.ndarray) -> float:
    """Return the part of clips that scores are right on."""
    return float((scores.argmax(1) == report.labels).mean())


def learning_curve(
    fitter: 'Fitter', report: Report
) -> Dict[float, np.ndarray]:
    """Train on a part of the clips, and confuse the others, (K, K) each."""
    size = len(report.classes)
    held = len(fitter.held.test) > 0
    fold = fitter.held if held else fitter.folds[0]
    index = report.classes.index
    labels = np.array([index(fitter.clips[i].label) for i in fold.test])
    scores = {1.0: report.scores if held else fitter.outcome.scores[fold.test]}
    name, member = fitter.outcome.candidate, fitter.outcome.member
    for part in PARTS:
        few = part_of(fitter, fold.train, part)
        candidate = fitter.candidate(name, len(few))
        rates = candidate.members[member]
        candidate = candidate._replace(
            lr=(rates.lr,), weight_decay=(rates.weight_decay,)
        )
        path = fitter.job.out / 'search' / f'{name}_part{part:g}.npz'
        fitter.run(candidate, Fold(few, fold.test), path)
        with np.load(path) as found:
            scores[part] = found[member]
    return {part: confuse(labels, s, size) for part, s in scores.items()}


def part_of(fitter: 'Fitter', places: np.ndarray, part: float) -> np.ndarray:
    """Draw a part of the clips, of every class as many of its own."""
    rng = np.random.default_rng(fitter.job.seed)
    labels = np.array([fitter.clips[i].label for i in places])
    chosen: List[int] = []
    for label in np.unique(labels):
        own = rng.permutation(places[labels == label])
        chosen += own[: max(1, round(part * len(own)))].tolist()
    return np.sort(chosen)


def confuse(labels: np.ndarray, scores: np.ndarray, size: int) -> np.ndarray:
    """Count predictions, (K, K), true classes down."""
    matrix = np.zeros((size, size), np.int64)
    np.add.at(matrix, (labels, scores.argmax(1)), 1)
    return matrix
