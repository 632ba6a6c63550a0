"""DualPath's block in less memory and time: paths are slices, not copies.

Serial adapters are folded into the frozen layers beside them, exactly.
"""

from typing import Any, List, Optional, Tuple

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from mmvidadapt.trunks.parts.lean_adapter import LeanAdapter, bottleneck
from mmvidadapt.trunks.parts.lean_block import LeanViTBlock
from mmvidadapt.trunks.parts.linear import linear
from mmvidadapt.trunks.parts.precision import full_precision
from mmvidadapt.trunks.parts.tracing import is_traced

from .block import DualPathBlock, PathAdapter, split_paths

Heads = Tuple[Tensor, Tensor, Tensor]


class _AddPaths(torch.autograd.Function):
    """Add slice by slice; the gradients are slices, too, not copies."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, *deltas: Tensor) -> Tensor:
        """Add to a copy of x."""
        ctx.sizes = [len(delta) for delta in deltas]
        ctx.dtypes = [delta.dtype for delta in deltas]
        out = x.clone()
        for part, delta in zip(out.split(ctx.sizes), deltas):
            part.add_(delta)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tuple[Tensor, ...]:
        """Hand every path its slice."""
        parts = zip(grad.split(ctx.sizes), ctx.dtypes)
        return grad, *(part.to(dtype) for part, dtype in parts)


def add_paths(x: Tensor, *deltas: Tensor) -> Tensor:
    """Add to consecutive images what their paths say.

    Equal to ``x + torch.cat(deltas)``; but nothing is concatenated.

    Args:
        x (Tensor): Tokens of all images, ``(images, N, C)``.
        *deltas: Tokens of consecutive images, ``(images of a path, N, C)``;
            they make up all images.

    Returns:
        Tensor: ``(images, N, C)``.
    """
    if is_traced():
        return x + torch.cat(deltas)
    return _AddPaths.apply(x, *deltas)


class LeanPathAdapter(LeanAdapter, PathAdapter):
    """Adapter that can also stand before a frozen projection."""

    def before(
        self,
        weight: Tensor,
        bias: Tensor,
        x: Tensor,
        source: Tensor,
        norm: nn.LayerNorm,
    ) -> Tensor:
        """Project the adapted x without forming it.

        The up-projection and the projection are multiplied once per step
        instead of one after the other per token.

        Args:
            weight (Tensor): Of the projection, ``(D, C)``.
            bias (Tensor): ``(D,)``.
            x (Tensor): Tokens ``(..., C)``.
            source (Tensor): Where ``x == norm(source)``.
            norm (nn.LayerNorm): The norm that made ``x``.

        Returns:
            Tensor: ``(..., D)``.
        """
        if not self.folds(x):
            return linear(self(x, source, norm), weight, bias)
        with full_precision(x):
            folded = linear(weight, self.up.weight.t())  # (D, width)
            bias = F.linear(self.up.bias, weight, bias)  # (D,)
        down = (self.down.weight, self.down.bias)
        return bottleneck(
            x, down, (folded, bias), self.act, source, norm, self.dropout
        )


class LeanDualPathBlock(LeanViTBlock, DualPathBlock):
    """Lean twin of :class:`DualPathBlock`."""

    Adapter = LeanPathAdapter

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of all images, see :class:`DualPathBlock`."""
        h = self.ln_1(x)  # (B*(G+S), P+N, C)
        at, as_ = self.attend(x, h)  # of framesets (B*G, ...), of frames
        x, h = self.keep_read(x), self.keep_read(h)  # (B*(G+S), 1 or P+N, C)
        frozen = self.attn.out_proj
        in_time = _serial(self.t_adapter_attn, frozen, at)
        (_, xs), (_, hs) = self.split(x), self.split(h)
        in_space = _parallel(
            self.s_adapter_attn, frozen, as_, (hs, xs, self.ln_1)
        )
        x = self.add(x, in_time, in_space)

        y = self.ln_2(x)  # (B*(G+S), 1 or P+N, C)
        zt, zs = self.run_mlp(x, y)  # (B*G, ..., 4C), (B*S, ..., 4C)
        frozen = self.mlp.c_proj
        in_time = _serial(self.t_adapter_mlp, frozen, zt)
        (_, xs), (_, ys) = self.split(x), self.split(y)
        in_space = _parallel(
            self.s_adapter_mlp, frozen, zs, (ys, xs, self.ln_2)
        )
        return self.add(x, in_time, in_space)

    def split(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        """Slice all images into framesets (B*G, ...) and frames (B*S, ...)."""
        return split_paths(x, self.images)

    def add(self, x: Tensor, *deltas: Optional[Tensor]) -> Tensor:
        """Add what each path says, where there is one."""
        deltas = [self.drop_path(d) for d in deltas if d is not None]
        return add_paths(x, *deltas)

    def attend(self, x: Tensor, h: Tensor) -> Tuple[Tensor, Tensor]:
        """Attend within the images of both paths, heads side by side."""
        parts = []
        for q, k, v in self.project(x, h):
            out = F.scaled_dot_product_attention(q, k, v)  # (f, heads, n, d)
            parts.append(rearrange(out, 'f m n d -> f n (m d)'))
        return parts if len(parts) == 2 else self.split(parts[0])

    def project(self, x: Tensor, h: Tensor) -> List[Heads]:
        """Project to queries, keys and values, (images, heads, tokens, d).

        Once for all images; path by path where the temporal one has an
        adapter of its own before them.
        """
        weight, bias = self.attn.in_proj_weight, self.attn.in_proj_bias
        heads = self.attn.num_heads

        def frozen(h: Tensor) -> Heads:
            query = self.keep_read(h) if self.only_readout else None
            return self.attn.project(h, query)

        if self.t_adapter_attn_b is None:
            return [frozen(h)]
        (xt, _), (ht, hs) = self.split(x), self.split(h)
        # Queries of all tokens, too: the adapter's dropout is drawn once.
        qkv = self.t_adapter_attn_b.before(weight, bias, ht, xt, self.ln_1)
        q, k, v = qkv.chunk(3, dim=-1)  # (B*G, P+N, C) each
        in_time = tuple(
            rearrange(y, 'f n (m d) -> f m n d', m=heads)
            for y in (self.keep_read(q), k, v)
        )  # (B*G, heads, 1 or P+N, d) each
        in_time = (*self.attn.place(*in_time[:2]), in_time[2])
        return [in_time, frozen(hs)] if self.images[1] else [in_time]

    def norm_mlp(
        self, x: Tensor, normed: Optional[Tensor] = None
    ) -> Tuple[Tensor, ...]:
        """Run the first half of the MLP, which both paths share.

        Each path is activated by itself: what one keeps for backward would
        keep the other's 4C channels, too.
        """
        y = self.ln_2(x) if normed is None else normed
        return tuple(map(self.mlp.act, self.split(self.mlp.c_fc(y))))


def _serial(
    adapter: Optional[PathAdapter], frozen: nn.Linear, h: Tensor
) -> Optional[Tensor]:
    """Adapt what a frozen layer makes of h; there is no way around."""
    return None if adapter is None else adapter.after(frozen, h)


def _parallel(
    adapter: Optional[PathAdapter],
    frozen: nn.Linear,
    h: Tensor,
    normed: Tuple[Tensor, Tensor, nn.LayerNorm],
) -> Optional[Tensor]:
    """Add an adapter of the half block's input to its frozen output."""
    return None if adapter is None else frozen(h) + adapter(*normed)
