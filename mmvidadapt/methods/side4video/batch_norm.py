"""Batch norm of tokens, with statistics of all processes if asked for."""

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce


class BatchNorm(nn.BatchNorm3d):
    """``BatchNorm3d``, over the clips of all processes with ``sync``.

    In training it norms with mean and variance of the batch, over clips,
    frames and places, and moves the running ones by a tenth; in evaluation
    it norms with the running ones. With ``sync`` the batch is that of all
    processes: N processes with B clips learn what one learns with N B.
    ``torch.nn.SyncBatchNorm`` does the same on GPUs alone; mmengine's
    ``sync_bn='torch'`` turns these modules into it, as any batch norm.

    Args:
        channels (int): Number of channels.
        sync (bool): Whether processes share statistics.
    """

    def __init__(self, channels: int, sync: bool) -> None:
        super().__init__(channels)
        self.sync = sync

    def forward(self, x: Tensor) -> Tensor:
        """Norm x, (B, C, T, H, W)."""
        alone = not dist.is_available() or not dist.is_initialized()
        if not (self.training and self.sync) or alone:
            return super().forward(x)
        dtype, x = x.dtype, x.to(self.weight.dtype)
        dims, shape = (0, 2, 3, 4), (1, -1, 1, 1, 1)
        number = x.new_tensor([x.numel() / x.shape[1]])  # (1,)
        sums = all_reduce(torch.cat([x.sum(dims), number]))  # (C + 1,)
        number = sums[-1].detach()
        mean = sums[:-1] / number  # (C,)
        centred = x - mean.view(shape)  # (B, C, T, H, W)
        variance = all_reduce(centred.square().sum(dims)) / number  # (C,)
        self._track(mean.detach(), variance.detach() * number / (number - 1))
        scale = self.weight * (variance + self.eps).rsqrt()  # (C,)
        out = centred * scale.view(shape) + self.bias.view(shape)
        return out.to(dtype)  # (B, C, T, H, W)

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics, (C,) each."""
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)


def norm_tokens(norm: nn.Module, x: Tensor) -> Tensor:
    """Apply a batch norm to the tokens of clips, (B, T, N, d)."""
    rows = x.reshape(-1, x.shape[-1], 1, 1, 1)  # (B*T*N, d, 1, 1, 1)
    return norm(rows).view(-1, *x.shape[1:])  # (B, T, N, d)
