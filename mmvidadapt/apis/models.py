"""Models by name."""

from fnmatch import fnmatchcase
from typing import List, Union

from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from torch import nn

from mmvidadapt.weights import SOURCES, resolve

from .config import find_config, list_configs, load_config
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
        nn.Module: The recogniser in evaluation mode, on the CPU, with its
        config as ``cfg``.

    Raises:
        ValueError: If there is no such model, or nothing was released.
    """
    config = load_config(name)
    init_default_scope(config.get('default_scope', 'mmaction'))
    if pretrained is True:
        pretrained = released(name)
    model = MODELS.build(config.model)
    if pretrained:
        load_strictly(model, pretrained)
    model.cfg = config
    return model.eval()


def released(name: str) -> str:
    """Fetch the weights that were released for a model; give their path."""
    path = find_config(name)
    alias = f'{path.parent.name}/{path.stem}'
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
