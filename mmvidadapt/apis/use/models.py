"""Models by name."""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import List, Optional, Union

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from mmvidadapt.engine.plain_config import plain_config
from mmvidadapt.weights import SOURCES, resolve
from mmvidadapt.weights.fetch.released import SAME

from ..train.config import find_config, list_configs, load_config
from .inference import load_strictly


def list_models(pattern: str = '*') -> List[str]:
    """Name the models, such as ``aim/vitb16_k400``.

    Args:
        pattern (str): Which ones, with ``*`` and ``?``: ``'aim/*'``, say.
            Defaults to '*'.

    Returns:
        List[str]: Their names, which are those of the configs.
    """
    return [name for name in list_configs() if fnmatchcase(name, pattern)]


def get_model(name: str, pretrained: Union[bool, str] = False) -> nn.Module:
    """Build a model by name.

    Args:
        name (str): One of :func:`list_models`, or the path of a config.
        pretrained (bool | str): Path or URL of a checkpoint or adapter file,
            or True for the weights that the authors released under this
            name. False leaves it random; ``model.init_weights()`` then loads
            the image weights to train from. Defaults to False.

    Returns:
        nn.Module: The recognizer in evaluation mode, on the CPU, with its
        config as ``cfg``.

    Raises:
        ValueError: If there is no such model, or nothing was released.
    """
    config = load_config(name)
    return _build(config, released(name) if pretrained is True else pretrained)


def init_recognizer(
    config: Union[str, Path, Config],
    checkpoint: Optional[str] = None,
    device: Union[str, torch.device] = 'cuda:0',
) -> nn.Module:
    """Do what mmaction2's function of this name does, for our names.

    mmaction2's own takes a path or a ``Config``. Here a checkpoint may leave
    out a frozen trunk, as those of EVL do, and whatever else does not fit is
    refused.

    Args:
        config (str | Path | Config): One of :func:`list_models`, a path or a
            config.
        checkpoint (str, optional): Path, URL or alias of a checkpoint or
            adapter file. Defaults to None: the model stays random.
        device (str | torch.device): Where to. Defaults to 'cuda:0'.

    Returns:
        nn.Module: The recognizer, for mmaction2's ``inference_recognizer``.
    """
    if not isinstance(config, Config):
        config = load_config(config)
    return _build(plain_config(config), checkpoint).to(device)


def _build(config: Config, weights: Union[bool, str, None]) -> nn.Module:
    """Build the model of a config and load a checkpoint, if there is one."""
    init_default_scope(config.get('default_scope', 'mmaction'))
    model = MODELS.build(config.model)
    if weights:
        load_strictly(model, weights)
    model.cfg = config
    return model.eval()


def released(name: str) -> str:
    """Fetch the weights that were released for a model; give their path."""
    path = find_config(name)
    alias = f'{path.parent.name}/{path.stem}'
    alias = SAME.get(alias, alias)
    if alias not in SOURCES:
        near = [s for s in SOURCES if s.startswith(f'{path.parent.name}/')]
        raise ValueError(
            f"No weights were released for '{alias}'"
            + (f', only for {near}' if near else '')
            + '. Give the path of a checkpoint or adapter file as '
            '`pretrained`, or train: model.init_weights() loads the image '
            'weights.'
        )
    return resolve(alias)
