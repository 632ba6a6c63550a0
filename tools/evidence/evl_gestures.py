"""EVL on real gestures: python tools/evidence/evl_gestures.py DATA OUT.

DATA holds ``gestures/clips.csv`` (file, label, scene), the clips beside it,
and ``weights/``, the frozen trunk. The trunk sees every clip once, the
decoders are trained from the cache. Scenes of the validation clips are never
trained on. Prints one table: no temporal module, each alone, all, and that
model on clips with shuffled frames.
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
import copy
import csv
import json
from pathlib import Path
from typing import Dict, List

from mmaction.registry import MODELS
from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import nn

from mmvidadapt.apis.data.cached_config import config_from_cache
from mmvidadapt.apis.data.feature_cache import (
    cache_features,
    plan,
)

from mmvidadapt.utils.text_table import text_table

CONFIG = Path(__file__).parents[2] / 'configs/evidence/evl_vits14_gestures.py'
ALL = 'all temporal modules'
ROWS = {
    'no temporal module': (),
    'position': ('position',),
    'convolution': ('conv',),
    'motion': ('motion',),
    ALL: ('conv', 'position', 'motion'),
}
SHUFFLED = f'{ALL}, shuffled frames'


def list_clips(data: Path, out: Path) -> List[dict]:
    """Write the list of all clips and return it."""
    with open(data / 'gestures/clips.csv') as file:
        rows = [row for row in csv.DictReader(file) if row['label'] != 'other']
    labels = sorted({row['label'] for row in rows})
    lines = [f'{row["file"]} {labels.index(row["label"])}\n' for row in rows]
    (out / 'all.txt').write_text(''.join(lines))
    return rows


def configure(args: argparse.Namespace) -> Config:
    """Point the config at the data."""
    cfg = Config.fromfile(CONFIG)
    trunk = cfg.model.backbone
    trunk.pretrained = str(args.data / 'weights' / Path(trunk.pretrained).name)
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        loader.dataset.ann_file = str(args.out / 'all.txt')
        loader.dataset.data_prefix = dict(video=str(args.data / 'gestures'))
    cfg.randomness = dict(seed=args.seed)
    cfg.merge_from_dict(args.cfg_options or {})
    return cfg


def shuffle(cfg: Config) -> Config:
    """Test on clips whose frames are in random order."""
    cfg = copy.deepcopy(cfg)
    pipeline = cfg.test_dataloader.dataset.pipeline
    decode = [step['type'] for step in pipeline].index('VideoDecode')
    pipeline.insert(decode + 1, dict(type='ShuffleFrames', seed=0))
    return cfg


def cached(model: nn.Module, cfg: Config, folder: Path) -> Config:
    """Cache the test clips and read training clips from there, too."""
    for done in cache_features(
        model, cfg, 'test', folder, plan(model, cfg, 'test')
    ):
        print(f'\r{folder.name}: {done} clips', end='', flush=True)
    print()
    cfg = config_from_cache(cfg, dict(test=folder))
    cfg.train_dataloader.dataset = copy.deepcopy(cfg.test_dataloader.dataset)
    return cfg


def run_row(
    name: str, cfg: Config, shuffled: Config, train: list, val: list
) -> Dict[str, float]:
    """Train one decoder and test it."""
    cfg, temporal = copy.deepcopy(cfg), ROWS[name]
    cfg.model.backbone.temporal = temporal
    cfg.work_dir = str(Path(cfg.work_dir) / name.replace(' ', '_'))
    loaders = (cfg.train_dataloader, cfg.test_dataloader)
    for loader, indices in zip(loaders, (train, val)):
        loader.dataset.update(motion='motion' in temporal, indices=indices)
    runner = Runner.from_cfg(cfg)
    runner.train()
    table = {name: runner.test()['acc/top1']}
    if name == ALL:
        loader = copy.deepcopy(shuffled.test_dataloader)
        loader.dataset.indices = val
        runner._test_loop = Runner.build_test_loop(
            runner, dict(type='TestLoop', dataloader=loader)
        )
        table[SHUFFLED] = runner.test()['acc/top1']
    return table


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('data', type=Path)
    parser.add_argument('out', type=Path)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--rows', nargs='+', default=list(ROWS), choices=ROWS)
    parser.add_argument('--every', type=int, default=4, help='folds')
    parser.add_argument(
        '--offsets',
        nargs='+',
        type=int,
        default=[0, 1, 2, 3],
        help='folds run',
    )
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def main() -> None:
    """Cache, run all rows on all folds and print the table."""
    args = parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    init_default_scope('mmaction')
    clips, cfg = list_clips(args.data, args.out), configure(args)
    model = MODELS.build(cfg.model)
    model.init_weights()
    shuffled = cached(model, shuffle(cfg), args.out / 'shuffled')
    cfg = cached(model, cfg, args.out / 'cache')
    scenes = sorted({int(clip['scene']) for clip in clips})
    table, sizes = {}, []
    for offset in args.offsets:
        held_out = scenes[offset :: args.every]
        val = [i for i, c in enumerate(clips) if int(c['scene']) in held_out]
        train = sorted(set(range(len(clips))) - set(val))
        cfg.work_dir = str(args.out / f'fold{offset}')
        sizes.append(len(val))
        for name in args.rows:
            for key, value in run_row(name, cfg, shuffled, train, val).items():
                table.setdefault(key, []).append(value)
    (args.out / 'evidence.json').write_text(
        json.dumps(dict(folds=args.offsets, clips=sizes, top1=table), indent=2)
    )
    rows = []
    for name, values in table.items():
        mean = sum(v * n for v, n in zip(values, sizes)) / sum(sizes)
        rows.append([f'{value:.1%}' for value in (mean, *values)])
        rows[-1].insert(0, name)
    print(text_table([['', 'mean', 'by fold'], *rows]))


if __name__ == '__main__':
    main()
