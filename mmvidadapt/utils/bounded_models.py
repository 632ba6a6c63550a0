"""Build a model out of a file's config; one without end is refused soon."""

import copy
import math
import threading
from contextlib import contextmanager
from typing import Any, Dict, Iterator, Optional

import torch
from mmengine.config import ConfigDict
from mmengine.registry import MODELS
from torch import nn
from torch.nn.modules.module import (
    register_module_parameter_registration_hook as on_parameter,
)

LARGEST = 1 << 18  # whole number in a model: layers, channels, classes
MOST_PARAMETERS = 4_000  # tensors; the largest model here has 782
MOST_BYTES = 8 << 30  # of a model of whose weights nothing is known
BUILDS_NOTHING = 'no model can be built from its config'


def sketch_model(
    config: Dict[str, Any], source: str, room: Optional[int] = None
) -> nn.Module:
    """Build a model whose tensors have no memory.

    Args:
        config (Dict[str, Any]): Of the model. It stays as it is.
        source (str): The file, for errors.
        room (int, optional): The bytes that its parameters would have at
            most. Defaults to None: any number.

    Returns:
        nn.Module: The model, on the meta device if its constructor allows.

    Raises:
        ValueError: If it cannot be built, or has too many parameters.
    """
    with explained(f'{source}: {BUILDS_NOTHING}'):
        _check_numbers(config, 'model')
        plain = ConfigDict(copy.deepcopy(config))
        try:
            with torch.device('meta'), _counted(room or math.inf):
                return MODELS.build(plain)
        except (NotImplementedError, RuntimeError) as error:
            if 'meta' not in str(error):
                raise
    return build_model(config, source, room)


def build_model(
    config: Dict[str, Any], source: str, room: Optional[int] = None
) -> nn.Module:
    """Build a model on the CPU; look at a sketch of it first.

    Args:
        config (Dict[str, Any]): Of the model. It stays as it is.
        source (str): The file, for errors.
        room (int, optional): The bytes that its parameters may have.
            Defaults to None: 8 GiB.

    Returns:
        nn.Module: The model, random.

    Raises:
        ValueError: See :func:`sketch_model`.
    """
    with (
        explained(f'{source}: {BUILDS_NOTHING}'),
        _counted(room or MOST_BYTES),
    ):
        return MODELS.build(ConfigDict(copy.deepcopy(config)))


@contextmanager
def explained(start: str) -> Iterator[None]:
    """Add to an error of other people's code what it was about.

    Args:
        start (str): How the sentence begins.

    Raises:
        ValueError: In the place of anything but errors of the system.
    """
    try:
        yield
    except OSError:  # a file that is not there is no wrong config
        raise
    except Exception as error:  # constructors raise a dozen types
        kind = type(error).__name__
        text = str(error) if isinstance(error, ValueError) else repr(error)
        raise ValueError(f'{start}: {text or kind}') from error


def _check_numbers(value: Any, name: str) -> None:
    """Refuse a number that no layer, channel or class count is."""
    if isinstance(value, (dict, list, tuple)):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            _check_numbers(item, f'{name}.{key}')
    elif isinstance(value, int) and abs(value) > LARGEST:
        raise ValueError(f'{name} is {value:,}, beyond {LARGEST:,}')


@contextmanager
def _counted(room: float) -> Iterator[None]:
    """Stop the construction of a model that gets too large."""
    thread, tensors, size = threading.get_ident(), 0, 0

    def count(module: nn.Module, name: str, param: Any) -> None:
        nonlocal tensors, size
        if param is None or threading.get_ident() != thread:
            return
        tensors, size = tensors + 1, size + param.nbytes
        if tensors > MOST_PARAMETERS:
            raise ValueError(f'more than {MOST_PARAMETERS:,} parameters')
        if size > room:
            raise ValueError(
                f'more than {room / 2**20:,.0f} MiB of parameters, for which '
                'its weights are too small a file'
            )

    hook = on_parameter(count)
    try:
        yield
    finally:
        hook.remove()
