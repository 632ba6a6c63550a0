"""Take adapters out of checkpoints, look at them, and put them back."""

from pathlib import Path
from typing import Dict, List, Optional, Sequence, Union

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from mmvidadapt.engine import adapters
from mmvidadapt.engine.adapter_models import describe_model
from mmvidadapt.engine.adapters import (
    make_adapter,
    split_names,
    whole_checkpoint,
)
from mmvidadapt.engine.plain_config import plain_config, plain_dict
from mmvidadapt.trunks.use_trunk import with_row
from mmvidadapt.utils.printable import printable
from mmvidadapt.utils.text_table import text_table
from mmvidadapt.utils.whole_file import whole_file
from mmvidadapt.weights.adapter_file import AdapterFile, read_adapter
from mmvidadapt.weights.adapter_schema import num_classes

MEGA = 1e6


def load_adapter(
    path: Union[str, Path],
    trunk: Optional[str] = None,
    device: Union[str, torch.device] = 'cpu',
) -> nn.Module:
    """Build the recognizer of an adapter file, ready to classify.

    ``mmaction.apis.inference_recognizer`` takes what it returns.

    Args:
        path (str | Path): The adapter file.
        trunk (str, optional): Alias, URL or path of the image weights.
            Defaults to None: where the file says that they came from.
        device (str | torch.device): Where to. Defaults to 'cpu'.

    Returns:
        nn.Module: The recognizer in evaluation mode.

    Raises:
        ValueError: If the trunk is not the one that the adapter was trained
            on, or the file is damaged.
    """
    return adapters.load_adapter(str(path), trunk).to(device)


def _check_classes(config: Config, classes: Optional[Sequence[str]]) -> None:
    """Reject names of classes that are not as many as the model has."""
    number = num_classes(config)
    if classes and number not in (None, len(classes)):
        raise ValueError(
            f'There are {len(classes)} names of classes, but the model tells '
            f'{number} apart.'
        )


def extract_adapter(
    config: Config,
    checkpoint: str,
    out: Union[str, Path],
    classes: Optional[Sequence[str]] = None,
    metrics: Optional[Dict[str, float]] = None,
) -> AdapterFile:
    """Write the adapter of a whole checkpoint, ours or an official one.

    Args:
        config (Config): What the checkpoint was trained with.
        checkpoint (str): Path or URL.
        out (str | Path): The adapter file.
        classes (Sequence[str], optional): Names of the classes.
            Defaults to None.
        metrics (Dict[str, float], optional): What was measured with it.
            Defaults to None.

    Returns:
        AdapterFile: What was written.
    """
    config = plain_config(config)
    _check_classes(config, classes)
    init_default_scope(config.get('default_scope', 'mmaction'))
    from .inference import load_strictly

    model = MODELS.build(config.model)
    load_strictly(model, checkpoint)
    adapter = make_adapter(
        split_names(model),
        model.state_dict(),
        plain_dict(config),
        classes=classes and list(classes),
        metrics=dict(metrics or {}),
    )
    adapter.write(out)
    return adapter


def merge_adapter(
    path: Union[str, Path],
    out: Union[str, Path],
    trunk: Optional[str] = None,
) -> None:
    """Write trunk and adapter as one checkpoint, for tools of others.

    Args:
        path (str | Path): The adapter file.
        out (str | Path): The checkpoint, ``.pth``.
        trunk (str, optional): See :func:`load_adapter`. Defaults to None.
    """
    with whole_file(out) as part:
        torch.save(whole_checkpoint(str(path), trunk), part)


def describe_adapter(path: Union[str, Path]) -> str:
    """Describe an adapter file, in some lines of text."""
    adapter = read_adapter(path)
    tensors = adapter.tensors.values()
    size = Path(path).stat().st_size / MEGA
    model = adapter.config['model']
    backbone = model.get('backbone') or {}
    arch = with_row(backbone).get('arch', '')
    metrics = [f'{k} {v:.4g}' for k, v in (adapter.metrics or {}).items()]
    classes = adapter.classes or []
    more = f' ... ({len(classes)})' if len(classes) > 5 else ''
    rows = dict(
        model=f'{model["type"]}, {backbone.get("type")} {arch}'.rstrip(),
        tensors=f'{len(tensors)}, {sum(t.numel() for t in tensors):,} '
        f'numbers, {size:.2f} MB',
        trunk=f'{adapter.trunk["source"]}, sha256 {adapter.trunk["sha256"]}',
        classes=', '.join(classes[:5]) + more or 'not named',
        metrics=', '.join(metrics) or 'none',
        version=f'mmvidadapt {adapter.version}',
    )
    lines = [(f'{name}:', printable(text)) for name, text in rows.items()]
    return text_table(lines, 'l', gap=1)


def verify_adapter(
    path: Union[str, Path], trunk: Optional[str] = None
) -> List[str]:
    """Check an adapter file; the first thing that is wrong raises.

    Args:
        path (str | Path): The adapter file.
        trunk (str, optional): Image weights to compare with, ``''`` for those
            that the file names. Defaults to None: the file alone.

    Returns:
        List[str]: What was found to be right.
    """
    adapter = read_adapter(path)
    right = ['it arrived whole, and all its values are finite']
    model = describe_model(adapter, str(path))
    right.append(f'it fits a {model} as its config says')
    if trunk is not None:
        load_adapter(path, trunk or None)
        right.append(f'{trunk or adapter.trunk["source"]} is its trunk')
    return right
