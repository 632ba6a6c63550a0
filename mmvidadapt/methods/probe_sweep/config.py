"""Turn a config into its sweep, and a sweep into the run of one member."""

from copy import deepcopy
from typing import Any, Optional, Sequence

from .grid import DECAYS, RATES, Rates

HOOK, CONSTRUCTOR = 'ProbeSweepHook', 'SweepOptimConstructor'
ALONE, MONITOR = 'AdaptedRecognizer', 'acc/top1'


def sweep_config(
    config: Any,
    lr: Sequence[float] = RATES,
    weight_decay: Sequence[float] = DECAYS,
    **hook: Any,
) -> Any:
    """Make a config train all pairs of rates at once.

    Args:
        config (Config): Of a backbone with a frozen trunk and a reader.
        lr (Sequence[float]): Learning rates.
            Defaults to (5e-3, 3e-3, 1e-3, 3e-4, 1e-4).
        weight_decay (Sequence[float]): Weight decays.
            Defaults to (0.01, 0.1, 0.4, 0.8).
        **hook: Arguments of ProbeSweepHook, such as ``monitor``.

    Returns:
        Config: A copy.
    """
    config = deepcopy(config)
    config.model.type = 'ProbeSweep'
    config.model.sweep = dict(lr=list(lr), weight_decay=list(weight_decay))
    config.optim_wrapper.constructor = CONSTRUCTOR
    hooks = list(config.get('custom_hooks') or [])
    config.custom_hooks = [*hooks, dict(type=HOOK, **hook)]
    saver = (config.get('default_hooks') or {}).get('checkpoint')
    if saver and saver.get('save_best'):  # 'auto' is the first member's
        saver.save_best = hook.get('monitor', MONITOR)
        saver.rule = hook.get('rule', 'greater')
    return config


def member_config(config: Any, rates: Optional[Rates] = None) -> Any:
    """Make the config of a sweep train one member alone.

    Args:
        config (Config | dict): Of a sweep.
        rates (Rates, optional): Of the member. Defaults to None: those of the
            config's own optimizer.

    Returns:
        Config | dict: A copy. What it trains has the weights that the member
        has in the sweep.
    """
    config = deepcopy(config)
    config['model'].pop('sweep', None)
    config['model']['type'] = ALONE
    wrapper = config['optim_wrapper']
    wrapper['constructor'] = 'TrainedParamsConstructor'
    if rates is not None:
        wrapper['optimizer'].update(rates._asdict())
    hooks = config.get('custom_hooks') or []
    config['custom_hooks'] = [h for h in hooks if h['type'] != HOOK]
    return config
