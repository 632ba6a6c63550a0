"""The bottleneck adapter."""

from typing import Optional

import torch.nn.functional as F
from torch import Tensor, nn

ACTIVATIONS = {'gelu': F.gelu, 'relu': F.relu, 'none': lambda x: x}


class Adapter(nn.Module):
    """Bottleneck adapter without a skip: down-projection, act, up-projection.

    The up-projection starts at zero, so a new adapter adds nothing to the
    frozen model. Where the paper draws a skip around it, the block adds it.

    Proposed in `Parameter-Efficient Transfer Learning for NLP
    <https://arxiv.org/abs/1902.00751>`_.

    Args:
        embed_dims (int): Number of input channels C.
        ratio (float): Width of the bottleneck relative to C.
            Defaults to 0.25.
        width (int, optional): The width itself, in place of ``ratio``.
            Defaults to None.
        act (str): ``'gelu'``, ``'relu'`` or ``'none'``.
            Defaults to ``'gelu'``.
        dropout (float): Rate after the activation. Defaults to 0.0.
    """

    def __init__(
        self,
        embed_dims: int,
        ratio: float = 0.25,
        width: Optional[int] = None,
        act: str = 'gelu',
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.act, self.dropout = act, nn.Dropout(dropout)
        given = f'ratio={ratio}' if width is None else f'width={width}'
        width = int(embed_dims * ratio) if width is None else width
        if width < 1:
            raise ValueError(
                f'{given} leaves no channel of '
                f'embed_dims={embed_dims}; give a larger one.'
            )
        self.down = nn.Linear(embed_dims, width)
        self.up = nn.Linear(width, embed_dims)
        nn.init.trunc_normal_(self.down.weight, std=0.02)
        nn.init.zeros_(self.down.bias)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Compute what the adapter adds to x, (..., C)."""
        hidden = ACTIVATIONS[self.act](self.down(x))  # (..., width)
        return self.up(self.dropout(hidden))  # (..., C)
