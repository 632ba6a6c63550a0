"""OpenAI's pickled DALL-E modules, read without running their code."""

import collections
import os
import pickle
from mmap import ACCESS_READ, mmap
from types import SimpleNamespace
from typing import Any, Dict, Iterator, Tuple, Union

import torch
from torch import Tensor

from mmvidadapt.weights.files.readers import load_weights_file
from mmvidadapt.weights.files.torch_files import check_file

# What tensors and modules are made of; all else that may be named is inert.
TENSORS = {
    ('collections', 'OrderedDict'): collections.OrderedDict,
    ('builtins', 'set'): set,
    ('__builtin__', 'set'): set,
    ('torch', 'device'): torch.device,
    ('torch', 'Size'): torch.Size,
    ('torch._utils', '_rebuild_tensor_v2'): torch._utils._rebuild_tensor_v2,
    ('torch._utils', '_rebuild_parameter'): torch._utils._rebuild_parameter,
    **{
        ('torch', f'{kind}Storage'): getattr(torch, f'{kind}Storage')
        for kind in ('Float', 'Half', 'Double')
    },
}
MODULES = ('dall_e.', 'torch.nn.modules.')


class Shell:
    """Stands where a module was; keeps its attributes and does nothing."""

    def __init__(self, *args: Any) -> None:
        """Ignore what a constructor would be given."""


# One for all, whose source torch does not find to compare with a file's.
ANY_MODULE = type('AnyModule', (Shell,), {})


class TensorUnpickler(pickle.Unpickler):
    """Unpickles tensors, and shells of modules in the place of modules."""

    def find_class(self, module: str, name: str) -> Any:
        """Give what is on the list, a shell for a module, or refuse."""
        if (module, name) in TENSORS:
            return TENSORS[module, name]
        if module.startswith(MODULES) and '.' not in name:
            return ANY_MODULE
        raise pickle.UnpicklingError(
            f'it asks for {module}.{name}, which is neither a tensor nor a '
            "module of DALL-E's"
        )


def read_pickled_module(path: Union[str, os.PathLike]) -> Dict[str, Tensor]:
    """Read the tensors of a module that was pickled as a whole.

    Args:
        path (str | os.PathLike): OpenAI's ``encoder.pkl`` or ``decoder.pkl``,
            or any file of ``torch.save`` with such a module.

    Returns:
        Dict[str, Tensor]: Name of a parameter or buffer to tensor, in single
        precision, on the CPU.

    Raises:
        ValueError: If the file asks for anything but tensors and modules, is
            damaged or holds no module.
    """
    safe = SimpleNamespace(
        __name__='mmvidadapt.methods.bevt.tokenizers.dalle_files',
        Unpickler=TensorUnpickler,
        load=lambda file, **options: TensorUnpickler(file, **options).load(),
        UnpicklingError=pickle.UnpicklingError,
    )
    try:
        _refuse_programs(path)
        check_file(os.fspath(path))
        content = torch.load(
            path, map_location='cpu', pickle_module=safe, weights_only=False
        )
        tensors = dict(_walk(content, ''))
    except FileNotFoundError:
        raise
    except Exception as error:  # damaged bytes raise a dozen types
        raise ValueError(
            f'{path} ({os.path.getsize(path)} bytes) cannot be read as a '
            f"module of DALL-E's: {error}. Fetch the file again from where it "
            'is published, or give a state dict.'
        ) from error
    if not tensors:
        raise ValueError(
            f'{path} holds a {type(content).__name__} without tensors, not a '
            "module of DALL-E's; give encoder.pkl or decoder.pkl."
        )
    return tensors


def _refuse_programs(path: Union[str, os.PathLike]) -> None:
    """Raise on what torch.load would hand to torch.jit.load to compile.

    It takes an archive with an entry of this name for TorchScript. Names are
    never compressed, so bytes decide, whichever reader of archives is asked.
    """
    with (
        open(path, 'rb') as file,
        mmap(file.fileno(), 0, access=ACCESS_READ) as content,
    ):
        if content.find(b'constants.pkl') >= 0:
            raise ValueError(
                'it is a TorchScript archive, which brings along a program; '
                'under a name that does not end in .pkl its tensors alone are '
                'read'
            )


def read_dalle(path: Union[str, os.PathLike]) -> Dict[str, Tensor]:
    """Read OpenAI's pickled module (``*.pkl``) or a plain state dict."""
    if os.fspath(path).endswith('.pkl'):
        return read_pickled_module(path)
    return load_weights_file(path)


def _walk(module: Any, prefix: str) -> Iterator[Tuple[str, Tensor]]:
    """Yield the parameters and buffers of a shell by their names."""
    if not isinstance(module, Shell):
        return
    state = vars(module)
    for kind in ('_parameters', '_buffers'):
        for name, value in state.get(kind, {}).items():
            if isinstance(value, Tensor):
                yield prefix + name, value.detach().float()
    for name, child in state.get('_modules', {}).items():
        yield from _walk(child, f'{prefix}{name}.')
