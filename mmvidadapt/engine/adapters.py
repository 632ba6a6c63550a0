"""Extract adapters from trained models, and load them onto their trunks."""

from typing import Any, Dict, List, Mapping, Optional, Tuple

from mmengine.config import Config
from mmengine.logging import print_log
from torch import Tensor, nn

from mmvidadapt.trunks.use_trunk import with_row
from mmvidadapt.utils.bounded_models import explained
from mmvidadapt.utils.config_data import write_config_text
from mmvidadapt.utils.sha256 import fingerprint
from mmvidadapt.weights.adapter_file import AdapterFile, read_adapter
from mmvidadapt.weights.adapter_schema import (
    NUMBER,
    THRESHOLD,
    num_classes,
)

from .adapter_models import build_model
from .split_state_dict import split_names


def make_adapter(
    names: Tuple[List[str], List[str]],
    state_dict: Mapping[str, Tensor],
    config: Dict[str, Any],
    **facts: Any,
) -> AdapterFile:
    """Take an adapter out of the weights of a whole model.

    Args:
        names (Tuple[List[str], List[str]]): Of :func:`split_names`.
        state_dict (Mapping[str, Tensor]): The weights.
        config (Dict[str, Any]): The config, as a plain dict.
        **facts: ``classes`` and ``metrics``, where they are known.

    Returns:
        AdapterFile: What is to be written.
    """
    own, frozen = names
    if not frozen:
        raise ValueError(
            'Everything in this model is trained, so an adapter file would be '
            'as large as the checkpoint; pass that on.'
        )
    facts['classes'] = _names(facts.get('classes'), num_classes(config))
    backbone = with_row(config['model'].get('backbone'))
    trunk = dict(
        source=backbone.get('pretrained'),
        sha256=fingerprint({name: state_dict[name] for name in frozen}),
    )
    tensors = {name: state_dict[name].detach().clone() for name in own}
    return AdapterFile(tensors, config, trunk, **facts)


def _names(
    classes: Optional[List[Any]], number: Optional[int]
) -> Optional[List[str]]:
    """Write the names of classes as texts, if they are those of the model."""
    names = [str(name) for name in classes or ()]
    if names and number not in (None, len(names)):
        print_log(
            f'The data set names {len(names)} classes, but the model tells '
            f'{number} apart, so the adapter file names none.',
            logger='current',
        )
        return None
    return names or None


def load_trunk(
    model: nn.Module, adapter: AdapterFile, trunk: Optional[str]
) -> str:
    """Load the image weights, and tell where they came from."""
    source = trunk or adapter.trunk['source']
    if source is None:
        raise ValueError(
            'The config of the adapter has no `pretrained`, which would say '
            'where its trunk is from; give `trunk`, an alias, URL or path.'
        )
    model.backbone.pretrained = source
    with explained(f'the trunk {source} cannot be loaded'):
        model.backbone.init_weights()
    return source


def check_trunk(
    adapter: AdapterFile, path: str, found: str, source: str
) -> None:
    """Raise where the frozen tensors are not those of the training."""
    wanted = adapter.trunk
    if found != wanted['sha256']:
        raise ValueError(
            f'{path} was trained on the trunk {wanted["source"]} (sha256 '
            f'{wanted["sha256"][:12]}), but {source} gives another one '
            f'(sha256 {found[:12]}). Give the trunk it was trained on.'
        )


def load_adapter(path: str, trunk: Optional[str] = None) -> nn.Module:
    """Build the model of an adapter file, with trunk and adapter loaded.

    Args:
        path (str): The adapter file.
        trunk (str, optional): Alias, URL or path of the image weights.
            Defaults to None: where the file says that they came from.

    Returns:
        nn.Module: The recognizer in evaluation mode, on the CPU. Its ``cfg``
        is the config, and ``dataset_meta`` has the names of the classes.

    Raises:
        ValueError: If the trunk is not the one that it was trained on, or
            the file is damaged.
    """
    adapter = read_adapter(path)
    model = build_model(adapter, path, trunk)
    source = load_trunk(model, adapter, trunk)
    state = model.state_dict()
    _, frozen = split_names(model)
    found = fingerprint({name: state[name] for name in frozen})
    check_trunk(adapter, path, found, source)
    model.load_state_dict({**state, **adapter.tensors})
    return finished(model, adapter)


def finished(model: nn.Module, adapter: AdapterFile) -> nn.Module:
    """Attach config, classes and the threshold of `other` to a model."""
    model.cfg = Config(adapter.config)
    model.dataset_meta = dict(classes=adapter.classes)
    metrics = adapter.metrics or {}
    if THRESHOLD in metrics:  # of these very weights
        model.dataset_meta['other_class'] = dict(
            number=int(metrics[NUMBER]), threshold=metrics[THRESHOLD]
        )
    return model.eval()


def whole_checkpoint(path: str, trunk: Optional[str] = None) -> Dict[str, Any]:
    """Complete an adapter file to a checkpoint as mmengine writes them."""
    model = load_adapter(path, trunk)
    text = write_config_text(model.cfg.to_dict())
    meta = dict(cfg=text, dataset_meta=model.dataset_meta)
    return dict(meta=meta, state_dict=model.state_dict())
