"""ZeroI2V's block: heads that look at other frames, and linear adapters.

Letters: B clips, T frames, P tokens before the N patches of a frame (the class
token of a CLIP ViT), C channels in heads of d.
"""

from typing import Any, Optional, Sequence

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from mmvidadapt.trunks.parts.adapter import Adapter
from mmvidadapt.trunks.parts.block import ViTBlock


def shift_heads(
    x: Tensor, num_frames: int, shifts: Sequence[int], heads: int
) -> Tensor:
    """Take keys or values of some heads from other frames.

    Args:
        x (Tensor): Keys or values, ``(B*T, all heads, L, d)``.
        num_frames (int): Number of frames T.
        shifts (Sequence[int]): How many frames later that frame is, for the
            first group of heads, the second and so on; the rest stays.
        heads (int): Number of heads of a group.

    Returns:
        Tensor: Of the same shape. Where there is no such frame, a frame
        keeps its own.
    """
    clips = rearrange(x, '(b t) m l d -> b t m l d', t=num_frames)
    *groups, rest = clips.split(
        [heads] * len(shifts) + [x.shape[1] - heads * len(shifts)], dim=2
    )  # (B, T, heads of a group, L, d) each
    moved = []
    for group, shift in zip(groups, shifts):
        n = min(abs(shift), num_frames)
        if shift < 0:
            parts = group[:, :n], group[:, : num_frames - n]
        else:
            parts = group[:, n:], group[:, num_frames - n :]
        moved.append(torch.cat(parts, dim=1))  # (B, T, heads, L, d)
    return torch.cat([*moved, rest], dim=2).flatten(0, 1)


class ShiftedBlock(ViTBlock):
    """ViT block some of whose heads read keys and values of other frames.

    Queries stay. Positions in space are those of the token that is read.

    Args:
        num_frames (int): Number of frames T.
        shifts (Sequence[int]): See :func:`shift_heads`.
        shift_div (int, optional): The heads are so many groups, one for every
            shift, the rest stays. Defaults to None: as many as heads.
        **block: Passed on to :class:`ViTBlock`.

    Raises:
        ValueError: If there are no heads for all shifts.
    """

    def __init__(
        self,
        num_frames: int,
        shifts: Sequence[int],
        shift_div: Optional[int] = None,
        **block: Any,
    ) -> None:
        super().__init__(**block)
        heads, self.shifts = block['num_heads'], tuple(shifts)
        groups = heads if shift_div is None else shift_div
        if groups < 1 or heads % groups or len(self.shifts) > groups:
            raise ValueError(
                f'shifts={self.shifts} take {len(self.shifts)} of '
                f'shift_div={groups} equal groups of num_heads={heads} heads: '
                'choose a shift_div that divides the heads, and not more '
                'shifts.'
            )
        self.num_frames, self.shift_heads = num_frames, heads // groups

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of all frames, x: (B*T, P+N, C)."""
        x = x + self.drop_path(self.attend(self.ln_1(x)))  # (B*T, P+N, C)
        return x + self.drop_path(self.mlp(self.ln_2(x)))  # (B*T, P+N, C)

    def attend(self, h: Tensor) -> Tensor:
        """Attend in space, some heads to other frames, (B*T, P+N, C)."""
        q, k, v = self.attn.qkv(h)  # (B*T, heads, P+N, d) each
        h = F.scaled_dot_product_attention(q, self.shift(k), self.shift(v))
        return self.attn.out_proj(rearrange(h, 'f m n d -> f n (m d)'))

    def shift(self, x: Tensor) -> Tensor:
        """Shift the heads of keys or values, (B*T, heads, P+N, d)."""
        return shift_heads(x, self.num_frames, self.shifts, self.shift_heads)


class ZeroI2VBlock(ShiftedBlock):
    """Shifted block with a linear adapter before and after every part.

    ``x + A_o(attention(A_i(LN(x))))``, then ``x + A_2(MLP(A_1(LN(x))))``,
    where ``A(u) = u + s (W_up (W_down u + b_down) + b_up)``.

    Args:
        adapter_ratio (float): Width of the bottlenecks relative to C.
        adapter_scale (float): Factor s of all of them.
        adapter_dropout (float): Dropout rate between their two layers.
        **block: Passed on to :class:`ShiftedBlock`.
    """

    Adapter = Adapter

    def __init__(
        self,
        adapter_ratio: float,
        adapter_scale: float,
        adapter_dropout: float,
        **block: Any,
    ) -> None:
        super().__init__(**block)
        self.scale = adapter_scale

        def adapter() -> Adapter:
            return self.Adapter(
                block['embed_dims'],
                adapter_ratio,
                act='none',
                dropout=adapter_dropout,
            )

        self.attn_adapter_in, self.attn_adapter_out = adapter(), adapter()
        self.mlp_adapter_in, self.mlp_adapter_out = adapter(), adapter()

    def forward(self, x: Tensor) -> Tensor:
        """Adapt the tokens of all frames, x: (B*T, P+N, C)."""
        h = self.adapt(self.attn_adapter_in, self.ln_1(x))  # (B*T, P+N, C)
        h = self.adapt(self.attn_adapter_out, self.attend(h))
        x = x + self.drop_path(h)  # (B*T, P+N, C)
        h = self.adapt(self.mlp_adapter_in, self.ln_2(x))  # (B*T, P+N, C)
        h = self.adapt(self.mlp_adapter_out, self.mlp(h))
        return x + self.drop_path(h)  # (B*T, P+N, C)

    def adapt(self, adapter: Adapter, u: Tensor) -> Tensor:
        """Compute ``A(u)``, (B*T, P+N, C)."""
        return u + self.scale * adapter(u)  # (B*T, P+N, C)
