"""How often intervals hold the truth: tools/evidence/interval_coverage.py.

Draws results of clips in groups of uneven size whose accuracies differ, and
counts how often the true accuracy is within the interval that respects the
groups, and within that of Wilson, which does not.
"""

import mmvidadapt  # noqa: F401, I001  heals mmaction2, so it comes first
import argparse
from typing import Tuple

import numpy as np

from mmvidadapt.apis.fit.intervals import grouped_interval, wilson
from mmvidadapt.utils.text_table import text_table

GROUPS, TRUTHS = (4, 6, 10), (0.5, 0.8, 0.9, 0.97)
LIKENESS = (0.0, 0.05, 0.1, 0.2, 0.4)
CLIPS, UNEVEN = 120, 2.0


def draw(
    rng: np.random.Generator, number: int, truth: float, likeness: float
) -> Tuple[np.ndarray, np.ndarray]:
    """Draw which clips are right, (N,), and their groups, (N,).

    ``likeness`` is the correlation of two clips of a group.
    """
    shares = rng.dirichlet(np.full(number, UNEVEN))
    sizes = 1 + rng.multinomial(CLIPS - number, shares)
    means = np.full(number, truth)
    if likeness > 0:
        rest = 1 / likeness - 1
        means = rng.beta(truth * rest, (1 - truth) * rest, number)
    groups = np.repeat(np.arange(number), sizes)
    return rng.random(CLIPS) < means[groups], groups


def measure(
    number: int, truth: float, likeness: float, runs: int, seed: int = 0
) -> Tuple[float, float, float]:
    """Return how often each interval holds, and the mean width of ours."""
    rng = np.random.default_rng(seed)
    ours, plain, width = 0, 0, 0.0
    for _ in range(runs):
        right, groups = draw(rng, number, truth, likeness)
        found = grouped_interval(right, groups.tolist())
        naive = wilson(right.sum(), CLIPS)
        ours += found.low <= truth <= found.high
        plain += naive.low <= truth <= naive.high
        width += found.high - found.low
    return ours / runs, plain / runs, width / runs


def main() -> None:
    """Print a table: a row for a likeness and a number of groups."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--runs', type=int, default=2000)
    args = parser.parse_args()
    header = ['likeness', 'groups', *(f'{100 * t:.0f} %' for t in TRUTHS)]
    rows = []
    for likeness in LIKENESS:
        for number in GROUPS:
            found = [measure(number, t, likeness, args.runs) for t in TRUTHS]
            cells = [
                f'{100 * ours:.0f} / {100 * plain:.0f} ({100 * width:.0f})'
                for ours, plain, width in found
            ]
            rows.append([likeness, number, *cells])
    print(text_table([header, *rows]))


if __name__ == '__main__':
    main()
