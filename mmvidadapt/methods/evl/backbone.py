"""EVL: frozen image features and a light video decoder."""

from contextlib import contextmanager, nullcontext
from typing import Any, Iterable, Iterator, Optional, Sequence, Union

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
from mmvidadapt.trunks.dialects import DIALECTS
from mmvidadapt.trunks.parts.precision import full_precision
from mmvidadapt.trunks.use_trunk import dialect_of
from mmvidadapt.trunks.vit import ViTTrunk
from mmvidadapt.utils.check_choices import check_choices

from .block import OwnPrecisionNorm
from .lean import LeanTappedBlock, LeanVideoDecoder

TEMPORAL = ('conv', 'position', 'motion')
CLIPS = '(b t) n c -> b t n c'
DTYPES = {None: None, 'bf16': torch.bfloat16, 'fp16': torch.float16}
# CLIP's patches have no bias. The official code gives them one, zero at
# first, which full fine-tuning trains.
DIALECT = dict(DIALECTS['clip'], patch_bias=True)


@MODELS.register_module()
class EVL(CachedTrunk, ViTTrunk):
    """A frozen image ViT and a decoder of its last blocks.

    From `Frozen CLIP Models are Efficient Video Learners
    <https://arxiv.org/abs/2208.03550>`_ (ECCV 2022). Equal to the official
    ``EVLTransformer`` up to the classifier, element by element. Input
    ``(B, 3, T, H, W)``, output the video token, ``(B, C, 1, 1, 1)``.

    The last blocks are tapped: layer i of the decoder reads all tokens of all
    frames as block ``depth - decoder_num_layers + i`` leaves them: the class
    token and the registers, where the trunk has them, and the patches. What
    comes after the blocks, norm and attention pool, is not used. Motion is
    read off the block's own queries and keys, rotary positions included. A
    frozen trunk runs without gradients.

    Args:
        num_frames (int): Number of frames T. Defaults to 8.
        temporal (Sequence[str]): Temporal modules of every decoder layer:
            depthwise convolution over time, a learned position in time, and
            motion read off the attention between neighbouring frames.
            Defaults to ('conv', 'position', 'motion').
        decoder_num_layers (int): Number of decoder layers and tapped blocks,
            at most the depth of the trunk. Defaults to 4.
        decoder_qkv_dims (int, optional): Channels of the decoder's queries,
            keys and values. Defaults to None: C.
        decoder_num_heads (int, optional): Heads of the decoder.
            Defaults to None: those of the trunk.
        decoder_mlp_ratio (float): Width of the decoder's MLPs relative to C.
            Defaults to 4.0.
        decoder_dropout (float): Dropout inside these MLPs. Defaults to 0.5.
        center (bool): Whether the mean over all frames is taken off every
            token before the decoder reads it, so that only what changes is
            read: with few clips, rooms and people are learned by heart
            otherwise. Ours, not of the paper. Defaults to False.
        trunk_dtype (str, optional): ``'bf16'`` or ``'fp16'`` holds and runs
            the frozen trunk in half precision, its norms excepted; the
            decoder stays in float32. Defaults to None.
        dialect (str | dict): See :class:`ViTTrunk`. Defaults to None: the
            trunk's, else ``'clip'``; this with a bias of the patches, zero at
            first.
        **trunk: Passed on to :class:`ViTTrunk`.

    Raises:
        ValueError: On unknown values, and in ``forward`` when the clip does
            not have ``num_frames`` frames of ``img_size``.
    """

    own_head = 'EVLHead'
    trainable = (r'decoder\..*',)
    new = (r'decoder\..*', r'conv1\.bias')
    unused = (r'ln_post\..*',)
    out_type = 'raw'  # the decoder reads all tokens
    reader = 'decoder'

    def __init__(
        self,
        num_frames: int = 8,
        temporal: Sequence[str] = TEMPORAL,
        decoder_num_layers: int = 4,
        decoder_qkv_dims: Optional[int] = None,
        decoder_num_heads: Optional[int] = None,
        decoder_mlp_ratio: float = 4.0,
        decoder_dropout: float = 0.5,
        center: bool = False,
        trunk_dtype: Optional[str] = None,
        dialect: Union[str, dict, None] = None,
        **trunk: Any,
    ) -> None:
        check_choices('temporal', temporal, TEMPORAL)
        check_choices('trunk_dtype', [trunk_dtype], tuple(DTYPES))
        if not isinstance(num_frames, int) or num_frames < 1:
            raise ValueError(f'num_frames={num_frames!r}: give 1, 2 ...')
        if dialect is None and dialect_of(trunk) == 'clip':
            dialect = DIALECT
        super().__init__(dialect=dialect, block=LeanTappedBlock, **trunk)
        self._prepare_trunk(decoder_num_layers)
        self.num_frames, self.motion = num_frames, 'motion' in temporal
        self.center = center
        attn = self.transformer.resblocks[0].attn
        self.decoder = LeanVideoDecoder(
            decoder_num_layers,
            self.embed_dims,
            num_frames=num_frames,
            grid=self.patch_grid,
            num_prefix_tokens=self.num_prefix_tokens,
            temporal=temporal,
            qkv_dims=decoder_qkv_dims or self.embed_dims,
            num_heads=decoder_num_heads or attn.num_heads,
            mlp_ratio=decoder_mlp_ratio,
            dropout=decoder_dropout,
        )
        self.freeze()
        self._hold_trunk_in(trunk_dtype)
        self.register_load_state_dict_pre_hook(complete_trunk)

    def _prepare_trunk(self, layers: int) -> None:
        """Keep of the trunk what is read, with norms in their precision."""
        depth = len(self.transformer.resblocks)
        if not isinstance(layers, int) or not 0 < layers <= depth:
            raise ValueError(
                f'decoder_num_layers={layers!r} blocks are tapped, but the '
                f'trunk has {depth}; choose a whole number, 1 to {depth}.'
            )
        del self.ln_post  # what is read is the output of the blocks
        for module in self.modules():
            if type(module) is nn.LayerNorm:
                module.__class__ = OwnPrecisionNorm
        if self.conv1.bias is not None:
            nn.init.zeros_(self.conv1.bias)

    def _hold_trunk_in(self, trunk_dtype: Optional[str]) -> None:
        """Cast the frozen trunk, all but its norms."""
        self.trunk_dtype = DTYPES[trunk_dtype]
        if self.trunk_dtype is None:
            return
        if self.trunk_learns:
            raise ValueError(
                f"trunk_dtype='{trunk_dtype}' is for a frozen trunk, but "
                'some of it is trained; leave one of the two out.'
            )
        kept = {
            id(param)
            for module in self.modules()
            if isinstance(module, OwnPrecisionNorm)
            for param in module.parameters()
        }
        for param in self.trunk().values():
            if id(param) not in kept:
                param.data = param.data.to(self.trunk_dtype)

    @contextmanager
    def _trunk_mode(self, x: Tensor) -> Iterator[None]:
        """Keep nothing of a frozen trunk; run half precision as it is held."""
        learns = torch.is_grad_enabled() and self.trunk_learns
        held = nullcontext() if self.trunk_dtype is None else full_precision(x)
        with torch.set_grad_enabled(learns), held:
            yield

    def embed(self, video: Tensor) -> Tensor:
        """Turn a clip (B, 3, T, H, W) into tokens (B*T, P+N, C)."""
        if video.ndim == 5 and video.shape[2] != self.num_frames:
            raise ValueError(
                f'EVL with num_frames={self.num_frames} got a clip of '
                f'{video.shape[2]} frames; set num_frames or clip_len.'
            )
        if not video.is_floating_point():
            raise ValueError(
                f'EVL got pixels of type {video.dtype}; let the data '
                'preprocessor normalise them, or set its to_float32=True.'
            )
        return super().embed(video.to(self.conv1.weight.dtype))

    def taps(self, video: Tensor) -> Iterator[Tap]:
        """Yield tokens (B, T, P+N, C) and attention of the tapped blocks.

        A block's successor runs when it is asked for, so that no more than
        one map needs to be held.
        """
        blocks = self.transformer.resblocks
        first = len(blocks) - len(self.decoder.layers)
        with self._trunk_mode(video):
            x = self.ln_pre(self.embed(video))  # (B*T, P+N, C)
        for i, block in enumerate(blocks):
            tapped = i >= first
            with self._trunk_mode(video):
                x, attention = self.run_block(
                    block,
                    x,
                    self.num_frames if tapped and self.motion else 0,
                    self.num_prefix_tokens,
                )
            if tapped:
                yield rearrange(x, CLIPS, t=self.num_frames), attention

    def forward(self, video: Tensor) -> Tensor:
        """Encode a clip.

        Args:
            video (Tensor): Normalised frames ``(B, 3, T, H, W)``, or rows of
                cached features ``(B, numbers)``.

        Returns:
            Tensor: The video token, ``(B, C, 1, 1, 1)``.
        """
        return self.read(self.see(video))  # (B, C, 1, 1, 1)

    def read(
        self, taps: Iterable[Tap], reader: Optional[nn.Module] = None
    ) -> Tensor:
        """Decode what the trunk yields, (B, C, 1, 1, 1)."""
        if self.center:
            taps = (((x - mean_frame(x)).to(x.dtype), a) for x, a in taps)
        query = (reader or self.decoder)(taps)  # (B, 1, C)
        return rearrange(query, 'b 1 c -> b c 1 1 1')  # (B, C, 1, 1, 1)

    def pack_sizes(self) -> PackSizes:
        """Measure the cached features of a clip."""
        (h, w), layers = self.patch_grid, len(self.decoder.layers)
        return PackSizes(
            layers,
            self.num_frames,
            h * w,
            self.embed_dims,
            self.motion,
            self.num_prefix_tokens,
        )

    def traits(self) -> str:
        """Write down what changes the features and is no parameter."""
        return self.block_traits()
