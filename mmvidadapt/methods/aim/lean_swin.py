"""AIM's block on Swin in less memory and time: nothing moves twice."""

from einops import rearrange
from torch import Tensor

from mmvidadapt.trunks.parts.lean_adapter import LeanAdapter
from mmvidadapt.trunks.parts.lean_swin_block import LeanSwinBlock

from .swin_block import AIMSwinBlock


class LeanAIMSwinBlock(LeanSwinBlock, AIMSwinBlock):
    """Lean twin of :class:`AIMSwinBlock`.

    Adapters behind the output projection are folded into it; tokens attend
    over time where they lie, and are adapted in space within their windows.
    """

    Adapter = LeanAdapter

    def forward(self, x: Tensor) -> Tensor:
        """Adapt the tokens of all frames, x: (B*T', N, C)."""
        if self.t_adapter is not None:
            x = x + self.t_drop(self.attend_in_time(x))

        h = self.attend_aside(self.norm1(x))  # (B*T', P*P, G, C)
        y = self.attn.proj(h)
        if self.s_adapter is not None:
            y = y + self.s_adapter.after(self.attn.proj, h)
        x = x + self.join(y)  # (B*T', N, C)

        y = self.norm2(x)
        out = x + self.run_mlp(x, y)
        if self.mlp_adapter is not None:
            adapted = self.mlp_drop(self.mlp_adapter(y, x, self.norm2))
            out = out.add_(adapted, alpha=self.scale)
        return out

    def attend_in_time(self, x: Tensor) -> Tensor:
        """Reuse the frozen attention over time: position n of all frames."""
        clips = rearrange(
            self.norm1(x), '(b t) n c -> b t n c', t=self.num_frames
        )
        h = self.attn.attend(clips, self.time_bias())  # (B, T', N, C)
        return self.t_adapter.after(self.attn.proj, h.flatten(0, 1))
