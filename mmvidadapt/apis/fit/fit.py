"""Fit a recognizer to own videos: from a folder to a file and a report."""

import re
import shlex
import time
from copy import deepcopy
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Union

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmvidadapt.datasets.prepare.annotation_lists import (
    write_classes,
    write_list,
)
from mmvidadapt.utils.printable import say as say_it
from mmvidadapt.utils.process_pool import num_cores

from ..data.feature_cache import config_from_cache
from .choose_trunk import choose_trunk
from .clips import check_source, read_source
from .features import (
    SPLITS,
    build_trunk,
    cache_clips,
    still_features,
)
from .final import Fitted, finish
from .folds import Fold, folds, hold_out
from .groups import find_groups, given_groups
from .intervals import grouped_interval
from .reader_configs import BASES, reader_config
from .recipes import choose_recipe, set_schedule
from .search import (
    Candidate,
    Outcome,
    cross_validate,
    is_finished,
    run_fold,
)
from .sentences import describe_folds, describe_hold_out

UNITS = dict(s=1, m=60, h=3600)
BAR = 30  # characters


class Job(NamedTuple):
    """What is to be fitted, and how."""

    videos: Path
    out: Path
    methods: Sequence[str]
    seconds: float
    folds: int
    share: float
    seed: int
    processes: int


def read_budget(text: Union[str, float]) -> float:
    """Read a time such as ``'90s'``, ``'10m'`` or ``'2h'``, in seconds.

    Raises:
        ValueError: If it is none, or not above zero.
    """
    match = re.fullmatch(r'(\d+(?:\.\d+)?)\s*([smh])', str(text).strip())
    seconds = float(match[1]) * UNITS[match[2]] if match else 0.0
    if seconds <= 0:
        raise ValueError(
            f"--budget '{text}': give seconds, minutes or hours, such as "
            '90s, 10m or 2h.'
        )
    return seconds


def fit(
    videos: Union[str, Path],
    out: Union[str, Path],
    group_pattern: Optional[str] = None,
    group_columns: Sequence[str] = (),
    trunk: Optional[str] = None,
    methods: Sequence[str] = tuple(BASES),
    budget: str = '10m',
    num_folds: int = 5,
    test_share: float = 0.2,
    download: bool = True,
    processes: Optional[int] = None,
    seed: int = 0,
    say: Optional[Callable[..., None]] = None,
) -> Fitted:
    """Fit a recognizer to own videos, and measure how far it can be trusted.

    Everything that is decided is said in a sentence and written down in
    ``out``, where an interrupted run goes on: lists, cached features, scores
    of all folds, ``config.py`` for ``tools/train.py``, the adapter file
    ``model.adapter.safetensors`` and ``report.html``.

    Args:
        videos (str | Path): Folder of class folders, table (``.csv``) with
            the columns file and label, or list of paths and labels.
        out (str | Path): Folder of what is written.
        group_pattern (str, optional): Regular expression: clips in whose
            paths it finds the same are never on two sides of a split.
            Defaults to None: groups are found, and what was found is said.
        group_columns (Sequence[str]): Columns of the table that say the
            same. Defaults to ().
        trunk (str, optional): Name of an image ViT, or ``NAME=FILE``.
            Defaults to None: chosen by what is kept here and by the time.
        methods (Sequence[str]): Readers of the frozen trunk that are
            compared. Defaults to ('EVL', 'AttentiveProbe').
        budget (str): Time for everything, such as ``'10m'``.
            Defaults to '10m'.
        num_folds (int): Folds of the cross-validation. Defaults to 5.
        test_share (float): Part of the clips that is tested once, at the
            end. Defaults to 0.2.
        download (bool): Whether weights may be downloaded. Defaults to True.
        processes (int, optional): Trainings at once. Defaults to None: one a
            core, four at most.
        seed (int): Of everything that is drawn. Defaults to 0.
        say (Callable, optional): What is told the sentences, called as
            ``print`` is. Defaults to None: they are printed.

    Returns:
        Fitted: What was reached, and where the files are.

    Raises:
        ValueError: If the videos cannot be read, divided or told apart.
    """
    unknown = sorted(set(methods) - set(BASES))
    if unknown or not methods:
        raise ValueError(f'methods={methods}: choose from {list(BASES)}.')
    cores = processes or min(4, num_cores())
    given = num_folds, test_share, seed, cores
    job = Job(Path(videos), Path(out), methods, read_budget(budget), *given)
    fitter = Fitter(job, say or say_it)
    fitter.command = command(job, group_pattern, group_columns, trunk, budget)
    fitter.find(group_pattern, group_columns)
    fitter.choose(trunk, download)
    fitter.cache()
    fitter.divide()
    fitter.search()
    return fitter.finish()


class Fitter:
    """Do one step of :func:`fit` after the other.

    Args:
        job (Job): What is to be done.
        say (Callable): What is told the sentences.
    """

    def __init__(self, job: Job, say: Callable[..., None]) -> None:
        init_default_scope('mmaction')
        self.job, self.say, self.start = job, say, time.perf_counter()
        self.notes: List[str] = []
        self.command = ''
        job.out.mkdir(parents=True, exist_ok=True)

    def tell(self, sentences: Sequence[str], note: bool = False) -> None:
        """Say sentences; what is a note is in the report, too."""
        for sentence in sentences:
            self.say(sentence)
        self.notes += sentences if note else ()

    def lap(self, what: str) -> None:
        """Say what is done, and when."""
        seconds = time.perf_counter() - self.start
        self.say(f'-- {what}, {seconds:.0f} s since the start')

    def progress(self, what: str) -> Callable[[int, int], None]:
        """Return what draws a bar, with the time that is left."""
        start, first = time.perf_counter(), []

        def draw(done: int, of: int) -> None:
            first.append(done)
            taken = time.perf_counter() - start
            new = done - first[0]
            left = f'{taken / new * (of - done):.0f} s left' if new else ''
            full = round(BAR * done / max(of, 1))
            bar = '#' * full + '.' * (BAR - full)
            end = '\n' if done == of else ''
            self.say(f'\r{what} [{bar}] {done}/{of} {left:12}', end=end)

        return draw

    def find(self, pattern: Optional[str], columns: Sequence[str]) -> None:
        """Read, check and group the clips."""
        source = read_source(self.job.videos)
        source, said = given_groups(source, self.job.videos, pattern, columns)
        if source.several or source.tasks:
            raise ValueError(
                f'{self.job.videos} gives clips several labels, which fit '
                'does not compare yet: use tools/prepare_data.py and '
                'tools/train.py.'
            )
        ledger = self.job.out / 'checked.jsonl'
        self.found = check_source(source, ledger=ledger)
        self.clips = list(self.found.clips)
        self.tell([*self.found.sentences, *said], note=True)
        self.lap('every video decoded')

    def choose(self, trunk: Optional[str], download: bool) -> None:
        """Choose recipe and trunk, and write the configs."""
        number = len(self.clips)
        self.recipe = choose_recipe(number, self.job.seconds)
        frames = number * self.recipe.num_frames * (1 + self.recipe.passes)
        size = self.recipe.img_size
        seconds = self.job.seconds
        chosen = choose_trunk(frames, seconds, trunk, size, download)
        self.tell([chosen.reason, *self.recipe.reasons])
        self.write_list('all', range(number))
        write_classes(self.job.out / 'classes.txt', self.found.classes)
        lists = dict.fromkeys(('train', 'val', 'test'), self.list_of('all'))
        self.configs = {
            name: reader_config(
                name,
                chosen,
                self.recipe,
                self.found.classes,
                self.found.root,
                lists,
            )
            for name in self.job.methods
        }
        for config in self.configs.values():
            config.randomness = dict(seed=self.job.seed)

    def list_of(self, name: str) -> Path:
        """Return the path of a list."""
        return self.job.out / 'lists' / f'{name}.txt'

    def write_list(self, name: str, places: Sequence[int]) -> None:
        """Write some clips as a list of mmaction2."""
        self.list_of(name).parent.mkdir(exist_ok=True)
        index = {label: i for i, label in enumerate(self.found.classes)}
        rows = [self.clips[i] for i in places]
        write_list(
            self.list_of(name), [(c.path, index[c.label]) for c in rows]
        )

    def cache(self) -> None:
        """Run the trunk over all clips, once as they are, then augmented."""
        # What EVL taps is all that the probe reads.
        config = self.configs.get('EVL', next(iter(self.configs.values())))
        torch.set_num_threads(self.job.processes)
        self.model = build_trunk(config)
        folder = self.job.out / 'cache'
        passes, seed = self.recipe.passes, self.job.seed
        bar = self.progress('features')
        self.folders = cache_clips(
            self.model, config, folder, passes, seed, bar
        )
        self.still = still_features(self.model, config, folder / 'still.npy')
        self.lap('features cached')

    def divide(self) -> None:
        """Find groups, hold some out, and make folds of the others."""
        self.clips, said = find_groups(self.clips, self.still)
        self.tell(said, note=True)
        self.held = hold_out(self.clips, self.job.share, self.job.seed)
        own = [self.clips[i] for i in self.held.train]
        divided = folds(own, self.job.folds, self.job.seed)
        self.tell(describe_hold_out(self.clips, self.held), note=True)
        self.tell(describe_folds(own, divided), note=True)
        self.folds = [
            Fold(self.held.train[f.train], self.held.train[f.test])
            for f in divided
        ]
        self.write_list('train', self.held.train)
        if len(self.held.test):
            self.write_list('test', self.held.test)

    def cached_config(self, name: str, size: int) -> Config:
        """Return a method's config for so many clips, from the cache."""
        config = deepcopy(self.configs[name])
        set_schedule(config, self.recipe, size)
        config = config_from_cache(config, self.split_folders())
        if name == 'AttentiveProbe' and 'EVL' in self.configs:
            for split in SPLITS.values():
                dataset = config[f'{split}_dataloader'].dataset
                dataset.update(decoder_num_layers=1, motion=False)
        return config

    def split_folders(self) -> Dict[str, Path]:
        """Return the caches by the splits whose pipelines they are of."""
        return {SPLITS[name]: path for name, path in self.folders.items()}

    def candidate(self, name: str, size: int) -> Candidate:
        """Return a method with the rates that are compared."""
        rates = self.recipe.lr, self.recipe.weight_decay
        return Candidate(name, self.cached_config(name, size), *rates)

    def search(self) -> None:
        """Cross-validate all readers, and choose."""
        size = len(self.folds[0].train)
        candidates = [self.candidate(n, size) for n in self.job.methods]
        outcomes = cross_validate(
            candidates,
            self.folds,
            len(self.found.classes),
            self.job.out / 'search',
            self.job.processes,
            self.progress('trainings'),
        )
        self.outcome = outcomes[0]
        self.tell(describe_outcomes(outcomes))
        self.tell([self.describe_search()], note=True)
        self.lap('cross-validated')

    def tested(self) -> np.ndarray:
        """Return the places that were tested in some fold."""
        return np.sort(np.concatenate([fold.test for fold in self.folds]))

    def describe_search(self) -> str:
        """Bound the accuracy of the best reader on groups never seen."""
        places, index = self.tested(), self.found.classes.index
        labels = np.array([index(self.clips[i].label) for i in places])
        right = self.outcome.scores[places].argmax(1) == labels
        groups = [self.clips[i].group for i in places]
        self.accuracy = grouped_interval(right.astype(float), groups)
        return (
            f'{self.outcome.candidate} at {self.outcome.member} is right on '
            f'{right.sum()} of {len(right)} clips of groups that it was not '
            f'trained on, {self.accuracy}; the best of several, so a little '
            'too good.'
        )

    def run(self, candidate: Candidate, fold: Fold, path: Path) -> None:
        """Train on one side of a fold and score the other, unless done."""
        if not is_finished(path, (candidate, fold)):
            run_fold(candidate, fold, path)

    def finish(self) -> Fitted:
        """Train on all that is not held out, test once, and report."""
        name = self.outcome.candidate
        config = self.cached_config(name, len(self.held.train))
        done = finish(self, config)
        self.lap('done')
        return done


def describe_outcomes(outcomes: Sequence[Outcome]) -> List[str]:
    """List what cross-validation found, the best first."""
    return [f'  {o.accuracy:6.1%}  {o.candidate} {o.member}' for o in outcomes]


def command(
    job: Job,
    pattern: Optional[str],
    columns: Sequence[str],
    trunk: Optional[str],
    budget: str,
) -> str:
    """Return the command line that does the same."""
    words = ['python', 'tools/fit.py', str(job.videos), str(job.out)]
    words += ['--group-pattern', pattern] if pattern else []
    words += ['--group-column', *columns] if columns else []
    words += ['--trunk', trunk] if trunk else []
    words += ['--budget', budget, '--seed', str(job.seed)]
    return shlex.join(words)
