"""AdaptFormer: a bottleneck beside every MLP."""

from functools import partial
from typing import Any, Optional

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmvidadapt.trunks.parts.adapter import Adapter
from mmvidadapt.trunks.parts.block import ViTBlock
from mmvidadapt.trunks.parts.lean_adapter import LeanAdapter
from mmvidadapt.trunks.parts.lean_block import LeanViTBlock
from mmvidadapt.trunks.vit import ViTTrunk


class AdaptFormerBlock(ViTBlock):
    """ViT block with the paper's AdaptMLP in place of its MLP.

    Args:
        adapter_dims (int): Width of the bottleneck.
        adapter_scale (float): Factor s of the bottleneck.
        **block: Passed on to :class:`ViTBlock`.
    """

    Adapter = Adapter

    def __init__(
        self, adapter_dims: int, adapter_scale: float, **block: Any
    ) -> None:
        super().__init__(**block)
        self.scale = adapter_scale
        self.mlp_adapter = self.Adapter(
            block['embed_dims'], width=adapter_dims, act='relu'
        )
        nn.init.kaiming_normal_(self.mlp_adapter.down.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Compute ``x + MLP(LN(x)) + s ReLU(LN(x) W_down) W_up`` last."""
        x = x + self.drop_path(self.attn(self.ln_1(x)))  # (B*T, P+N, C)
        h = self.ln_2(x)  # (B*T, P+N, C)
        adapted = self.mlp(h) + self.scale * self.mlp_adapter(h)
        return x + self.drop_path(adapted)  # (B*T, P+N, C)


class LeanAdaptFormerBlock(LeanViTBlock, AdaptFormerBlock):
    """Lean twin of :class:`AdaptFormerBlock`."""

    Adapter = LeanAdapter

    def run_mlp(self, x: Tensor, normed: Optional[Tensor] = None) -> Tensor:
        """Run the AdaptMLP on the second norm of x, (B*T, P+N, C)."""
        y = self.ln_2(x) if normed is None else normed
        adapted = self.mlp_adapter(y, x, self.ln_2)
        return torch.add(super().run_mlp(x, y), adapted, alpha=self.scale)


@MODELS.register_module()
class AdaptFormer(ViTTrunk):
    """A frozen image ViT with an adapter beside every MLP, frame by frame.

    From `AdaptFormer: Adapting Vision Transformers for Scalable Visual
    Recognition <https://arxiv.org/abs/2205.13535>`_ (NeurIPS 2022), section
    3.2. The paper's video models attend over all frames at once; on this
    image trunk frames are encoded one by one, and nothing tells their order.
    Drop path drops a whole AdaptMLP. Input ``(B, 3, T, H, W)``, output
    ``(B, C, T, 1, 1)``.

    Args:
        adapter_dims (int): Width of the bottlenecks. Defaults to 64.
        adapter_scale (float): Factor s of the bottlenecks. Defaults to 0.1.
        **trunk: Passed on to :class:`ViTTrunk`.
    """

    trainable = (r'.*\.mlp_adapter\..*',)
    new = trainable

    def __init__(
        self,
        adapter_dims: int = 64,
        adapter_scale: float = 0.1,
        **trunk: Any,
    ) -> None:
        super().__init__(
            block=partial(
                LeanAdaptFormerBlock,
                adapter_dims=adapter_dims,
                adapter_scale=adapter_scale,
            ),
            **trunk,
        )
        self.freeze()
