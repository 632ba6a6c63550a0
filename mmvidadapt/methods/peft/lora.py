"""LoRA: low-rank updates of the matrices of the attention."""

from functools import partial
from typing import Any, Dict, Optional, Sequence, Tuple, Union

import torch
import torch.nn.functional as F
from einops import rearrange
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmvidadapt.trunks.parts.block import ViTBlock
from mmvidadapt.trunks.parts.lean import Lean
from mmvidadapt.trunks.parts.lean_adapter import bottleneck
from mmvidadapt.trunks.parts.lean_attention import project
from mmvidadapt.trunks.parts.lean_block import LeanViTBlock
from mmvidadapt.trunks.parts.precision import autocast_cast
from mmvidadapt.trunks.vit import ImageViT, ViTTrunk
from mmvidadapt.utils.check_choices import check_choices
from mmvidadapt.weights.fold import fold_layer_scale_

TARGETS = ('q', 'k', 'v', 'o')


class LowRank(nn.Module):
    """The update ``alpha / r * B A`` of a matrix, zero at first.

    Args:
        embed_dims (int): Number of channels C of input and output.
        rank (int): Rank r.
        alpha (float): Numerator of the factor.
    """

    def __init__(self, embed_dims: int, rank: int, alpha: float) -> None:
        super().__init__()
        self.scale = alpha / rank
        self.A = nn.Parameter(torch.empty(rank, embed_dims))
        self.B = nn.Parameter(torch.zeros(embed_dims, rank))
        nn.init.normal_(self.A, std=embed_dims**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Compute what the update adds to the product of x, (..., C)."""
        return F.linear(F.linear(x, self.A * self.scale), self.B)  # (..., C)

    def matrix(self) -> Tensor:
        """Multiply out, (C, C)."""
        return self.B @ self.A * self.scale  # (C, C)


def before(layer: nn.Module, h: Tensor) -> Tensor:
    """Return what the matrix of a layer is multiplied with, (..., C)."""
    norm = getattr(layer, 'norm', None)
    return h if norm is None else norm(h)


class LoRABlock(ViTBlock):
    """ViT block whose attention has matrices ``W + alpha / r * B A``.

    Args:
        targets (Sequence[str]): Which matrices are updated.
        rank (int): Rank r of the updates.
        alpha (float): Numerator of their factor.
        **block: Passed on to :class:`ViTBlock`.
    """

    LowRank = LowRank

    def __init__(
        self, targets: Sequence[str], rank: int, alpha: float, **block: Any
    ) -> None:
        super().__init__(**block)
        dims = block['embed_dims']
        self.lora = nn.ModuleDict(
            {name: self.LowRank(dims, rank, alpha) for name in targets}
        )

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of all frames, x: (B*T, P+N, C)."""
        x = x + self.drop_path(self.attention(self.ln_1(x)))
        return x + self.drop_path(self.mlp(self.ln_2(x)))  # (B*T, P+N, C)

    def attention(self, h: Tensor) -> Tensor:
        """Attend with updated matrices, (B*T, P+N, C)."""
        attn = self.attn
        qkv = F.linear(h, attn.in_proj_weight, attn.in_proj_bias)
        parts = [
            rearrange(
                part + self.update(name, h),
                'f n (m d) -> f m n d',
                m=attn.num_heads,
            )
            for name, part in zip('qkv', qkv.chunk(3, dim=-1))
        ]  # (B*T, heads, P+N, d) each
        h = F.scaled_dot_product_attention(*attn.place(*parts[:2]), parts[2])
        h = rearrange(h, 'f m n d -> f n (m d)')  # (B*T, P+N, C)
        return attn.out_proj(h) + self.update('o', before(attn.out_proj, h))

    def update(self, name: str, h: Tensor) -> Union[Tensor, float]:
        """Compute what the update of a matrix adds, or nothing."""
        return self.lora[name](h) if name in self.lora else 0.0

    def merge_into(self, weights: Dict[str, Tensor], prefix: str) -> None:
        """Add the updates to the matrices of the attention, by name."""
        own = {name: update.matrix() for name, update in self.lora.items()}
        in_proj, last = f'{prefix}in_proj_weight', f'{prefix}out_proj.weight'
        rows = weights[in_proj].chunk(3)  # (C, C) each
        parts = [w + own.get(name, 0) for name, w in zip('qkv', rows)]
        weights[in_proj] = torch.cat(parts)  # (3C, C)
        weights[last] = weights[last] + own.get('o', 0)  # (C, C)


class LeanLowRank(Lean, LowRank):
    """Lean twin of :class:`LowRank`."""

    def forward(
        self,
        x: Tensor,
        source: Optional[Tensor] = None,
        norm: Optional[nn.LayerNorm] = None,
    ) -> Tensor:
        """Multiply x, (..., C); see :func:`bottleneck` for the others."""
        down, up = (self.A * self.scale, None), (self.B, None)
        return bottleneck(x, down, up, 'none', source, norm)


class LeanLoRABlock(LeanViTBlock, LoRABlock):
    """Lean twin of :class:`LoRABlock`."""

    LowRank = LeanLowRank

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of all frames, x: (B*T, P+N, C)."""
        h = F.scaled_dot_product_attention(*self.project(x))
        h = rearrange(h, 'f m n d -> f n (m d)')  # (B*T, P+N, C)
        out = self.attn.out_proj(h)  # (B*T, P+N, C)
        if 'o' in self.lora:
            out = out + self.lora['o'](before(self.attn.out_proj, h))
        x = self.keep_read(x) + self.drop_path(out)  # (B*T, 1 or P+N, C)
        return x + self.drop_path(self.run_mlp(x))

    def project(self, x: Tensor) -> Tuple[Tensor, ...]:
        """Compute updated q, k and v of x, (B*T, heads, P+N, d) each."""
        attn, h = self.attn, autocast_cast(self.ln_1(x))
        shared = (attn.in_proj_weight, attn.in_proj_bias, attn.num_heads)
        query = self.keep_read(h) if self.only_readout else None
        parts = dict(zip('qkv', project(h, *shared, query)))
        for name in filter(self.lora.__contains__, 'qkv'):
            read = slice(1 if name == 'q' and self.only_readout else None)
            update = self.lora[name](h[:, read], x[:, read], self.ln_1)
            parts[name] = parts[name] + rearrange(
                update, 'f n (m d) -> f m n d', m=attn.num_heads
            )
        q, k, v = parts.values()
        return *attn.place(q, k), v


@MODELS.register_module()
class LoRA(ViTTrunk):
    """A frozen image ViT with low-rank updates, frame by frame.

    From `LoRA: Low-Rank Adaptation of Large Language Models
    <https://arxiv.org/abs/2106.09685>`_ (ICLR 2022), section 4.1; images are
    not in the paper. The update of the last matrix comes behind a norm before
    it, and is not scaled by a trained LayerScale. :meth:`merge` gives a plain
    ViT with the same outputs, which costs nothing more than the image model.
    Nothing tells the order of frames. Input ``(B, 3, T, H, W)``, output
    ``(B, C, T, 1, 1)``.

    Args:
        rank (int): Rank r of the updates. Defaults to 8.
        alpha (float): The updates are scaled by ``alpha / rank``.
            Defaults to 8.0.
        targets (Sequence[str]): Which matrices of the attention are updated,
            of ``'q', 'k', 'v', 'o'``. Defaults to ('q', 'v').
        **trunk: Passed on to :class:`ViTTrunk`.

    Raises:
        ValueError: On unknown targets, or none, or a rank below 1.
    """

    trainable = (r'.*\.lora\..*',)
    new = trainable

    def __init__(
        self,
        rank: int = 8,
        alpha: float = 8.0,
        targets: Sequence[str] = ('q', 'v'),
        **trunk: Any,
    ) -> None:
        check_choices('targets', targets, TARGETS)
        if rank < 1 or not targets:
            raise ValueError(
                f'rank={rank}, targets={targets!r}: give a rank of at least 1 '
                f'and some of {TARGETS}.'
            )
        super().__init__(
            block=partial(
                LeanLoRABlock, targets=targets, rank=rank, alpha=alpha
            ),
            **trunk,
        )
        same = dict(
            self.built_as,
            drop_path_rate=trunk.get('drop_path_rate'),
            lean=None if self.lean else False,
            cls_token=trunk.get('cls_token'),
            out_type=trunk.get('out_type'),
        )
        self._trunk = {k: v for k, v in same.items() if v is not None}
        self.freeze()

    def plain_config(self) -> Dict[str, Any]:
        """Return the config of the backbone that :meth:`merge` makes."""
        return dict(type=ImageViT.__name__, **self._trunk)

    @torch.no_grad()
    def merge(self) -> ImageViT:
        """Build a frozen plain ViT with equal outputs, on the same device."""
        weights = {
            name: value
            for name, value in self.state_dict().items()
            if '.lora.' not in name
        }
        fold_layer_scale_(weights)
        for i, block in enumerate(self.transformer.resblocks):
            block.merge_into(weights, f'transformer.resblocks.{i}.attn.')
        vit = ImageViT(**self._trunk).to(self.conv1.weight)
        vit.load_state_dict(weights)
        return vit.train(self.training)
