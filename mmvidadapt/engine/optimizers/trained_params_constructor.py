"""An optimizer over the trained parameters only."""

import logging
from contextlib import contextmanager
from typing import Dict, Iterator, List, Optional, Union

from mmaction.registry import OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.logging import MMLogger, print_log
from mmengine.optim import DefaultOptimWrapperConstructor
from torch import nn

from .layer_decay import layer_scales

# Of mmaction2's LearningRateDecayOptimizerConstructor.
FOREIGN = ('decay_rate', 'decay_type', 'num_layers')
# What mmengine logs once per parameter; TrainedParamsHook prints one table.
NOISE = ('paramwise_options -- ', 'is skipped since its requires_grad')


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class TrainedParamsConstructor(DefaultOptimWrapperConstructor):
    """Build an optimizer of the trained parameters, in few groups.

    ``paramwise_cfg`` means what it means in mmengine (the longest custom key
    that is part of a parameter's name wins) and every trained parameter gets
    the same options as there. The differences: frozen parameters never reach
    the optimizer, with or without ``paramwise_cfg``; parameters with equal
    options share one group (mmengine makes one group per parameter, which
    keeps fused and foreach optimizers from batching their work); a custom key
    that matches no parameter at all is reported; and ``layer_decay_rate``
    lowers the rates from layer to layer, see :func:`.layer_scales`.

    Args:
        optim_wrapper_cfg (dict): Config of the optimizer wrapper.
        paramwise_cfg (dict, optional): Options per parameter, see
            ``DefaultOptimWrapperConstructor``, and ``layer_decay_rate``.
            Defaults to None.

    Raises:
        ValueError: If nothing is trained, or the layers have no rates.
    """

    def __init__(
        self, optim_wrapper_cfg: dict, paramwise_cfg: Optional[dict] = None
    ) -> None:
        super().__init__(optim_wrapper_cfg, paramwise_cfg)
        # An empty paramwise_cfg would hand over model.parameters() unread.
        self.paramwise_cfg = {'custom_keys': {}, **self.paramwise_cfg}
        # A ConfigDict would turn the groups into its own kind, which
        # torch.compile cannot trace through the optimizer's step.
        self.optimizer_cfg = dict(self.optimizer_cfg)

    def add_params(
        self,
        params: List[dict],
        module: nn.Module,
        prefix: str = '',
        is_dcn_module: Optional[Union[int, float]] = None,
    ) -> None:
        """Add the groups of a module; the root's groups are merged."""
        if prefix:
            super().add_params(params, module, prefix, is_dcn_module)
            return
        groups: List[dict] = []
        with quiet(NOISE):
            super().add_params(groups, module, prefix, is_dcn_module)
        if not groups:
            raise ValueError(
                f'Every parameter of {type(module).__name__} is frozen, so '
                'there is nothing to train. Name what to train in the '
                "backbone's `trainable`, or set `full_finetune=True`."
            )
        self._decay_layers(groups, module)
        params.extend(merge_groups(groups))
        self._report_unused_keys(module)

    def _decay_layers(self, groups: List[dict], module: nn.Module) -> None:
        """Multiply the rates of groups of one parameter by their layer's."""
        foreign = [key for key in FOREIGN if key in self.paramwise_cfg]
        if foreign:
            raise ValueError(
                f'paramwise_cfg has {foreign} of another constructor: give '
                'TrainedParamsConstructor a layer_decay_rate, and nothing '
                'else for layers.'
            )
        rate = self.paramwise_cfg.get('layer_decay_rate')
        if rate is None:
            return
        if self.base_lr is None:
            raise ValueError(
                f'layer_decay_rate={rate} needs optimizer.lr to multiply.'
            )
        scales = layer_scales(module, rate)
        known = {id(p): scales[name] for name, p in module.named_parameters()}
        for group in groups:
            (param,) = group['params']
            group['lr'] = group.get('lr', self.base_lr) * known[id(param)]

    def _report_unused_keys(self, module: nn.Module) -> None:
        """Warn about custom keys that no parameter's name contains."""
        names = [name for name, _ in module.named_parameters()]
        unused = [
            key
            for key in self.paramwise_cfg['custom_keys']
            if not any(key in name for name in names)
        ]
        if unused:
            print_log(
                f'No parameter of {type(module).__name__} has one of '
                f'{unused} in its name: these custom keys of `paramwise_cfg` '
                'change nothing. Are they misspelt?',
                logger='current',
                level=logging.WARNING,
            )


def merge_groups(groups: List[dict]) -> List[dict]:
    """Merge groups with equal options, in the order of their first one."""
    merged: Dict[tuple, dict] = {}
    for group in groups:
        options = {k: v for k, v in group.items() if k != 'params'}
        key = tuple(sorted((k, repr(v)) for k, v in options.items()))
        merged.setdefault(key, dict(options, params=[]))
        merged[key]['params'] += group['params']
    return list(merged.values())


@contextmanager
def quiet(phrases: tuple) -> Iterator[None]:
    """Drop the log records that contain one of ``phrases``."""

    def keep(record: logging.LogRecord) -> bool:
        return not any(p in record.getMessage() for p in phrases)

    logger = MMLogger.get_current_instance()
    logger.addFilter(keep)
    try:
        yield
    finally:
        logger.removeFilter(keep)
