"""Report trained and frozen parameters, and the memory that they cost."""

import re
from collections import defaultdict
from typing import Dict, List, Optional, Sequence

from mmaction.registry import HOOKS
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapperDict
from mmengine.runner import Runner
from torch import nn
from torch.optim import Optimizer

from mmvidadapt.utils.text_table import text_table

HEADER = ('', 'x', 'parameters', 'MB', 'type', 'optimizer MB')
MEGA = 1e6


@HOOKS.register_module()
class TrainedParamsHook(Hook):
    """Print the trained and the frozen parameters before training.

    One row per kind of parameter (layer indices become ``*``): number of
    tensors, parameters, megabytes (10^6 bytes), type and megabytes of
    optimizer state. Stops when the optimizer holds a frozen parameter or
    misses a trained one.
    """

    def before_train(self, runner: Runner) -> None:
        """Check the optimizer and print the table."""
        model = runner.model
        model = model.module if is_model_wrapper(model) else model
        wrapper = runner.optim_wrapper
        wrappers = [wrapper]
        if isinstance(wrapper, OptimWrapperDict):
            wrappers = list(wrapper.values())
        optimizers = [w.optimizer for w in wrappers]
        check_optimizers(model, optimizers)
        self.log(runner, model, optimizers)

    @master_only
    def log(
        self, runner: Runner, model: nn.Module, optimizers: List[Optimizer]
    ) -> None:
        """Log the table on the first rank."""
        table = parameter_table(model, optimizers)
        runner.logger.info(f'Parameters of {type(model).__name__}:\n{table}')


def check_optimizers(model: nn.Module, optimizers: List[Optimizer]) -> None:
    """Raise unless the optimizers hold exactly what is trained, once."""
    all_held = [
        id(p) for o in optimizers for g in o.param_groups for p in g['params']
    ]
    held = set(all_held)
    named = list(model.named_parameters())
    frozen = [n for n, p in named if not p.requires_grad and id(p) in held]
    missed = [n for n, p in named if p.requires_grad and id(p) not in held]
    if frozen or missed or len(held) != len(all_held):
        raise ValueError(
            'The optimizer does not hold what is trained.\n'
            f'  frozen, but in the optimizer: {frozen}\n'
            f'  trained, but not in the optimizer: {missed}\n'
            f'  held more than once: {len(all_held) - len(held)}\n'
            "Set optim_wrapper.constructor='TrainedParamsConstructor', and "
            'freeze in the constructor of the model, not later.'
        )


def parameter_table(model: nn.Module, optimizers: List[Optimizer]) -> str:
    """Draw the table of parameters, the totals and the optimizer groups."""
    states = {
        id(p): state_tensors(o, g)
        for o in optimizers
        for g in o.param_groups
        for p in g['params']
    }
    kinds: Dict[tuple, List[nn.Parameter]] = defaultdict(list)
    for name, param in model.named_parameters():
        name = re.sub(r'(?<=\.)\d+(?=\.|$)', '*', name)
        kinds[(not param.requires_grad, name)].append(param)
    rows: List[Sequence[str]] = [HEADER]
    for is_frozen in (False, True):
        some = {n: ps for (f, n), ps in kinds.items() if f == is_frozen}
        rows.append(['frozen' if is_frozen else 'trained'])
        rows += [row(f'  {n}', ps, states) for n, ps in some.items()]
        rows.append(row('  sum', sum(some.values(), []), states))
    rows.append(row('total', list(model.parameters()), states))
    return '\n'.join([text_table(rows), *groups_lines(optimizers)])


def row(
    name: str,
    params: List[nn.Parameter],
    states: Dict[int, Optional[int]],
) -> Sequence[str]:
    """Return the cells of a row for some parameters."""
    count = sum(p.numel() for p in params)
    size = sum(p.numel() * p.element_size() for p in params)
    types = {str(p.dtype).replace('torch.', '') for p in params}
    kept = [(p, states.get(id(p), 0)) for p in params]
    state = (
        '?'
        if any(n is None for _, n in kept)
        else '{:.2f}'.format(
            sum(p.numel() * p.element_size() * n for p, n in kept) / MEGA
        )
    )
    return (
        name,
        f'{len(params)}',
        f'{count:,}',
        f'{size / MEGA:.2f}',
        types.pop() if len(types) == 1 else 'mixed' if types else '-',
        state,
    )


def groups_lines(optimizers: List[Optimizer]) -> List[str]:
    """List the optimizer options of each group of parameters."""
    return [
        f'{type(o).__name__} group {i}: lr {g["lr"]:g}, weight decay '
        f'{g.get("weight_decay", 0):g}, {len(g["params"])} tensors'
        for o in optimizers
        for i, g in enumerate(o.param_groups)
    ]


def state_tensors(optimizer: Optimizer, group: dict) -> Optional[int]:
    """Return how many tensors of its size a parameter keeps in the state.

    None where the optimizer is not known; scalars (step counts) are left out.
    """
    name = type(optimizer).__name__
    if name in ('Adam', 'AdamW'):
        return 2 + bool(group['amsgrad'])
    if name in ('NAdam', 'RAdam', 'Adamax', 'Adadelta'):
        return 2
    if name == 'SGD':
        return int(group['momentum'] != 0)
    return 1 if name == 'Adagrad' else None
