"""Train and test on real gestures: python tools/evidence/gestures.py DATA OUT.

DATA holds ``gestures/clips.csv`` (file, label, scene), the clips beside it,
and ``weights/``, the frozen trunk. Scenes of the validation clips are never
trained on. Prints one table, with trained parameters and time: a frame-wise
linear probe, AIM without temporal adaptation, AIM, that AIM on clips with
shuffled frames, DualPath, each of its paths alone, and other methods.
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
import copy
import csv
import json
import time
from pathlib import Path
from typing import Dict, List, NamedTuple, Tuple

from mmengine.config import Config, ConfigDict, DictAction
from mmengine.runner import Runner

from mmvidadapt.apis.inspect.complexity import count_params
from mmvidadapt.utils.text_table import text_table

CONFIG = Path(__file__).parents[2] / 'configs/evidence/vits14_gestures.py'
SPATIAL = ('spatial', 'joint')


class Row(NamedTuple):
    """A method with a config of its own beside AIM's, and what is changed."""

    method: str = ''
    backbone: dict = {}
    head: dict = {}


ROWS = {
    'frame-wise linear probe': Row(backbone=dict(type='ImageViT')),
    # The temporal embedding stays at zero: nothing tells frames apart.
    'AIM without temporal adaptation': Row(
        backbone=dict(
            adapt=SPATIAL, trainable=(r'.*_adapter\..*', r'ln_post\..*')
        )
    ),
    'AIM with the temporal embedding only': Row(backbone=dict(adapt=SPATIAL)),
    'AIM': Row(),
    'DualPath': Row('dualpath_'),
    **{
        f'DualPath, {path} path alone': Row(
            'dualpath_', dict(paths=(path,)), dict(in_channels=384)
        )
        for path in ('temporal', 'spatial')
    },
    'ST-Adapter': Row('st_adapter_'),
    'AdaptFormer': Row('adaptformer_'),
    'VPT': Row('vpt_'),
    'LoRA': Row('lora_'),
}
# Parameters of AIM that the frame-wise baseline does not know.
AIM_ONLY = ('num_frames', 'adapter_scale')


def split_by_scene(clips: Path, out: Path, every: int, offset: int) -> None:
    """Write lists of clips, each scene wholly on one side."""
    with open(clips) as file:
        rows = [row for row in csv.DictReader(file) if row['label'] != 'other']
    labels = sorted({row['label'] for row in rows})
    held_out = sorted({int(row['scene']) for row in rows})[offset::every]
    lists: Dict[str, List[str]] = dict(train=[], val=[])
    for row in rows:
        side = 'val' if int(row['scene']) in held_out else 'train'
        lists[side].append(f'{row["file"]} {labels.index(row["label"])}\n')
    for side, lines in lists.items():
        (out / f'{side}.txt').write_text(''.join(lines))
    print(
        f'{len(lists["train"])} training clips, {len(lists["val"])} '
        f'validation clips of scenes {held_out}; classes: {labels}'
    )


def configure(args: argparse.Namespace, name: str) -> Config:
    """Build the config of one row."""
    row = ROWS[name]
    cfg = Config.fromfile(CONFIG.with_name(row.method + CONFIG.name))
    model = cfg.model.backbone
    model.pretrained = str(args.data / 'weights' / Path(model.pretrained).name)
    model.update(row.backbone)
    cfg.model.cls_head.update(row.head)
    if model.type == 'ImageViT':
        for key in AIM_ONLY:
            model.pop(key)
    for loader, side in (
        (cfg.train_dataloader, 'train'),
        (cfg.test_dataloader, 'val'),
    ):
        loader.dataset.ann_file = str(args.out / f'{side}.txt')
        loader.dataset.data_prefix = dict(video=str(args.data / 'gestures'))
    cfg.work_dir = str(args.out / name.replace(' ', '_'))
    cfg.randomness = dict(seed=args.seed)
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
    return cfg


def shuffled(cfg: Config) -> ConfigDict:
    """Build the test loader of clips whose frames are in random order."""
    loader = copy.deepcopy(cfg.test_dataloader)
    pipeline = loader.dataset.pipeline
    decode = [step['type'] for step in pipeline].index('VideoDecode')
    pipeline.insert(decode + 1, dict(type='ShuffleFrames', seed=0))
    return loader


def learn(cfg: Config) -> Tuple[Runner, Dict[str, float]]:
    """Train and test; give the runner and what its row says."""
    runner = Runner.from_cfg(cfg)
    start = time.perf_counter()
    runner.train()
    seconds = (time.perf_counter() - start) / cfg.train_cfg.max_epochs
    return runner, dict(
        trained=count_params(runner.model).trained,
        seconds_per_epoch=seconds,
        top1=runner.test()['acc/top1'],
    )


def main() -> None:
    """Run all rows and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('data', type=Path)
    parser.add_argument('out', type=Path)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--rows', nargs='+', default=list(ROWS), choices=ROWS)
    parser.add_argument('--every', type=int, default=4)
    parser.add_argument('--offset', type=int, default=1)
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    split_by_scene(
        args.data / 'gestures/clips.csv', args.out, args.every, args.offset
    )
    table = {}
    for name in args.rows:
        cfg = configure(args, name)
        runner, table[name] = learn(cfg)
        if name == 'AIM':
            runner._test_loop = Runner.build_test_loop(
                runner, dict(type='TestLoop', dataloader=shuffled(cfg))
            )
            top1 = runner.test()['acc/top1']
            table['AIM, shuffled frames'] = {**table[name], 'top1': top1}
    (args.out / 'evidence.json').write_text(json.dumps(table, indent=2))
    rows = [['', 'trained', 's an epoch', 'top-1']]
    for name, row in table.items():
        seconds = f'{row["seconds_per_epoch"]:.1f}'
        top1 = f'{row["top1"]:.1%}'
        rows.append([name, f'{row["trained"]:,}', seconds, top1])
    print(text_table(rows))


if __name__ == '__main__':
    main()
