"""Return the data loaders of a training loop."""

from typing import List

from mmengine.runner import Runner
from torch.utils.data import DataLoader


def train_loaders(runner: Runner) -> List[DataLoader]:
    """Return the loaders of a training loop: one, or several side by side."""
    loop = runner.train_loop
    return list(getattr(loop, 'multi_loaders', [loop.dataloader]))
