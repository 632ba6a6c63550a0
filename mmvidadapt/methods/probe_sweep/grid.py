"""Learning rates times weight decays of a sweep."""

from itertools import product
from typing import Dict, Iterable, NamedTuple

# Of V-JEPA 2, https://arxiv.org/abs/2506.09985, section 5.
RATES = (5e-3, 3e-3, 1e-3, 3e-4, 1e-4)
DECAYS = (0.01, 0.1, 0.4, 0.8)


class Rates(NamedTuple):
    """Learning rate and weight decay of a member."""

    lr: float
    weight_decay: float


def grid(
    lr: Iterable[float] = RATES, weight_decay: Iterable[float] = DECAYS
) -> Dict[str, Rates]:
    """List the members of a sweep.

    Args:
        lr (Iterable[float]): Learning rates.
            Defaults to (5e-3, 3e-3, 1e-3, 3e-4, 1e-4).
        weight_decay (Iterable[float]): Weight decays.
            Defaults to (0.01, 0.1, 0.4, 0.8).

    Returns:
        Dict[str, Rates]: Name, such as ``lr0.001_wd0.1``, to rates.

    Raises:
        ValueError: If there are none, or a rate is twice there or negative.
    """
    rates = [Rates(*map(float, pair)) for pair in product(lr, weight_decay)]
    if not rates or len(set(rates)) < len(rates) or min(map(min, rates)) < 0:
        raise ValueError(
            f'sweep lr={lr}, weight_decay={weight_decay}: give at least one '
            'of each, none below 0 and none twice.'
        )
    return {f'lr{r.lr:g}_wd{r.weight_decay:g}': r for r in rates}
