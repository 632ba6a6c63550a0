"""VPT: visual prompt tuning, the deep variant."""

from functools import partial
from typing import Any, Optional

import torch
import torch.nn.functional as F
from einops import rearrange
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmvidadapt.trunks.parts.block import ViTBlock
from mmvidadapt.trunks.parts.lean_block import LeanViTBlock
from mmvidadapt.trunks.vit import ViTTrunk


class VPTBlock(ViTBlock):
    """ViT block whose tokens also attend to its own prompts.

    Equation 5 of the paper, ``[x, _, e] = block([x, prompts, e])``: what
    comes out in the place of the prompts is dropped.

    Args:
        num_prompts (int): Number of prompts K.
        **block: Passed on to :class:`ViTBlock`.
    """

    def __init__(self, num_prompts: int, **block: Any) -> None:
        super().__init__(**block)
        self.prompts = nn.Parameter(
            torch.zeros(num_prompts, block['embed_dims'])
        )

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of all frames, x: (B*T, P+N, C)."""
        prompts = self.prompts.expand(x.shape[0], -1, -1)  # (B*T, K, C)
        tokens = torch.cat([x, prompts], dim=1)  # (B*T, P+N+K, C)
        return super().forward(tokens)[:, : x.shape[1]]  # (B*T, P+N, C)


class LeanVPTBlock(LeanViTBlock, VPTBlock):
    """Lean twin of :class:`VPTBlock`.

    Of the prompts only keys and values are computed, once for all frames.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of all frames, x: (B*T, P+N, C)."""
        h, query = self.ln_1(x), None
        if self.only_readout:
            x, query = self.keep_read(x), self.keep_read(h)  # (B*T, 1, C)
        h = self.attend(h, query)  # (B*T, P+N, C)
        x = x + self.drop_path(self.attn.out_proj(h))  # (B*T, P+N, C)
        return x + self.drop_path(self.run_mlp(x))

    def attend(self, h: Tensor, query: Optional[Tensor] = None) -> Tensor:
        """Attend from the queries to h, (B*T, P+N, C), and the prompts."""
        attn = self.attn
        q, *tokens = attn.project(h, query)  # (B*T, heads, P+N, d)
        prompts = self.ln_1(self.prompts)[None]  # (1, K, C)
        # They lie nowhere; (1, heads, K, d) each.
        _, *prompts = attn.project(prompts, positions=False)
        k, v = (
            torch.cat([mine, new.expand(h.shape[0], -1, -1, -1)], dim=2)
            for mine, new in zip(tokens, prompts)
        )  # (B*T, heads, P+N+K, d)
        out = F.scaled_dot_product_attention(q, k, v)
        return rearrange(out, 'f m n d -> f n (m d)')  # (B*T, P+N, C)


@MODELS.register_module()
class VPT(ViTTrunk):
    """A frozen image ViT with learned prompts in every block, frame by frame.

    The deep variant of `Visual Prompt Tuning
    <https://arxiv.org/abs/2203.12119>`_ (ECCV 2022), equation 5. Prompts join
    the tokens where they enter a block, so they have no position and do not
    pass ``ln_pre``. Unlike adapters they change the image model from the
    start: tokens attend to them. They are the same for all frames, and
    nothing tells the order of frames. Input ``(B, 3, T, H, W)``, output
    ``(B, C, T, 1, 1)``.

    Args:
        num_prompts (int): Prompts of a block. The paper tries 1 to 200 and
            keeps the best for each data set. Defaults to 50.
        **trunk: Passed on to :class:`ViTTrunk`.

    Raises:
        ValueError: If there is no prompt.
    """

    trainable = (r'.*\.prompts',)
    new = trainable

    def __init__(self, num_prompts: int = 50, **trunk: Any) -> None:
        if num_prompts < 1:
            raise ValueError(f'num_prompts={num_prompts}: give at least 1.')
        super().__init__(
            block=partial(LeanVPTBlock, num_prompts=num_prompts), **trunk
        )
        # Xavier's bound of a patch embedding, as in the paper.
        bound = (6 / (3 * self.patch_size**2 + self.embed_dims)) ** 0.5
        for block in self.transformer.resblocks:
            nn.init.uniform_(block.prompts, -bound, bound)
        self.freeze()
