"""Read OpenAI's pickled DALL-E modules without running their code."""

import os
import pickle
from mmap import ACCESS_READ, mmap
from types import SimpleNamespace
from typing import Dict, Union

import torch
from torch import Tensor

from mmvidadapt.weights.files.readers import load_weights_file
from mmvidadapt.weights.files.torch_files import check_file
from mmvidadapt.weights.files.unpickler import SafeUnpickler, walk

# What tensors and modules are made of; all else that may be named is inert.
TENSORS = {
    **SafeUnpickler.names,
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


class TensorUnpickler(SafeUnpickler):
    """Unpickles tensors, and shells of modules in the place of modules."""

    names = TENSORS
    modules = MODULES


def read_pickled_module(path: Union[str, os.PathLike]) -> Dict[str, Tensor]:
    """Read the tensors of a module that was pickled as a whole.

    Args:
        path (str | os.PathLike): OpenAI's ``encoder.pkl`` or ``decoder.pkl``,
            or any file of ``torch.save`` with such a module.

    Returns:
        Dict[str, Tensor]: Parameters and buffers by name, in float32.

    Raises:
        ValueError: If it is damaged, holds no module, or anything else.
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
        tensors = {k: v.detach().float() for k, v in walk(content)}
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
