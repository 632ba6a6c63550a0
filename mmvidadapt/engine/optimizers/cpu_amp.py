"""Mixed precision without a GPU."""

from contextlib import contextmanager
from typing import Any, Iterator, Union

import torch
from mmaction.registry import OPTIM_WRAPPERS
from mmengine.optim import OptimWrapper
from torch import nn

DTYPES = dict(bfloat16=torch.bfloat16, float16=torch.float16)


@OPTIM_WRAPPERS.register_module()
class CPUAmpOptimWrapper(OptimWrapper):
    """Run the forward pass under autocast on the CPU.

    mmengine's ``AmpOptimWrapper`` refuses to start without a GPU. The loss is
    not scaled: bfloat16 has the exponent range of float32 and needs no scale;
    float16, in which small gradients become zero, shows what a recipe for
    GPUs computes.

    Args:
        dtype (str | torch.dtype): ``'bfloat16'`` or ``'float16'``.
            Defaults to 'bfloat16'.
        **kwargs: Passed on to ``mmengine.optim.OptimWrapper``.

    Raises:
        ValueError: If the type is another one.
    """

    def __init__(
        self, dtype: Union[str, torch.dtype] = 'bfloat16', **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        name = str(dtype).replace('torch.', '')
        if name not in DTYPES:
            raise ValueError(
                f"optim_wrapper.dtype='{name}': on the CPU choose from "
                f"{sorted(DTYPES)}, or type='OptimWrapper' for float32."
            )
        self.dtype = DTYPES[name]

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Enter autocast inside the context of gradient accumulation."""
        with (
            super().optim_context(model),
            torch.autocast('cpu', dtype=self.dtype),
        ):
            yield
