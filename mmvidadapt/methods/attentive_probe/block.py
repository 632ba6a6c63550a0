"""When a frame is, as sines and cosines.

The probe itself is :class:`~mmvidadapt.trunks.parts.attentive_pooler
.AttentivePooler`, which video trunks have, too.
"""

import torch
from torch import Tensor

BASE = 10000.0


def time_code(num_frames: int, embed_dims: int) -> Tensor:
    """Compute sines, then cosines, of the numbers of frames.

    From `Attention Is All You Need <https://arxiv.org/abs/1706.03762>`_,
    section 3.5, halves instead of neighbours.

    Args:
        num_frames (int): Number of frames T.
        embed_dims (int): Number of channels C, an even one.

    Returns:
        Tensor: ``(T, C)``.
    """
    bands = embed_dims // 2
    scale = BASE ** -(torch.arange(bands).double() / bands)  # (C/2,)
    angles = torch.arange(num_frames).double()[:, None] * scale  # (T, C/2)
    return torch.cat([angles.sin(), angles.cos()], dim=1).float()  # (T, C)
