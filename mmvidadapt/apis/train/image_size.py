"""Keep the image size of a trunk and the crops of the pipelines together."""

from typing import Any, Dict, List, Optional, Tuple

from mmengine.config import Config, ConfigDict

from mmvidadapt.datasets.prepare.video_folders import SPLITS
from mmvidadapt.trunks.follow_trunk import forget_trunk
from mmvidadapt.trunks.table import Trunk, find_trunk
from mmvidadapt.trunks.use_trunk import is_replaced, with_row

SIZES = ('scale', 'crop_size', 'size', 'scale_range')  # of steps, in pixels
Size = Tuple[int, int]


def pipelines(config: Config) -> Dict[str, List[ConfigDict]]:
    """Return the steps of every loader that has any, by split."""
    loaders = {split: config.get(f'{split}_dataloader') for split in SPLITS}
    return {
        split: loader.dataset.pipeline
        for split, loader in loaders.items()
        if loader and isinstance(loader.get('dataset', {}), dict)
        if 'pipeline' in loader.get('dataset', {})
    }


def change_trunk(config: Config, name: str) -> None:
    """Put another trunk into a config, with all that follows from it.

    Args:
        config (Config): The config, which is changed. Weights, mean, std,
            head width and image size become the trunk's; the sizes of crops
            change in proportion.
        name (str): Name in :data:`~mmvidadapt.trunks.table.TRUNKS`, or
            ``'NAME=FILE'`` to take the weights from a file.

    Raises:
        ValueError: If there is no such trunk, or no model to put it in.
    """
    name, weights = split_trunk(name)
    row = find_trunk(name)
    model = config.get('model')
    if not isinstance(model, dict) or 'backbone' not in model:
        raise ValueError(
            f'--trunk {name}: this config has no model.backbone to change.'
        )
    _check_family(model.backbone.get('trunk'), row)
    before = image_size(model.backbone)[0]
    forget_trunk(model)
    model.backbone.trunk = name
    if weights is not None:
        model.backbone.pretrained = weights
    if 'output_dims' in model.backbone:  # of CLIP's projection
        model.backbone.output_dims = row.projection
    resize_steps(config, before, row.img_size)


def _check_family(old: Any, row: Trunk) -> None:
    """Refuse a Swin in the place of a ViT, and the reverse."""
    family = row.family if old is None else find_trunk(old).family
    if ('swin' in family) != ('swin' in row.family):
        raise ValueError(
            f'--trunk {row.name}: it is of the family {row.family!r}, and '
            f"this config's trunk is of {family!r}; choose one of those, or a "
            'config with another backbone.'
        )


def split_trunk(word: str) -> Tuple[str, Optional[str]]:
    """Split ``'NAME=FILE'`` into the name of a trunk and its weights."""
    name, given, weights = word.partition('=')
    return name, weights if given else None


def resize_steps(config: Config, before: int, after: int) -> None:
    """Change all sizes in the pipelines in proportion to the image's.

    Args:
        config (Config): The config, which is changed.
        before (int): The side of its images, in pixels.
        after (int): What it becomes.
    """

    def resized(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return type(value)(map(resized, value))
        return round(value * after / before) if value > 0 else value

    for split, steps in pipelines(config).items():
        for step in steps:
            for key in set(SIZES) & set(step):
                step[key] = resized(step[key])
        if f'{split}_pipeline' in config:
            config[f'{split}_pipeline'] = steps


def image_size(backbone: dict) -> Size:
    """Return height and width of a backbone's images, 224 where none say."""
    size = with_row(backbone).get('img_size') or 224
    return (size, size) if isinstance(size, int) else tuple(size)


def check_crops(config: Config) -> None:
    """Refuse pipelines whose images are not those of the trunk.

    Only models that name a trunk are looked at, and only pipelines that end
    in images of a known size.

    Args:
        config (Config): The config.

    Raises:
        ValueError: Where they differ, with both sizes.
    """
    backbone = (config.get('model') or {}).get('backbone') or {}
    if backbone.get('trunk') is None:
        return
    row = find_trunk(backbone['trunk'])
    if is_replaced(row, backbone):
        return
    wanted, name = image_size(backbone), row.name
    for split, steps in pipelines(config).items():
        size = last_size(steps)
        if size not in (None, wanted):
            raise ValueError(
                f'The {split} pipeline ends in images of {size[0]} x '
                f'{size[1]}, and the backbone with trunk={name!r} takes '
                f'{wanted[0]} x {wanted[1]}: set the crop, or '
                f'model.backbone.img_size={size[0]}, to which positions are '
                'resized.'
            )


def last_size(steps: List[dict]) -> Optional[Size]:
    """Return height and width that a pipeline ends with, None if unknown."""
    for step in reversed(steps):
        kind = str(step.get('type')).rpartition('.')[2]
        if 'crop_size' in step:
            size = step['crop_size']
        elif kind == 'Resize' and not step.get('keep_ratio', True):
            size = step['scale']
        elif 'Crop' in kind or 'Resize' in kind:
            return None
        else:
            continue
        return (size, size) if isinstance(size, int) else tuple(size)[::-1]
    return None
