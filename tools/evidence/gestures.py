"""Train and test on real gestures: python tools/evidence/gestures.py DATA OUT.

DATA holds ``gestures/clips.csv`` (file, label, scene), the clips beside it,
and ``weights/``, the frozen trunk. Scenes of the validation clips are never
trained on. Prints one table: a frame-wise linear probe, AIM without temporal
adaptation, AIM, and that AIM on clips with shuffled frames.
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
import copy
import csv
import json
from pathlib import Path
from typing import Dict, List

from mmengine.config import Config, ConfigDict
from mmengine.runner import Runner

CONFIG = Path(__file__).parents[2] / 'configs/evidence/vits14_gestures.py'
ROWS = {
    'frame-wise linear probe': dict(type='ImageViT'),
    # The temporal embedding stays at zero: nothing tells frames apart.
    'AIM without temporal adaptation': dict(
        adapt=('spatial', 'joint'),
        trainable=(r'.*_adapter\..*', r'ln_post\..*'),
    ),
    'AIM with the temporal embedding only': dict(adapt=('spatial', 'joint')),
    'AIM': dict(),
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


def configure(args: argparse.Namespace, backbone: dict, name: str) -> Config:
    """Build the config of one row."""
    cfg = Config.fromfile(CONFIG)
    model = cfg.model.backbone
    model.pretrained = str(args.data / 'weights' / Path(model.pretrained).name)
    model.update(backbone)
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
    """Give the test loader of clips whose frames are in random order."""
    loader = copy.deepcopy(cfg.test_dataloader)
    pipeline = loader.dataset.pipeline
    decode = [step['type'] for step in pipeline].index('DecordDecode')
    pipeline.insert(decode + 1, dict(type='ShuffleFrames', seed=0))
    return loader


def main() -> None:
    """Run all rows and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('data', type=Path)
    parser.add_argument('out', type=Path)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--rows', nargs='+', default=list(ROWS), choices=ROWS)
    parser.add_argument('--every', type=int, default=4)
    parser.add_argument('--offset', type=int, default=1)
    from mmengine.config import DictAction

    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    split_by_scene(
        args.data / 'gestures/clips.csv', args.out, args.every, args.offset
    )
    table = {}
    for name in args.rows:
        cfg = configure(args, ROWS[name], name)
        runner = Runner.from_cfg(cfg)
        runner.train()
        table[name] = runner.test()['acc/top1']
        if name == 'AIM':
            runner._test_loop = Runner.build_test_loop(
                runner, dict(type='TestLoop', dataloader=shuffled(cfg))
            )
            table['AIM, shuffled frames'] = runner.test()['acc/top1']
    (args.out / 'evidence.json').write_text(json.dumps(table, indent=2))
    for name, accuracy in table.items():
        print(f'{name:34} {accuracy:6.1%}')


if __name__ == '__main__':
    main()
