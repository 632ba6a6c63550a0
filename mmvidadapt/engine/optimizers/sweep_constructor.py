"""Optimizer groups of their own for every member of a sweep."""

from copy import deepcopy
from types import MethodType
from typing import Dict, List, Optional, Union

from mmaction.registry import OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from mmvidadapt.methods.probe_sweep.recognizer import ProbeSweep

from .trained_params_constructor import TrainedParamsConstructor


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class SweepOptimConstructor(TrainedParamsConstructor):
    """Build the groups of every member of ProbeSweep with its own rates.

    A member's groups are those that :class:`TrainedParamsConstructor` makes
    of a recognizer of its own, ``paramwise_cfg`` included, at the member's
    learning rate and weight decay; those of ``optimizer`` are not used.
    Gradients are clipped member by member.

    Args:
        optim_wrapper_cfg (dict): Config of the optimizer wrapper.
        paramwise_cfg (dict, optional): Options per parameter; names are those
            of a single run. Defaults to None.

    Raises:
        ValueError: If the model is no ProbeSweep.
    """

    def __init__(
        self, optim_wrapper_cfg: dict, paramwise_cfg: Optional[dict] = None
    ) -> None:
        self.given = deepcopy(optim_wrapper_cfg), deepcopy(paramwise_cfg)
        super().__init__(optim_wrapper_cfg, paramwise_cfg)

    def __call__(self, model: nn.Module) -> OptimWrapper:
        """Build the optimizer wrapper."""
        wrapper = super().__call__(model)
        if wrapper.clip_grad_kwargs:
            wrapper._clip_grad = MethodType(clip_members, wrapper)
        return wrapper

    def add_params(
        self,
        params: List[dict],
        module: nn.Module,
        prefix: str = '',
        is_dcn_module: Optional[Union[int, float]] = None,
    ) -> None:
        """Add the groups of all members."""
        if not isinstance(module, ProbeSweep):
            raise ValueError(
                f'SweepOptimConstructor got a {type(module).__name__}: set '
                "model.type='ProbeSweep', or another constructor."
            )
        for (name, rates), alone in zip(module.rates.items(), module.alone()):
            wrapper, paramwise = deepcopy(self.given)
            wrapper['optimizer'].update(rates._asdict())
            groups: List[dict] = []
            single = TrainedParamsConstructor(wrapper, paramwise)
            single.add_params(groups, alone)
            for group in groups:
                params.append({**rates._asdict(), **group, 'member': name})


def clip_members(wrapper: OptimWrapper) -> None:
    """Clip the gradients of every member as if it were alone."""
    members: Dict[str, List[Tensor]] = {}
    for group in wrapper.optimizer.param_groups:
        members.setdefault(group['member'], []).extend(
            param for param in group['params'] if param.grad is not None
        )
    for params in members.values():
        wrapper.clip_func(params, **wrapper.clip_grad_kwargs)
