"""The transformer block of an image ViT, in CLIP's parameter names."""

from collections import OrderedDict
from functools import partial
from typing import Callable, Optional

from torch import Tensor, nn

from mmvidadapt.utils.check_choices import check_choices

from .activation import ACTIVATIONS, GATED
from .attention import Attention
from .drop_path import DropPath
from .projection import Projection


class ViTBlock(nn.Module):
    """Pre-norm block: attention, then MLP.

    Proposed in `An Image is Worth 16x16 Words
    <https://arxiv.org/abs/2010.11929>`_.

    Args:
        embed_dims (int): Number of channels C.
        num_heads (int): Number of attention heads.
        mlp_ratio (float): Width of the MLP relative to C. Defaults to 4.0.
        act (str): ``'quick_gelu'``, ``'gelu'``, ``'gelu_tanh'`` or
            ``'swiglu'``. Defaults to ``'quick_gelu'``.
        eps (float): Epsilon of the layer norms. Defaults to 1e-5.
        drop_path (float): Drop-path rate of the block. Defaults to 0.0.
        key_bias (bool): Whether keys have a bias. Defaults to True.
        sub_norm (bool): Whether there is a norm before the last layer of
            the attention and of the MLP, too. Defaults to False.
        layer_scale (bool): Whether these layers have a trained scale.
            Defaults to False.
    """

    # What it is made of; the lean twin has lean parts.
    Attention, Linear, Projection = Attention, nn.Linear, Projection

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        mlp_ratio: float = 4.0,
        act: str = 'quick_gelu',
        eps: float = 1e-5,
        drop_path: float = 0.0,
        key_bias: bool = True,
        sub_norm: bool = False,
        layer_scale: bool = False,
    ) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(embed_dims, eps=eps)
        self.attn = self.Attention(
            embed_dims,
            num_heads,
            key_bias,
            eps=eps if sub_norm else None,
            scale=layer_scale,
        )
        self.ln_2 = nn.LayerNorm(embed_dims, eps=eps)
        hidden = round(embed_dims * mlp_ratio)
        last = partial(self.Projection, scale=True)
        self.mlp = make_mlp(
            embed_dims,
            hidden,
            act,
            nn.LayerNorm(hidden, eps=eps) if sub_norm else None,
            self.Linear,
            last if layer_scale else self.Linear,
        )
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of all frames, x: (B*T, P+N, C)."""
        x = x + self.drop_path(self.attn(self.ln_1(x)))  # (B*T, P+N, C)
        return x + self.drop_path(self.mlp(self.ln_2(x)))  # (B*T, P+N, C)


def make_mlp(
    embed_dims: int,
    hidden: int,
    act: str,
    norm: Optional[nn.Module] = None,
    first: Optional[Callable[[int, int], nn.Module]] = None,
    last: Optional[Callable[[int, int], nn.Module]] = None,
) -> nn.Sequential:
    """Build an MLP of two layers, in CLIP's names.

    Args:
        embed_dims (int): Number of channels C of input and output.
        hidden (int): Channels between.
        act (str): Name in ``ACTIVATIONS``.
        norm (nn.Module, optional): Norm of what is activated, for
            ``'swiglu'`` alone. Defaults to None.
        first (Callable, optional): Builds the first layer.
            Defaults to None: ``nn.Linear``.
        last (Callable, optional): Builds the last one.
            Defaults to None: ``nn.Linear``.

    Returns:
        nn.Sequential: ``c_fc``, ``act``, ``c_proj``.

    Raises:
        ValueError: On an unknown activation, or one that takes no norm.
    """
    check_choices('act', [act], tuple(ACTIVATIONS))
    gated = act == GATED
    if norm is not None and not gated:
        raise ValueError(
            f"sub_norm=True: act={act!r} takes none, 'swiglu' does."
        )
    return nn.Sequential(
        OrderedDict(
            c_fc=(first or nn.Linear)(embed_dims, hidden * (1 + gated)),
            act=ACTIVATIONS[act](norm) if gated else ACTIVATIONS[act](),
            c_proj=(last or nn.Linear)(hidden, embed_dims),
        )
    )
