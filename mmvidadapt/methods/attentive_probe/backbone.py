"""AttentiveProbe: learned attention over the tokens of all frames."""

from typing import Any, Optional, Sequence

import torch
from einops import rearrange
from mmaction.registry import MODELS
from torch import Tensor

from mmvidadapt.trunks.parts.attentive_pooler import AttentivePooler
from mmvidadapt.trunks.vit import ViTTrunk
from mmvidadapt.utils.check_choices import check_choices

from .block import time_code

TIMES = ('sincos', None)


@MODELS.register_module()
class AttentiveProbe(ViTTrunk):
    """A frozen image ViT, and a probe that attends to the tokens of a clip.

    From `V-JEPA 2 <https://arxiv.org/abs/2506.09985>`_, section 5, and
    `DINOv3 <https://arxiv.org/abs/2508.10104>`_, section 6: patches of all
    frames are one sequence, which a few blocks transform and a learned query
    reads. Without positions in time nothing tells the order of frames; the
    authors of V-JEPA 2 lose 17 points on Something-Something for that. The
    probe of a video trunk is :class:`VJEPA2` with ``out_type='attn_pool'``.
    Input ``(B, 3, T, H, W)``, output
    ``(B, C, Q, 1, 1)``.

    Args:
        num_frames (int): Number of frames T. Defaults to 8.
        pooler (dict, optional): Arguments of :class:`AttentivePooler`:
            ``num_layers`` (self-attention blocks), ``num_queries`` (Q, one
            for each task), ``num_heads`` and so on. Defaults to None: 3
            blocks, one query, the trunk's heads.
        out_indices (Sequence[int], optional): Blocks of the trunk that are
            read, one behind the other as more tokens. Defaults to None: the
            last.
        time_positions (str, optional): What is added to the tokens of a
            frame: ``'sincos'``, sines and cosines of its number, or None.
            Defaults to ``'sincos'``.
        **trunk: Passed on to :class:`ViTTrunk`.

    Raises:
        ValueError: On unknown values, and in ``forward`` when the clip does
            not have ``num_frames`` frames of ``img_size``.
    """

    trainable = (r'probe\..*',)
    new = trainable
    out_type = 'raw'  # the probe reads all tokens

    def __init__(
        self,
        num_frames: int = 8,
        pooler: Optional[dict] = None,
        out_indices: Optional[Sequence[int]] = None,
        time_positions: Optional[str] = 'sincos',
        **trunk: Any,
    ) -> None:
        check_choices('time_positions', [time_positions], TIMES)
        if num_frames < 1:
            raise ValueError(f'num_frames={num_frames}: give at least 1.')
        super().__init__(**trunk)
        self.num_frames = num_frames
        depth = len(self.transformer.resblocks)
        chosen = (depth - 1,) if out_indices is None else tuple(out_indices)
        check_choices('out_indices', chosen, tuple(range(depth)))
        self.out_indices = chosen
        code = torch.zeros(num_frames, self.embed_dims)  # (T, C)
        if time_positions == 'sincos':
            code = time_code(num_frames, self.embed_dims)  # (T, C)
        self.register_buffer('time_code', code, persistent=False)
        given = dict(num_heads=self.block_sizes['num_heads'])
        given['with_cp'] = self.with_cp is True
        given.update(pooler or {})
        self.probe = AttentivePooler(self.embed_dims, **given)
        self.freeze()

    def tokens(self, video: Tensor) -> Tensor:
        """Encode a clip (B, 3, T, H, W); return tokens (B, taps*T*N, C)."""
        if video.ndim != 5 or video.shape[2] != self.num_frames:
            raise ValueError(
                f'AttentiveProbe with num_frames={self.num_frames} got clips '
                f'of {tuple(video.shape)}; set num_frames or clip_len.'
            )
        x, found = self.ln_pre(self.embed(video)), []  # (B*T, P+N, C)
        for i, block in enumerate(self.transformer.resblocks):
            x = self.run_block(block, x)  # (B*T, P+N, C)
            if i in self.out_indices:
                found.append(self._in_time(self.ln_post(x)))
            if i == max(self.out_indices):
                break
        return torch.cat(found, dim=1)  # (B, taps*T*N, C)

    def _in_time(self, x: Tensor) -> Tensor:
        """Add when it is to the patches of every frame, (B, T*N, C)."""
        patches = x[:, self.num_prefix_tokens :]  # (B*T, N, C)
        clips = rearrange(patches, '(b t) n c -> b t n c', t=self.num_frames)
        return (clips + self.time_code[:, None]).flatten(1, 2)  # (B, T*N, C)

    def forward(self, video: Tensor) -> Tensor:
        """Encode a clip.

        Args:
            video (Tensor): Normalised frames ``(B, 3, T, H, W)``.

        Returns:
            Tensor: What each query reads, ``(B, C, Q, 1, 1)``.
        """
        read = self.probe(self.tokens(video))  # (B, Q, C)
        return rearrange(read, 'b q c -> b c q 1 1')  # (B, C, Q, 1, 1)
