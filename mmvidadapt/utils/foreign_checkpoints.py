"""Checkpoints of strangers: nothing in them is run, nothing is removed.

mmengine runs the text of a checkpoint's config as Python where it resumes
(``meta['config']``) and where an inferencer is given weights alone
(``meta['cfg']`` and the message hub's), and CheckpointHook removes the file
or folder that a resumed checkpoint names as the best one so far.
"""

import functools
import os.path as osp
from typing import Any, Dict, Optional

import torch
from mmengine.config import ConfigDict
from mmengine.infer import BaseInferencer
from mmengine.infer import infer as host
from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader
from torch import nn

from .bounded_models import build_model, sketch_model
from .check_registered import check_running
from .config_data import TEMPLATE, own_imports, read_config_text
from .config_data import write_config_text as write

HOST_LOAD = CheckpointLoader.load_checkpoint.__func__
HOST_INIT = BaseInferencer._init_model
TEXTS = ('cfg', 'config')  # where mmengine keeps configs
SPARE = 64 << 20  # bytes
BEST, KEPT, LAST = 'best_ckpt', 'keep_ckpt_ids', 'last_ckpt'


def install() -> None:
    """Put the functions below in the place of mmengine's."""
    CheckpointLoader.load_checkpoint = classmethod(load_checkpoint)
    BaseInferencer._init_model = init_model


@functools.wraps(HOST_LOAD)
def load_checkpoint(
    cls: type, filename: str, *args: Any, **kwargs: Any
) -> Any:
    """Load a checkpoint by any scheme, and disarm it."""
    return disarm(HOST_LOAD(cls, filename, *args, **kwargs), filename)


def disarm(content: Any, source: str) -> Any:
    """Make data of what mmengine would run or remove in a checkpoint.

    Args:
        content (Any): The checkpoint. It stays as it is.
        source (str): Where it is from.

    Returns:
        Any: The same; texts of configs hold literals or are gone, and no file
        but a best checkpoint beside this one may be removed for it.
    """
    meta, hub = (
        content.get(part) if isinstance(content, dict) else None
        for part in ('meta', 'message_hub')
    )
    info = hub.get('runtime_info') if isinstance(hub, dict) else None
    if isinstance(meta, dict):
        content = dict(content, meta=_texts(meta, source))
    if isinstance(info, dict):
        info = {
            name: value
            for name, value in _texts(info, source).items()
            if _harmless(name, value, source)
        }
        content = dict(content, message_hub=dict(hub, runtime_info=info))
    return content


def _texts(facts: Dict[str, Any], source: str) -> Dict[str, Any]:
    """Return facts whose texts of configs are literals or left out."""
    texts = {
        name: _text(facts[name], source)
        for name in TEXTS
        if isinstance(facts.get(name), str)
    }
    gone = [name for name, text in texts.items() if text is None]
    return {k: v for k, v in {**facts, **texts}.items() if k not in gone}


def _text(text: Any, source: str) -> Optional[str]:
    """Return the text of a config as literals; None if it is more."""
    try:
        config = read_config_text(text)
        own = own_imports(config)
        return text if own == config and TEMPLATE not in text else write(own)
    except ValueError as error:
        print_log(
            f'The config text in {source} is left out, since it is not run: '
            f'{error}.',
            logger='current',
        )
        return None


def _harmless(name: Any, value: Any, source: str) -> bool:
    """Check whether CheckpointHook, told this, keeps off other files."""
    if name == KEPT:
        return isinstance(value, list) and all(type(i) is int for i in value)
    if not str(name).startswith((BEST, LAST)) or value is None:
        return True
    folder, file = osp.split(str(value))
    here = osp.dirname(source)
    beside = folder == here or osp.realpath(folder) == osp.realpath(here)
    same = osp.splitext(file)[1] == osp.splitext(source)[1]
    return beside and same and (name == LAST or file.startswith('best_'))


def init_model(
    self: BaseInferencer,
    cfg: Any,
    weights: Optional[str],
    device: str = 'cpu',
) -> nn.Module:
    """Build an inferencer's model; a config out of its weights is data."""
    if cfg or weights is None:
        return HOST_INIT(self, cfg, weights, device)
    checkpoint = host._load_checkpoint(weights, map_location='cpu')
    cfg.update(ConfigDict(config_of(checkpoint, weights)))
    cfg.model.pop('pretrained', None)
    for build in (sketch_model, build_model):
        model = build(cfg.model.to_dict(), weights, room(checkpoint))
    model.cfg = cfg
    self._load_weights_to_model(model, checkpoint, cfg)
    return model.to(torch.device(device)).eval()


def config_of(checkpoint: Any, source: str) -> Dict[str, Any]:
    """Read the config of a checkpoint, refusing what is not for a model.

    Args:
        checkpoint (Any): A checkpoint that was disarmed.
        source (str): Where it is from.

    Returns:
        Dict[str, Any]: The config, plain values and registered types only.

    Raises:
        ValueError: If there is none, or it asks for more than that.
    """
    meta, hub = (
        checkpoint.get(part) or {} if isinstance(checkpoint, dict) else {}
        for part in ('meta', 'message_hub')
    )
    told = [(hub.get('runtime_info') or {}).get('cfg'), meta.get('cfg')]
    text = next((text for text in told if text), None)
    if text is None:
        raise ValueError(
            f'{source} brings no config that is plain data, so it does not '
            'say what its weights are of; give the config, too, as `model`.'
        )
    try:
        config = read_config_text(text)
    except ValueError as error:
        raise ValueError(f'{source} is refused: {error}.') from error
    if not isinstance(config.get('model'), dict):
        raise ValueError(f'{source} brings a config without a `model`.')
    return check_running(config, source)


def room(checkpoint: Dict[str, Any]) -> int:
    """Count the bytes that a model for these weights may have.

    Args:
        checkpoint (Dict[str, Any]): Whole, or its weights alone.

    Returns:
        int: Four times those of the weights, which may be packed.
    """
    weights = checkpoint.get('state_dict', checkpoint)
    tensors = [v for v in weights.values() if isinstance(v, torch.Tensor)]
    return 4 * sum(tensor.nbytes for tensor in tensors) + SPARE
