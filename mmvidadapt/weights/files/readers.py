"""Read tensors out of any container, unpickling nothing else."""

import os
import pickle
import re
from typing import Any, Dict, List, Mapping, Tuple

from torch import Tensor

from mmvidadapt.utils.printable import printable_lines

from ..damage import has_nan
from .containers import FOREIGN, PICKLE, ZIP, Container, recognize

# Where checkpoints keep their weights, in this order.
NESTS = ('state_dict', 'model', 'model_state', 'state_dict_ema', 'module')
# And those of V-JEPA, beside its predictor and the encoder that follows, and
# of a training of DINO.
NESTS += ('ema_encoder', 'target_encoder', 'teacher')
# Where it keeps the classifiers of a probe that were trained at once.
CLASSIFIERS = 'classifiers'
# What DistributedDataParallel and torch.compile put before every name.
WRAPPED = re.compile(r'^(module\.|_orig_mod\.)+')
# How safe loaders call what they do not do.
TRICKS = re.compile(
    '(Unsupported operand|Can only|Trying to|unsupported|refusing|Object).*'
)


def load_weights_file(
    path: str | os.PathLike, copy: bool = True
) -> Dict[str, Tensor]:
    """Read the weights of a file.

    Nested checkpoints are opened, prefixes of wrappers (``module.``) are
    removed, and floating-point tensors become float32. Pickles that ask for
    more than tensors and plain types are refused.

    Args:
        path (str | os.PathLike): TorchScript archive, file of
            ``torch.save``, safetensors, flax or NumPy file.
        copy (bool): Whether the numbers are copied out of the file. Else
            they are only mapped where the kind of file allows, which costs
            nothing, and change with it: for who copies them at once.
            Defaults to True.

    Returns:
        Dict[str, Tensor]: Name to tensor, on the CPU.
    """
    path = os.fspath(path)
    container, content = _read(path, copy)
    tensors = _tensors(content)
    if not tensors:
        keys = list(content)[:8] if isinstance(content, Mapping) else None
        raise ValueError(
            _complaint(
                path,
                container,
                'It holds no named tensors at the top or '
                f'under {NESTS}; its content is a {type(content).__name__}'
                + (f' with the keys {keys}.' if keys else '.'),
            )
        )
    return tensors


def load_checkpoint_file(
    path: str | os.PathLike, copy: bool = True
) -> Mapping[str, Any]:
    """Read all that a checkpoint holds, as mmengine wants it.

    Args:
        path (str | os.PathLike): File of ``torch.save``, or of safetensors
            or flax, as others release whole models.
        copy (bool): See :func:`load_weights_file`. Defaults to True.

    Returns:
        Mapping[str, Any]: Its content, on the CPU.
    """
    path = os.fspath(path)
    container, content = _read(path, copy)
    if container in (ZIP, PICKLE, *FOREIGN) and isinstance(content, Mapping):
        spoiled = [k for k, v in _named(content).items() if has_nan(v)]
        if spoiled:
            raise ValueError(
                f'{path} is damaged: there are numbers that are none (NaN) in '
                f'{spoiled[:8]}. Go back to an earlier checkpoint.'
            )
        return content
    raise ValueError(
        _complaint(
            path,
            container,
            'A checkpoint is a file of torch.save that holds a dict; files '
            'with weights alone go to `pretrained` of a backbone.',
        )
    )


def _read(path: str, copy: bool) -> Tuple[Container, Any]:
    """Read any container, or say what the file looks like instead."""
    if not os.path.isfile(path):
        state = 'is a folder' if os.path.isdir(path) else 'does not exist'
        raise FileNotFoundError(
            f'Weights {path}: it {state}. Give the path of a file.'
        )
    container = recognize(path)
    if container.read is None:
        raise ValueError(_complaint(path, container, container.way_out))
    try:
        return container, container.read(path, copy)
    except Exception as error:  # readers raise a dozen types on bad bytes
        raise ValueError(
            _complaint(path, container, _reason(error, container))
        ) from error


def _complaint(path: str, container: Container, reason: str) -> str:
    """Name the file and what it looks like."""
    return (
        f'Cannot read weights from {path} ({os.path.getsize(path)} '
        f'bytes): it looks like {container.looks}. {reason}'
    )


def _reason(error: Exception, container: Container) -> str:
    """Word why reading failed, and the way out."""
    text = printable_lines(error)
    found = re.search(r'(?:GLOBAL|asks for) ([^\s,]+)', text)
    if isinstance(error, pickle.UnpicklingError) and found:
        return (
            f'It is refused, because it asks to unpickle {found[1]}, '
            'which is neither a tensor nor a plain type and may run '
            'code. If you trust its author, save its `state_dict` alone '
            'once, where that type is at home.'
        )
    trick = TRICKS.search(text)
    if isinstance(error, (pickle.UnpicklingError, ValueError)) and trick:
        return (
            'It is refused, because it is damaged or holds more than tensors '
            f'and plain types ({trick[0]}).'
        )
    lines = [line for line in text.splitlines() if line.strip()]
    # torch's own first lines advise to drop the protection.
    first = next((x for x in lines if 'weights_only' not in x), '')[:200]
    return f'{container.way_out} ({type(error).__name__}: {first})'


def _tensors(content: Any) -> Dict[str, Tensor]:
    """Collect the tensors of a checkpoint, in single precision."""
    return {name: _plain(value) for name, value in _named(content).items()}


def _named(content: Any) -> Dict[str, Tensor]:
    """Collect the tensors of a checkpoint by their names."""
    for _ in NESTS:  # a nest may lie in another one
        if not isinstance(content, Mapping):
            return {}
        inner = [content[k] for k in NESTS if k in content]
        inner += first_classifier(content)
        content = next((v for v in inner if isinstance(v, Mapping)), content)
    return {
        WRAPPED.sub('', name): value
        for name, value in content.items()
        if isinstance(name, str) and isinstance(value, Tensor)
    }


def first_classifier(content: Mapping[str, Any]) -> List[Any]:
    """Take the first of several classifiers out of a checkpoint, if any."""
    several = content.get(CLASSIFIERS)
    return several[:1] if isinstance(several, list) else []


def _plain(tensor: Tensor) -> Tensor:
    """Cut a tensor off autograd and give floats in single precision."""
    tensor = tensor.detach()
    return tensor.float() if tensor.is_floating_point() else tensor
