"""VPT: visual prompt tuning, the deep variant."""

from functools import partial
from typing import Any, Optional

import torch
import torch.nn.functional as F
from einops import rearrange
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmvidadapt.trunks.parts.lean_attention import project
from mmvidadapt.trunks.parts.lean_block import LeanViTBlock
from mmvidadapt.trunks.vit import ViTTrunk


class VPTBlock(LeanViTBlock):
    """ViT block whose tokens also attend to its own prompts.

    The paper's ``[x, _, e] = block([x, prompts, e])``. What comes out in the
    place of the prompts is dropped, so of them only keys and values are
    computed, once for all frames.

    Args:
        num_prompts (int): Number of prompts P.
        **block: Passed on to :class:`LeanViTBlock`.
    """

    plain = classmethod(lambda cls: cls)  # TODO: no twin yet

    def __init__(self, num_prompts: int, **block: Any) -> None:
        super().__init__(**block)
        self.prompts = nn.Parameter(
            torch.zeros(num_prompts, block['embed_dims'])
        )

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of all frames, see :class:`LeanViTBlock`."""
        h, query = self.ln_1(x), None
        if self.only_readout:
            x, query = x[:, :1], h[:, :1]  # (B*T, 1, C)
        h = self.attend(h, query)
        x = x + self.drop_path(self.attn.out_proj(h))
        return x + self.drop_path(self.run_mlp(x))

    def attend(self, h: Tensor, query: Optional[Tensor] = None) -> Tensor:
        """Attend from the queries to h, (B*T, 1+N, C), and the prompts."""
        attn = self.attn
        shared = (attn.in_proj_weight, attn.in_proj_bias, attn.num_heads)
        q, *tokens = project(h, *shared, query)  # (B*T, heads, 1+N, d)
        prompts = self.ln_1(self.prompts)[None]  # (1, P, C)
        _, *prompts = project(prompts, *shared)  # (1, heads, P, d)
        k, v = (
            torch.cat([mine, new.expand(h.shape[0], -1, -1, -1)], dim=2)
            for mine, new in zip(tokens, prompts)
        )  # (B*T, heads, 1+N+P, d)
        out = F.scaled_dot_product_attention(q, k, v)
        return rearrange(out, 'f m n d -> f n (m d)')


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
            block=partial(VPTBlock, num_prompts=num_prompts), **trunk
        )
        # Xavier's bound of a patch embedding, as in the paper.
        bound = (6 / (3 * self.patch_size**2 + self.embed_dims)) ** 0.5
        for block in self.transformer.resblocks:
            nn.init.uniform_(block.prompts, -bound, bound)
        self.freeze()
