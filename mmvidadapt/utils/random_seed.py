"""Seed all generators of random numbers."""

import random

import numpy as np
import torch


def seed_everything(*entropy: int) -> None:
    """Seed python, numpy and torch (all devices) from several integers."""
    python, numpy, low, high = (
        np.random.SeedSequence(entropy).generate_state(4).tolist()
    )
    random.seed(python)
    np.random.seed(numpy)
    torch.manual_seed(low | high >> 1 << 32)  # 63 bits
