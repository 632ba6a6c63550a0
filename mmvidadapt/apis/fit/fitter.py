"""Do the steps of fitting a recognizer to own videos, one after the other."""

import time
from copy import deepcopy
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmvidadapt.datasets.prepare.annotation_lists import (
    write_classes,
    write_list,
)

from ..data.cached_config import config_from_cache
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
from .reader_configs import reader_config
from .recipes import choose_recipe, set_schedule
from .search import (
    Candidate,
    Outcome,
    cross_validate,
    is_finished,
    run_fold,
)
from .sentences import describe_folds, describe_hold_out

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
