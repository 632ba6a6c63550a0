"""The transformer block of an image ViT, in CLIP's parameter names."""

from collections import OrderedDict

from torch import Tensor, nn

from .activation import ACTIVATIONS
from .attention import Attention
from .drop_path import DropPath


class ViTBlock(nn.Module):
    """Pre-norm block: attention, then MLP.

    Proposed in `An Image is Worth 16x16 Words
    <https://arxiv.org/abs/2010.11929>`_.

    Args:
        embed_dims (int): Number of channels C.
        num_heads (int): Number of attention heads.
        mlp_ratio (float): Width of the MLP relative to C. Defaults to 4.0.
        act (str): ``'quick_gelu'``, ``'gelu'`` or ``'gelu_tanh'``.
            Defaults to ``'quick_gelu'``.
        eps (float): Epsilon of the layer norms. Defaults to 1e-5.
        drop_path (float): Drop-path rate of the block. Defaults to 0.0.
    """

    # What it is made of; the lean twin has lean parts.
    Attention, Linear = Attention, nn.Linear

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        mlp_ratio: float = 4.0,
        act: str = 'quick_gelu',
        eps: float = 1e-5,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        hidden = int(embed_dims * mlp_ratio)
        self.ln_1 = nn.LayerNorm(embed_dims, eps=eps)
        self.attn = self.Attention(embed_dims, num_heads)
        self.ln_2 = nn.LayerNorm(embed_dims, eps=eps)
        self.mlp = nn.Sequential(
            OrderedDict(
                c_fc=self.Linear(embed_dims, hidden),
                act=ACTIVATIONS[act](),
                c_proj=self.Linear(hidden, embed_dims),
            )
        )
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of all frames, x: (B*T, P+N, C)."""
        x = x + self.drop_path(self.attn(self.ln_1(x)))  # (B*T, P+N, C)
        return x + self.drop_path(self.mlp(self.ln_2(x)))  # (B*T, P+N, C)
