"""Stochastic depth over clips, frames or token positions."""

import torch
from einops import rearrange
from torch import Tensor, nn

# Dimensions of (B, T, N, C) along which the decision varies.
_KEPT_DIMS = {
    'sample': (0,),
    'frame': (0, 1),
    'position': (0, 2),
    'token': (2,),
}


class DropPath(nn.Module):
    """Drop a residual branch at random and rescale the rest.

    Proposed in `Deep Networks with Stochastic Depth
    <https://arxiv.org/abs/1603.09382>`_.

    Args:
        rate (float): Probability of dropping. Defaults to 0.0.
        num_frames (int): Number of frames T of a clip. Defaults to 1.
        per (str): What is dropped as a whole: ``'sample'`` (a clip),
            ``'frame'``, ``'position'`` (a token position of a clip, in all
            its frames) or ``'token'`` (a token position in all clips and
            frames at once). Defaults to ``'sample'``.
    """

    def __init__(
        self, rate: float = 0.0, num_frames: int = 1, per: str = 'sample'
    ) -> None:
        super().__init__()
        if not 0 <= rate < 1:
            raise ValueError(f'drop path rate {rate} is not in [0, 1).')
        if per not in _KEPT_DIMS:
            raise ValueError(f"per='{per}': choose from {list(_KEPT_DIMS)}.")
        self.rate, self.num_frames, self.per = rate, num_frames, per

    def forward(self, x: Tensor) -> Tensor:
        """Drop parts of x, (B*T, N, C)."""
        if not self.training or self.rate == 0:
            return x
        clips = rearrange(x, '(b t) ... -> b t ...', t=self.num_frames)
        shape = [
            size if dim in _KEPT_DIMS[self.per] else 1
            for dim, size in enumerate(clips.shape)
        ]
        keep = 1 - self.rate
        mask = torch.rand(shape, device=x.device).lt(keep).to(x.dtype) / keep
        return (clips * mask).flatten(0, 1)  # (B*T, N, C)

    def extra_repr(self) -> str:
        """Show the settings when printed."""
        return f'{self.rate:.3f}, per={self.per}'


def linear_rates(rate: float, num_layers: int) -> list:
    """Rates from 0 in the first layer to ``rate`` in the last."""
    return [rate * i / max(num_layers - 1, 1) for i in range(num_layers)]
