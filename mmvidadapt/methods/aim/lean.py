"""AIM's block in less memory and time: nothing moves or is kept twice."""

from einops import rearrange
from torch import Tensor

from mmvidadapt.trunks.parts.lean_adapter import LeanAdapter
from mmvidadapt.trunks.parts.lean_block import LeanViTBlock

from .block import AIMBlock


class LeanAIMBlock(LeanViTBlock, AIMBlock):
    """Lean twin of :class:`AIMBlock`.

    Adapters behind the output projection are folded into it; tokens attend
    over time where they lie.
    """

    Adapter = LeanAdapter

    def forward(self, x: Tensor) -> Tensor:
        """Adapt the tokens of all frames, x: (B*T, P+N, C)."""
        if self.t_adapter is not None:
            x = x + self.drop_path(self.attend_in_time(x))  # (B*T, P+N, C)

        h = self.ln_1(x)  # (B*T, P+N, C)
        if self.only_readout:
            x = self.keep_read(x)  # (B*T, 1, C)
            h = self.attn.attend(h, self.keep_read(h))  # (B*T, 1, C)
        else:
            h = self.attn.attend(h)  # (B*T, P+N, C)
        x = x + self.attn.out_proj(h)  # (B*T, 1 or P+N, C)
        if self.s_adapter is not None:
            x = x.add_(self.s_adapter.after(self.attn.out_proj, h))

        y = self.ln_2(x)  # (B*T, 1 or P+N, C)
        out = x + self.run_mlp(x, y)  # (B*T, 1 or P+N, C)
        if self.mlp_adapter is not None:
            adapted = self.drop_path(self.mlp_adapter(y, x, self.ln_2))
            out = out.add_(adapted, alpha=self.scale)
        return out

    def attend_in_time(self, x: Tensor) -> Tensor:
        """Reuse the frozen attention over time: patch n of all frames."""
        h = self.ln_1(x)  # (B*T, P+N, C)
        if self.t_adapter_in is not None:
            h = h + self.t_adapter_in(h, x, self.ln_1)  # (B*T, P+N, C)
        clips = rearrange(h, '(b t) n c -> b t n c', t=self.num_frames)
        h = self.attn.attend(clips, positions=False)  # (B, T, P+N, C)
        return self.t_adapter.after(self.attn.out_proj, h.flatten(0, 1))
