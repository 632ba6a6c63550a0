"""Compute once what several models do alike with one clip."""

from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, Optional, Set, Tuple

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

# What a backbone computes first, outside of any module.
METHODS = ('patchify', 'embed')


class SharedPrefix:
    """Cache what models of one architecture have computed of a clip.

    A module's output is kept where all its tensors are common to the models
    and all its inputs come from the clip through such modules alone. The next
    model takes it instead of computing it, up to its first own tensor.

    Args:
        clip (Tensor): What all models are given.
        common (Set[int]): ``data_ptr`` of the tensors that all of them have.
    """

    def __init__(self, clip: Tensor, common: Set[int]) -> None:
        self.common = common
        self.outputs: Dict[tuple, Any] = {}
        self.kept: Dict[int, Tuple[Tensor, int]] = {}  # by storage
        self._keep(clip)

    @contextmanager
    def serve(self, backbone: nn.Module) -> Iterator[None]:
        """Hook a backbone so that it reads from the cache and fills it."""
        replaced: List[Tuple[nn.Module, str, Optional[Callable]]] = []
        try:
            for place, module, name in self._places('', backbone):
                once = self._once(place, getattr(module, name))
                replaced.append((module, name, vars(module).get(name)))
                setattr(module, name, once)
            yield
        finally:
            for module, name, before in reversed(replaced):
                if before is None:
                    vars(module).pop(name, None)
                else:  # somebody else had put a function there
                    setattr(module, name, before)
        for tensor, version in self.kept.values():
            if tensor._version != version:
                raise RuntimeError(
                    f'{type(backbone).__name__} changed a tensor in place, '
                    f'{tuple(tensor.shape)}, that other adapters read, too; '
                    'their results would be wrong. Classify with each '
                    "adapter by itself: inference_recognizer(multi['name'], "
                    'video).'
                )

    def _places(
        self, path: str, module: nn.Module
    ) -> Iterator[Tuple[str, nn.Module, str]]:
        """Yield the largest modules that are common, and their methods."""
        if computes(module) and not self._is_own(module):
            yield path, module, 'forward'
            return
        for name in METHODS if not path else ():
            if hasattr(module, name):
                yield name, module, name
        for name, child in module.named_children():
            yield from self._places(f'{path}.{name}', child)

    def _is_own(self, module: nn.Module) -> bool:
        """Check whether a module has a tensor that other models have not."""
        return any(
            tensor.data_ptr() not in self.common
            for tensor in module.state_dict().values()
        )

    def _once(self, place: str, function: Callable) -> Callable:
        """Keep what a function gives for what is shared."""

        def once(*args: Any, **kwargs: Any) -> Any:
            inputs = tree_leaves((args, kwargs))
            tensors = [x for x in inputs if isinstance(x, Tensor)]
            if not tensors or any(
                storage(x) not in self.kept for x in tensors
            ):
                return function(*args, **kwargs)
            key = (place, *map(identity, inputs))
            if key not in self.outputs:
                # A method is not known to be common; its own tensors require
                # gradients, which shows in what it gives.
                with torch.set_grad_enabled(place in METHODS):
                    out = function(*args, **kwargs)
                if place in METHODS and out.requires_grad:
                    # One method calls the other, which is to see the mark.
                    return out if torch.is_grad_enabled() else out.detach()
                self.outputs[key] = out
                self._keep(out)
            return self.outputs[key]

        return once

    def _keep(self, out: Any) -> None:
        """Note that what uses these tensors may be shared."""
        for tensor in tree_leaves(out):
            if isinstance(tensor, Tensor):
                self.kept[storage(tensor)] = tensor, tensor._version


def computes(module: nn.Module) -> bool:
    """Check whether a module is called, rather than holding others only."""
    return type(module).forward is not nn.Module.forward


def storage(tensor: Tensor) -> int:
    """Return the memory of a tensor, which its views share."""
    return tensor.untyped_storage().data_ptr()


def identity(value: Any) -> Any:
    """Return what identifies a view of some memory, whatever its values."""
    if not isinstance(value, Tensor):
        return value
    place = (storage(value), value.storage_offset(), value.dtype)
    return (*place, tuple(value.shape), value.stride())
