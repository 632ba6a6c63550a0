"""Multi-head self-attention, in the parameter names of OpenAI's CLIP."""

from functools import partial
from typing import Any, Callable, Dict, Optional, Tuple

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from .projection import Projection


class Attention(nn.Module):
    """Multi-head self-attention over the tokens of a sequence.

    Parameters are named as in ``nn.MultiheadAttention`` (and so in OpenAI's
    CLIP).

    Args:
        embed_dims (int): Number of channels C.
        num_heads (int): Number of heads; it divides C.
        key_bias (bool): Whether keys have a bias; else it stays zero.
            Defaults to True.
        **projection: ``eps`` and ``scale`` of the output, see
            :class:`Projection`.
    """

    Linear, Projection = nn.Linear, Projection

    rotary: Optional[nn.Module]  # set by the trunk, one for all blocks

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        key_bias: bool = True,
        **projection: Any,
    ) -> None:
        super().__init__()
        if embed_dims % num_heads:
            raise ValueError(
                f'num_heads={num_heads} does not divide '
                f'embed_dims={embed_dims}.'
            )
        self.num_heads, self.rotary = num_heads, None
        self.key_bias = key_bias
        self.in_proj_weight = nn.Parameter(
            torch.empty(3 * embed_dims, embed_dims)
        )
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * embed_dims))
        build = partial(self.Projection, **projection)
        build = build if any(projection.values()) else self.Linear
        self.out_proj = build(embed_dims, embed_dims)
        self._hold_keys()
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def _hold_keys(self) -> None:
        """Keep the bias of the keys from learning, if keys have none.

        The hook is the parameter's, which copies, files and new memory leave
        behind.
        """
        bias = self.in_proj_bias
        if self.key_bias or bias._backward_hooks:
            return
        learns = bias.requires_grad
        bias.requires_grad_().register_hook(_without_keys)
        bias.requires_grad_(learns)

    def __setstate__(self, state: Dict[str, Any]) -> None:
        """Take the state of a copy or a pickle."""
        super().__setstate__(state)
        self._hold_keys()

    def _apply(self, fn: Callable, recurse: bool = True) -> Any:
        """Move the parameters."""
        super()._apply(fn, recurse)
        self._hold_keys()
        return self

    def place(self, q: Tensor, k: Tensor) -> Tuple[Tensor, Tensor]:
        """Turn queries and keys by positions in space, if they are rotary.

        Every attention over space calls it, no attention over time does.
        """
        if self.rotary is None:
            return q, k
        return self.rotary(q), self.rotary(k)  # (S, heads, L, d) each

    def qkv(self, x: Tensor, positions: bool = True) -> Tuple[Tensor, ...]:
        """Project to queries, keys and values, (S, heads, L, d) each."""
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias)  # (S, L, 3C)
        q, k, v = rearrange(
            qkv, 's l (three m d) -> three s m l d', three=3, m=self.num_heads
        )
        return (*self.place(q, k), v) if positions else (q, k, v)

    def forward(self, x: Tensor, positions: bool = True) -> Tensor:
        """Attend from every token to all, (S, L, C)."""
        q, k, v = self.qkv(x, positions)
        out = F.scaled_dot_product_attention(q, k, v)  # (S, heads, L, d)
        return self.out_proj(rearrange(out, 's m l d -> s l (m d)'))


def _without_keys(grad: Tensor) -> Tensor:
    """Remove the gradient of the keys from that of the biases, (3C,)."""
    q, k, v = grad.chunk(3)  # (C,) each
    return torch.cat([q, torch.zeros_like(k), v])  # (3C,)
