"""AttentiveProbe: learned attention over the tokens of all frames."""

from typing import Any, Dict, Iterable, Iterator, Optional, Sequence

import torch
from einops import rearrange
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmvidadapt.trunks.cached.backbone import (
    CachedTrunk,
    complete_trunk,
    mean_frame,
)
from mmvidadapt.trunks.cached.rows import PackSizes, Tap
from mmvidadapt.trunks.parts.attentive_pooler import make_pooler
from mmvidadapt.trunks.parts.segments import join_segments, read_segments
from mmvidadapt.trunks.vit import ViTTrunk
from mmvidadapt.utils.check_choices import check_choices

from .block import TIMES, TimeCode, place_tokens_

CLIPS = '(b t) n c -> b t n c'


@MODELS.register_module()
class AttentiveProbe(CachedTrunk, ViTTrunk):
    """A frozen image ViT, and a probe that attends to the tokens of a clip.

    From `V-JEPA 2 <https://arxiv.org/abs/2506.09985>`_, section 5, and
    `DINOv3 <https://arxiv.org/abs/2508.10104>`_, section 6: patches of all
    frames are one sequence, which a few blocks transform and a learned query
    reads. Without positions in time nothing tells the order of frames; the
    authors of V-JEPA 2 lose 17 points on Something-Something for that. The
    probe of a video trunk is :class:`VJEPA2` with ``out_type='attn_pool'``.
    Input ``(B*S, 3, T, H, W)``, output ``(B, C, Q, 1, 1)``.

    Args:
        num_frames (int): Number of frames T of a clip. Defaults to 8.
        pooler (dict, optional): Arguments of :class:`AttentivePooler`:
            ``num_layers`` (self-attention blocks), ``num_queries`` (Q, one
            for each task), ``num_heads`` and so on; with ``embed_dims``, C
            is that, after a projection. Defaults to None: 3 blocks, one
            query, the trunk's heads and channels.
        out_indices (Sequence[int], optional): Blocks of the trunk that are
            read, one behind the other as more tokens. Defaults to None: the
            last.
        time_positions (str, optional): How the probe knows the place of a
            token: ``'sincos'``, sines and cosines of the frame's number are
            added to all of its tokens; ``'rotary'``, queries and keys of the
            self-attention blocks are turned by frame, row and column;
            ``'dinov3'``, that, and sines and cosines of the three are added,
            after any projection; or None. Frames are numbered through all
            segments, whatever lies between them in the video. How DINOv3
            splits channels is not published: thirds here.
            Defaults to ``'sincos'``.
        num_segments (int): Clips S of a video whose tokens are read as one
            sequence: the sampler's ``num_clips``. Crops stay views of their
            own. Defaults to 1.
        center (bool): Whether the mean over all frames is taken off the
            normed tokens of every patch, so that only what changes is read:
            with few clips, rooms and people are learned by heart otherwise.
            Ours, not of the papers. Defaults to False.
        **trunk: Passed on to :class:`ViTTrunk`.

    Raises:
        ValueError: On unknown values, and in ``forward`` when a clip does
            not have ``num_frames`` frames of ``img_size``, or a video not
            ``num_segments`` clips.
    """

    trainable = (r'probe\..*',)
    new = trainable
    out_type = 'raw'  # the probe reads all tokens
    reader = 'probe'

    def __init__(
        self,
        num_frames: int = 8,
        pooler: Optional[dict] = None,
        out_indices: Optional[Sequence[int]] = None,
        time_positions: Optional[str] = 'sincos',
        num_segments: int = 1,
        center: bool = False,
        **trunk: Any,
    ) -> None:
        check_choices('time_positions', [time_positions], TIMES)
        if num_frames < 1:
            raise ValueError(f'num_frames={num_frames}: give at least 1.')
        super().__init__(**trunk)
        self.num_frames, self.center = num_frames, center
        self.num_segments = read_segments(num_segments)
        depth = len(self.transformer.resblocks)
        chosen = (-1,) if out_indices is None else tuple(out_indices)
        chosen = tuple(i + depth if i < 0 else i for i in chosen)
        check_choices('out_indices', chosen, tuple(range(depth)))
        if not chosen or list(chosen) != sorted(set(chosen)):
            raise ValueError(
                f'out_indices={out_indices}: give blocks of 0 to '
                f'{depth - 1} in their order, each once.'
            )
        self.out_indices = chosen
        steps = num_frames * num_segments
        self.time_code = nn.Identity()
        if time_positions == 'sincos':
            self.time_code = TimeCode(steps, self.embed_dims)
        heads = self.block_sizes['num_heads']
        sizes = self.embed_dims, heads, self.with_cp is True
        self.probe = make_pooler(*sizes, pooler)
        if time_positions in ('rotary', 'dinov3'):
            size = steps, *self.patch_grid
            place_tokens_(self.probe, time_positions, size, len(chosen))
        self.freeze()
        self.register_load_state_dict_pre_hook(complete_trunk)

    def taps(self, video: Tensor) -> Iterator[Tap]:
        """Yield the tokens (B, T, P+N, C) of the chosen blocks."""
        if video.ndim != 5 or video.shape[2] != self.num_frames:
            raise ValueError(
                f'AttentiveProbe with num_frames={self.num_frames} got clips '
                f'of {tuple(video.shape)}; set num_frames or clip_len.'
            )
        x = self.ln_pre(self.embed(video))  # (B*T, P+N, C)
        blocks = self.transformer.resblocks[: max(self.out_indices) + 1]
        for i, block in enumerate(blocks):
            x = self.run_block(block, x)  # (B*T, P+N, C)
            if i in self.out_indices:
                yield rearrange(x, CLIPS, t=self.num_frames), None

    def tokens(self, taps: Iterable[Tap]) -> Tensor:
        """Lay normed patches side by side, timed, (B, taps*S*T*N, C)."""
        first, dtype = self.num_prefix_tokens, self.conv1.weight.dtype
        patches = (self.ln_post(x[:, :, first:].to(dtype)) for x, _ in taps)
        clips = [join_segments(x, self.num_segments) for x in patches]
        if self.center:
            clips = [(x - mean_frame(x)).to(x.dtype) for x in clips]
        timed = [self.time_code(x) for x in clips]  # (B, S*T, N, C)
        return torch.cat([x.flatten(1, 2) for x in timed], dim=1)

    def read(
        self, taps: Iterable[Tap], reader: Optional[nn.Module] = None
    ) -> Tensor:
        """Probe the tokens of clips, (B, C, Q, 1, 1)."""
        read = (reader or self.probe)(self.tokens(taps))  # (B, Q, C)
        return rearrange(read, 'b q c -> b c q 1 1')  # (B, C, Q, 1, 1)

    def forward(self, video: Tensor) -> Tensor:
        """Encode a clip.

        Args:
            video (Tensor): Normalised frames ``(B*S, 3, T, H, W)``, the S
                segments of a crop side by side, or rows of cached features
                ``(B*S, numbers)``.

        Returns:
            Tensor: What each query reads of a crop, ``(B, C, Q, 1, 1)``.
        """
        return self.read(self.see(video))  # (B, C, Q, 1, 1)

    def pack_sizes(self) -> PackSizes:
        """Measure the cached features of a clip."""
        h, w = self.patch_grid
        sizes = len(self.out_indices), self.num_frames, h * w, self.embed_dims
        return PackSizes(*sizes, False, self.num_prefix_tokens)

    def hashed(self) -> Dict[str, Tensor]:
        """Collect what changes the features: the same as in EVL."""
        trunk: Dict[str, Tensor] = dict(super().hashed())
        bias = trunk.get('conv1.bias', trunk['conv1.weight'].new_zeros(1))
        trunk['conv1.bias'] = bias.expand(self.embed_dims)
        return {k: v for k, v in trunk.items() if not k.startswith('ln_post')}

    def traits(self) -> str:
        """Write down what changes the features and is no parameter."""
        depth, taps = len(self.transformer.resblocks), len(self.out_indices)
        if self.out_indices == tuple(range(depth - taps, depth)):
            return self.block_traits()  # as EVL taps them
        return f'{self.block_traits()} {self.out_indices}'
