"""Test readers of a real trunk on small sets: real_sets.py DATA OUT.

DATA holds folders with ``clips.csv`` (file, label, group or scene) and their
clips, and ``weights/``, the frozen trunk. The trunk sees every clip as it is
tested, four times augmented, and once with shuffled frames. EVL and an
attentive probe are trained on some groups and tested on the others, by the
protocol of each set, each also without what tells the order of frames. Prints
a row a reader, with intervals that respect groups.
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
import csv
import json
import time
from copy import deepcopy
from pathlib import Path
from typing import Dict, List, NamedTuple, Tuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmvidadapt.apis.data.cached_config import config_from_cache
from mmvidadapt.apis.fit.choose_trunk import Choice
from mmvidadapt.apis.fit.features import SPLITS, build_trunk, cache_clips
from mmvidadapt.apis.fit.folds import Fold
from mmvidadapt.apis.fit.intervals import grouped_interval
from mmvidadapt.apis.fit.reader_configs import reader_config
from mmvidadapt.apis.fit.recipes import choose_recipe, set_schedule
from mmvidadapt.apis.fit.search import Candidate, cross_validate, labels_of
from mmvidadapt.datasets.prepare.annotation_lists import write_list
from mmvidadapt.utils.text_table import text_table

TRUNK = 'facebook/dinov2-small'
WEIGHTS = 'weights/dinov2_vits14_as_clip_visual_fp16.pt'
SHUFFLED = 'frames shuffled in testing'
CACHES = {**SPLITS, SHUFFLED: 'val'}
# What tells the order of frames, taken out.
BLIND = dict(EVL=dict(temporal=()), AttentiveProbe=dict(time_positions=None))


class Clip(NamedTuple):
    """A row of ``clips.csv``."""

    file: str
    label: str
    group: str
    part: str = ''  # of the set; each has folds of its own


def read_clips(folder: Path) -> List[Clip]:
    """Read the clips of a set; the gestures without those of no class."""
    with open(folder / 'clips.csv') as file:
        rows = [r for r in csv.DictReader(file) if r['label'] != 'other']
    group = 'scene' if 'scene' in rows[0] else 'group'
    return [
        Clip(r['file'], r['label'], f'{r.get("set", "")}{r[group]}',
             r.get('set', ''))
        for r in rows
    ]  # fmt: skip


def odd_even(clips: List[Clip]) -> List[Fold]:
    """Train on people with odd numbers, test on the others."""
    odd = np.array([int(clip.group[1:]) % 2 == 1 for clip in clips])
    return [Fold(np.flatnonzero(odd), np.flatnonzero(~odd))]


def leave_out(clips: List[Clip], every: int = 0) -> List[Fold]:
    """Leave groups out within each part, one at a time or every n-th."""
    found = []
    for part in sorted({clip.part for clip in clips}):
        names = sorted({c.group for c in clips if c.part == part}, key=_order)
        for first in range(every or len(names)):
            out = names[first::every] if every else [names[first]]
            own = np.array([c.part == part for c in clips])
            test = np.array([c.group in out for c in clips]) & own
            found.append(
                Fold(np.flatnonzero(own & ~test), np.flatnonzero(test))
            )
    return found


def _order(name: str) -> Tuple[int, str]:
    """Sort numbers as numbers."""
    return (int(name) if name.isdecimal() else 0, name)


def gesture_scenes(clips: List[Clip]) -> List[Fold]:
    """Leave every fourth scene out; the fold of scene 1 was tuned on."""
    folds = leave_out(clips, every=4)
    tuned = [i for i, f in enumerate(folds)
             if '1' in {clips[j].group for j in f.test}]  # fmt: skip
    return [fold for i, fold in enumerate(folds) if i not in tuned]


PROTOCOLS = dict(
    gestures=gesture_scenes,
    utd_mhad5=odd_even,
    weizmann=leave_out,
    ut_interaction=leave_out,
    surveillance_fights=lambda clips: leave_out(clips, every=3),
)


class Study:
    """Caches, readers and folds of a set."""

    def __init__(self, name: str, args: argparse.Namespace) -> None:
        self.name, self.args = name, args
        self.out = args.out / name
        self.clips = [
            clip
            for clip in read_clips(args.data / name)
            if not clip.part or clip.part in (args.parts or [clip.part])
        ]
        self.folds = PROTOCOLS[name](self.clips)
        self.classes = sorted({clip.label for clip in self.clips})
        (self.out / 'lists').mkdir(parents=True, exist_ok=True)
        rows = [(c.file, self.classes.index(c.label)) for c in self.clips]
        write_list(self.out / 'lists/all.txt', rows)
        self.recipe = choose_recipe(len(self.folds[0].train), 1e9)

    def config(self, reader: str, layers: int) -> Config:
        """Write the config of a reader; validation sees shuffled frames."""
        path = self.out / 'lists/all.txt'
        config = reader_config(
            reader,
            Choice(TRUNK, str(self.args.data / WEIGHTS), ''),
            self.recipe._replace(layers=layers),
            self.classes,
            self.args.data / self.name,
            dict.fromkeys(('train', 'val', 'test'), path),
        )
        steps = deepcopy(config.test_dataloader.dataset.pipeline)
        place = [step.type for step in steps].index('VideoDecode') + 1
        steps.insert(place, dict(type='ShuffleFrames', seed=0))
        config.val_dataloader = deepcopy(config.test_dataloader)
        config.val_dataloader.dataset.pipeline = steps
        config.randomness = dict(seed=self.args.seed)
        return config

    def cache(self) -> Dict[str, Path]:
        """Run the trunk over all clips, for all readers."""
        config = self.config('EVL', self.recipe.layers)
        return cache_clips(
            build_trunk(config),
            config,
            self.out / 'cache',
            self.recipe.passes,
            0,
            lambda done, of: print(f'\r{self.name} {done}/{of}', end=''),
            CACHES,
        )

    def candidates(self, folders: Dict[str, Path]) -> List[Candidate]:
        """List every reader, and every reader that is blind to order."""
        found, readers = [], self.args.readers
        for reader, blind in BLIND.items():
            for kind, change in (('', {}), ('_blind', blind)):
                if reader not in (self.args.blind if kind else readers):
                    continue
                config = self.config(reader, self.args.layers)
                config.model.backbone.update(change)
                set_schedule(config, self.recipe, len(self.folds[0].train))
                places = {CACHES[n]: path for n, path in folders.items()}
                config = config_from_cache(config, places)
                layers = self.args.layers if reader == 'EVL' else 1
                motion = reader == 'EVL' and not kind
                for split in CACHES.values():
                    dataset = config[f'{split}_dataloader'].dataset
                    dataset.update(decoder_num_layers=layers, motion=motion)
                rates = self.recipe.lr[:1], self.recipe.weight_decay[:1]
                shuffled = (SHUFFLED, config.val_dataloader.dataset)
                others = () if kind else (shuffled,)
                named = f'{reader}{kind}'
                found.append(Candidate(named, config, *rates, others))
        return found

    def run(self) -> List[dict]:
        """Cache, train, test; one row a reader."""
        folders = self.cache()
        print()
        start = time.perf_counter()
        candidates = self.candidates(folders)
        outcomes = cross_validate(
            candidates,
            self.folds,
            len(self.classes),
            self.out / f'seed{self.args.seed}',
            self.args.processes,
            lambda done, of: print(f'\r{self.name} {done}/{of}', end=''),
        )
        print(f', {time.perf_counter() - start:.0f} s')
        labels = labels_of(candidates[0].plain)
        parts = sorted({clip.part for clip in self.clips})
        return [
            dict(self.row(o, labels, part), set=f'{self.name} {part}'.strip())
            for part in parts
            for o in sorted(outcomes, key=lambda o: (o.candidate, o.member))
        ]

    def row(self, outcome, labels: np.ndarray, part: str) -> dict:
        """Count what a reader got right in a part of the set."""
        places = np.sort(np.concatenate([f.test for f in self.folds]))
        places = [i for i in places if self.clips[i].part == part]
        right = outcome.scores[places].argmax(1) == labels[places]
        groups = [self.clips[i].group for i in places]
        bound = grouped_interval(right.astype(float), groups)
        name = f'{outcome.candidate} {outcome.member}'
        return dict(reader=name, right=int(right.sum()), clips=len(places),
                    groups=len(set(groups)), low=bound.low,
                    high=bound.high)  # fmt: skip


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('data', type=Path)
    parser.add_argument('out', type=Path)
    names = list(PROTOCOLS)
    parser.add_argument('--sets', nargs='+', choices=names, default=names)
    parser.add_argument(
        '--readers', nargs='+', choices=list(BLIND), default=list(BLIND)
    )
    parser.add_argument(
        '--blind',
        nargs='*',
        choices=list(BLIND),
        default=list(BLIND),
        help='readers that are trained without what tells the order, too',
    )
    parser.add_argument('--parts', nargs='+', help='of sets that have parts')
    parser.add_argument(
        '--layers', type=int, default=4, help='decoder layers of EVL'
    )
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--processes', type=int, default=1)
    return parser.parse_args()


def main() -> None:
    """Run all sets and print the table."""
    args = parse_args()
    init_default_scope('mmaction')
    torch.set_num_threads(args.processes)
    rows = [row for name in args.sets for row in Study(name, args).run()]
    (args.out / 'real_sets.json').write_text(json.dumps(rows, indent=2))
    lines = [['set', 'reader', 'right', 'of', 'top-1', 'interval']]
    for r in rows:
        share = f'{r["right"] / r["clips"]:.1%}'
        bounds = f'{r["low"]:.1%} to {r["high"]:.1%}'
        lines.append(
            [r['set'], r['reader'], r['right'], r['clips'], share, bounds]
        )
    print(text_table(lines, 'llr'))


if __name__ == '__main__':
    main()
