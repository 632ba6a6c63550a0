"""Take what was trained out of a model, and put it onto its trunk again."""

import re
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

import mmaction.registry
import mmengine.registry
from mmaction.registry import MODELS
from mmaction.utils import register_all_modules
from mmengine.config import Config, ConfigDict
from mmengine.registry import Registry, init_default_scope
from torch import Tensor, nn

from mmvidadapt.models.layers.packing import fingerprint
from mmvidadapt.weights.adapter_file import AdapterFile, read_adapter


def split_names(model: nn.Module) -> Tuple[List[str], List[str]]:
    """Tell what belongs to an adapter from its trunk.

    The adapter's are the trained parameters, those that image weights do not
    have (``new`` of the backbone) whether trained or not, and the buffers
    that are saved.

    Args:
        model (nn.Module): The model, on any device.

    Returns:
        Tuple[List[str], List[str]]: Names in its ``state_dict``: the
        adapter's and the trunk's.
    """
    trunk = {
        name
        for name, param in model.named_parameters(remove_duplicate=False)
        if not param.requires_grad
    }
    for prefix, module in model.named_modules():
        new, start = getattr(module, 'new', ()), f'{prefix}.' if prefix else ''
        trunk -= {
            name
            for name in trunk
            if name.startswith(start)
            and any(re.fullmatch(p, name[len(start) :]) for p in new)
        }
    names = list(model.state_dict())
    return [n for n in names if n not in trunk], [
        n for n in names if n in trunk
    ]


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
    backbone = config['model'].get('backbone') or {}
    trunk = dict(
        source=backbone.get('pretrained'),
        sha256=fingerprint({name: state_dict[name] for name in frozen}),
    )
    tensors = {name: state_dict[name].detach().clone() for name in own}
    return AdapterFile(tensors, config, trunk, **facts)


def build_model(adapter: AdapterFile, path: str) -> nn.Module:
    """Build the model of an adapter file, its weights not yet loaded.

    Args:
        adapter (AdapterFile): The content.
        path (str): The file, for errors.

    Returns:
        nn.Module: The model, whose names and shapes fit the adapter.
    """
    config = adapter.config
    check_types(path, [config['model'], config.get('test_pipeline')])
    init_default_scope(config.get('default_scope', 'mmaction'))
    model = MODELS.build(ConfigDict(config['model']))
    state, tensors = model.state_dict(), adapter.tensors
    own, _ = split_names(model)

    def looks(tensor: Optional[Tensor]) -> str:
        if tensor is None:
            return 'nothing'
        return f'{tensor.dtype} {tuple(tensor.shape)}'.replace('torch.', '')

    wrong = [
        f'  {name}: {looks(tensors.get(name))} in the file, '
        f'{looks(state[name] if name in own else None)} in the adapter of '
        'the model'
        for name in dict.fromkeys([*own, *tensors])
        if name not in own
        or name not in tensors
        or looks(tensors[name]) != looks(state[name])
    ]
    if wrong:
        raise ValueError(
            f'{path} does not fit the model that its config describes:\n'
            + '\n'.join(wrong[:12] + ['  ...'] * (len(wrong) > 12))
            + '\nIt was altered, or written by another version of '
            f'mmvidadapt ({adapter.version}).'
        )
    return model


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
        nn.Module: The recogniser in evaluation mode, on the CPU. Its ``cfg``
        is the config, and ``dataset_meta`` has the names of the classes.

    Raises:
        ValueError: If the trunk is not the one that it was trained on, or
            the file is damaged.
    """
    adapter = read_adapter(path)
    model = build_model(adapter, path)
    source = load_trunk(model, adapter, trunk)
    state = model.state_dict()
    _, frozen = split_names(model)
    found = fingerprint({name: state[name] for name in frozen})
    check_trunk(adapter, path, found, source)
    model.load_state_dict({**state, **adapter.tensors})
    return finished(model, adapter)


def finished(model: nn.Module, adapter: AdapterFile) -> nn.Module:
    """Tell a model its config and classes, as mmaction2 does."""
    model.cfg = Config(adapter.config)
    model.dataset_meta = dict(classes=adapter.classes)
    return model.eval()


def whole_checkpoint(path: str, trunk: Optional[str] = None) -> Dict[str, Any]:
    """Complete an adapter file to a checkpoint as mmengine writes them."""
    model = load_adapter(path, trunk)
    meta = dict(cfg=model.cfg.pretty_text, dataset_meta=model.dataset_meta)
    return dict(meta=meta, state_dict=model.state_dict())


def check_types(path: str, config: Any) -> None:
    """Raise where a config names anything but registered classes.

    mmengine imports what a ``type`` names; a file of strangers could run
    code with it.
    """
    register_all_modules(init_default_scope=False)
    known = {
        name
        for module in (mmaction.registry, mmengine.registry)
        for registry in vars(module).values()
        if isinstance(registry, Registry)
        for name in registry.module_dict
    }
    strange = [kind for kind in map(str, _types(config)) if kind not in known]
    if strange:
        raise ValueError(
            f'{path} is refused: its config asks for {strange[:5]}, which '
            'mmaction2 and mmvidadapt have not registered. Import the package '
            'that registers it first, if you trust it.'
        )


def _types(value: Any) -> Iterator[Any]:
    """Yield every ``type`` in a nested config."""
    if isinstance(value, dict):
        if 'type' in value:
            yield value['type']
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _types(item)
