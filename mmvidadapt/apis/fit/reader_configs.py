"""Write the configs of readers for own videos."""

from pathlib import Path
from typing import Dict, List, Sequence

from mmengine.config import Config

from mmvidadapt.trunks.follow_trunk import follow_trunk
from mmvidadapt.trunks.table import find_trunk

from ..train.config import load_config
from ..train.image_size import image_size, pipelines, resize_steps
from .choose_trunk import Choice
from .recipes import Recipe

HEAD = 16  # channels of a head of the probe; all widths are multiples
BASES = dict(
    EVL='few_clips/evl_vits14',
    AttentiveProbe='few_clips/attentive_probe_vits14',
)


def reader_config(
    name: str,
    trunk: Choice,
    recipe: Recipe,
    classes: Sequence[str],
    root: Path,
    lists: Dict[str, Path],
) -> Config:
    """Write the config of a reader for own videos.

    Args:
        name (str): ``'EVL'`` or ``'AttentiveProbe'``.
        trunk (Choice): What it reads.
        recipe (Recipe): How it is trained.
        classes (Sequence[str]): Names of the K classes.
        root (Path): What paths in the lists are relative to.
        lists (Dict[str, Path]): The lists of train, val and test.

    Returns:
        Config: It reads videos.
    """
    word = trunk.name
    if trunk.pretrained:
        word += f'={Path(trunk.pretrained).expanduser().absolute()}'
    config = load_config(BASES[name], trunk=word)
    backbone = config.model.backbone
    resize_steps(config, image_size(backbone)[0], recipe.img_size)
    backbone.update(img_size=recipe.img_size, num_frames=recipe.num_frames)
    if name == 'EVL':
        backbone.decoder_num_layers = recipe.layers
    else:
        width = find_trunk(trunk.name).width
        backbone.pooler.num_heads = width // HEAD
        config.optim_wrapper.paramwise_cfg.pop('custom_keys')  # of EVL
    config.model.cls_head.num_classes = len(classes)
    if len(classes) < 5:
        config.model.cls_head.topk = (1,)
    for step in _steps(config):
        if 'clip_len' in step:
            step.clip_len = recipe.num_frames
    _use_lists(config, classes, root, lists)
    follow_trunk(config.model)
    return config


def _steps(config: Config) -> List[dict]:
    """List the steps of all pipelines."""
    return [step for steps in pipelines(config).values() for step in steps]


def _use_lists(
    config: Config, classes: Sequence[str], root: Path, lists: Dict[str, Path]
) -> None:
    """Set what the loaders read."""
    config.data_root, config.num_classes = str(root.absolute()), len(classes)
    for split, path in lists.items():
        dataset = config[f'{split}_dataloader'].dataset
        dataset.update(
            ann_file=str(path.absolute()),
            data_prefix=dict(video=config.data_root),
            metainfo=dict(classes=list(classes)),
        )
    if len(classes) < 5:
        accuracy = dict(type='AccMetric')
        accuracy['metric_options'] = dict(top_k_accuracy=dict(topk=(1,)))
        config.val_evaluator = config.test_evaluator = accuracy
