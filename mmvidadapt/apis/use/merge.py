"""A trained model without the parts that its backbone can merge."""

from pathlib import Path
from typing import Union

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmvidadapt.engine.plain_config import plain_config

from ..train.config import write_config
from .inference import load_strictly


def merge_checkpoint(
    config: Config, checkpoint: str, out: Union[str, Path]
) -> Config:
    """Write a checkpoint, and beside it a config, of the merged model.

    The outputs are equal, and the model costs what the image model does.

    Args:
        config (Config): Of a recognizer whose backbone merges, as
            :class:`~mmvidadapt.models.LoRA` and
            :class:`~mmvidadapt.models.ZeroI2V` do. It stays as it is.
        checkpoint (str): Path or URL of its checkpoint.
        out (str | Path): File to write, ``.pth``; the config gets the same
            name with ``.py``.

    Returns:
        Config: That config.

    Raises:
        ValueError: If the backbone has nothing to merge.
    """
    out = Path(out)
    if out.suffix != '.pth':
        raise ValueError(f'{out}: give the merged checkpoint the ending .pth.')
    config = plain_config(config)
    init_default_scope(config.get('default_scope', 'mmaction'))
    model = MODELS.build(config.model)
    if not hasattr(model.backbone, 'merge'):
        raise ValueError(
            f'A backbone of type {config.model.backbone.type} has nothing to '
            'merge; give the config of a model with LoRA or ZeroI2V.'
        )
    load_strictly(model, checkpoint)
    plain = config.copy()
    plain.model.backbone = model.backbone.plain_config()
    model.backbone = model.backbone.merge()
    meta = dict(merged_from=str(checkpoint))
    torch.save(dict(state_dict=model.state_dict(), meta=meta), out)
    write_config(plain, out.with_suffix('.py'))
    return plain
