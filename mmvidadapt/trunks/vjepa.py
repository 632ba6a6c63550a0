"""V-JEPA 2 and 2.1: video transformers that learned to predict tokens."""

import math
from typing import (
    Any,
    Dict,
    Iterable,
    Iterator,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import torch
from einops import rearrange, repeat
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmvidadapt.utils.check_choices import check_choices

from .base import AdaptedBackbone
from .cached.backbone import CachedTrunk, complete_trunk
from .cached.rows import PackSizes, Tap
from .dialects import resolve
from .parts.attentive_pooler import AttentivePooler, make_pooler
from .parts.drop_path import linear_rates
from .parts.encoder import Encoder
from .parts.lean_block import LeanViTBlock
from .parts.patch_embed import (
    check_clip,
    count_patches,
    embed_patches,
    patch_conv,
)
from .parts.rotary3d import LeanRotary3D
from .parts.segments import join_segments, read_segments
from .row import sizes
from .use_trunk import use_trunk

ARCHS = {
    'tiny': sizes(32, 4, 2, 8, 128),
    'base-p16': sizes(768, 12, 12, 16, 3072),
    'large-p16': sizes(1024, 24, 16, 16, 4096),
    'huge-p16': sizes(1280, 32, 16, 16, 5120),
    'giant-p16': sizes(1408, 40, 22, 16, 6144),
    'gigantic-p16': sizes(1664, 48, 26, 16, 8192),
}
DIALECTS = {
    # `rotary`: whose positions; `modality`: whether clips and images have an
    # embedding each; `stages`: blocks with a norm of their own behind them,
    # evenly spread, the last among them.
    'vjepa2': dict(rotary='vjepa2', modality=False, stages=1),
    'vjepa2.1': dict(rotary='vjepa2.1', modality=True, stages=4),
}
NAMES = {True: 'V-JEPA 2.1', False: 'V-JEPA 2'}
OUT_TYPES = ('avg_featmap', 'attn_pool', 'featmap')
EPS = 1e-6


@MODELS.register_module()
class VJEPA2(CachedTrunk, AdaptedBackbone, Encoder):
    """Video ViT over tubelets with rotary positions in time and space.

    From `V-JEPA 2 <https://arxiv.org/abs/2506.09985>`_; with
    ``dialect='vjepa2.1'`` its successor. Frozen; with
    ``out_type='attn_pool'`` the attentive probe on its tokens is trained,
    with ``full_finetune=True`` everything. Positions are computed, so other
    image sizes and numbers of frames than those of the pretraining work.
    Input ``(B, 3, T, H, W)``. A clip of one frame is an image: V-JEPA 2
    repeats it for a tubelet, V-JEPA 2.1 embeds it by weights of its own.

    V-JEPA 2 equals Hugging Face's ``VJEPA2ForVideoClassification``, number by
    number. V-JEPA 2.1 was written after a description and has been compared
    with the equations alone, not with the authors' code.

    Args:
        arch (str | dict): Name in ``ARCHS`` or a dict with ``embed_dims``,
            ``num_layers``, ``num_heads``, ``patch_size`` and ``mlp_ratio``.
            Defaults to None: the trunk's, else ``'large-p16'``.
        dialect (str | dict): ``'vjepa2'``, ``'vjepa2.1'`` or a dict with the
            same keys as these have in ``DIALECTS``. Defaults to None: the
            trunk's, else ``'vjepa2'``.
        img_size (int | Tuple[int, int], optional): Height and width of a
            frame in pixels. Defaults to None: the trunk's, else 256.
        num_frames (int): Frames of a clip; 1 for images. Defaults to 16.
        tubelet_size (int): Frames of a tubelet. Defaults to 2.
        out_type (str): What is read of a clip: ``'avg_featmap'``, the mean
            of all tokens, ``'attn_pool'``, the attentive probe's vector, or
            ``'featmap'``, all tokens. Defaults to ``'avg_featmap'``.
        out_indices (Sequence[int], optional): Blocks whose tokens are read,
            each normed, side by side; the last must be among them. V-JEPA
            2.1 has norms of its own behind every quarter of its blocks, and
            no others are read. Defaults to None: the last block.
        pooler (dict, optional): Arguments of :class:`AttentivePooler` for
            ``'attn_pool'``; ``num_heads`` is 16 in the authors' probes,
            those of Hugging Face have the trunk's. Defaults to None: 3
            self-attention blocks, the trunk's heads.
        drop_path_rate (float): Drop-path rate of the last block, where it is
            trained; it rises linearly from 0. Defaults to 0.0.
        num_segments (int): Clips S of a video, each encoded alone, whose
            tokens are read as one sequence: the sampler's ``num_clips``.
            Crops stay views of their own. Defaults to 1.
        **backbone: ``trunk, pretrained, trainable, full_finetune, with_cp,
            lean, init_cfg``, passed on to :class:`AdaptedBackbone`; for
            ``trunk`` see :class:`ViTTrunk`.

    Raises:
        ValueError: On unknown values and sizes that do not divide, and in
            ``forward`` on clips of another size or number.
    """

    trunk_families = ('vjepa',)
    reader = 'attn_pool'
    # Of the released weights, one or the other is for what is read.
    new = (r'attn_pool\..*',)

    def __init__(
        self,
        arch: Union[str, dict, None] = None,
        dialect: Union[str, dict, None] = None,
        img_size: Union[int, Tuple[int, int], None] = None,
        num_frames: int = 16,
        tubelet_size: int = 2,
        out_type: str = 'avg_featmap',
        out_indices: Optional[Sequence[int]] = None,
        pooler: Optional[dict] = None,
        drop_path_rate: float = 0.0,
        num_segments: int = 1,
        **backbone: Any,
    ) -> None:
        given = dict(backbone, arch=arch, dialect=dialect, img_size=img_size)
        given = use_trunk(self, dict(arch=ARCHS, dialect=DIALECTS), given)
        names = ('arch', 'dialect', 'img_size')
        self.built_as = {name: given.pop(name) for name in names}
        super().__init__(**given)
        check_choices('out_type', [out_type], OUT_TYPES)
        self.num_segments = read_segments(num_segments)
        self.out_type = 'raw' if out_type == 'featmap' else out_type
        own, traits = self._read_sizes(num_frames, tubelet_size)
        depth = own.pop('num_layers')
        rates = linear_rates(drop_path_rate, depth)
        self.make_encoder(
            self.embed_dims,
            math.prod(self.token_grid),
            [LeanViTBlock(**own, drop_path=rate) for rate in rates],
            EPS,
            cls_token=False,
            positions=False,
            attn_pool=self._make_pooler(own, pooler or {}),
        )
        head_dims = self.embed_dims // own['num_heads']
        rotary = LeanRotary3D(traits['rotary'], self.token_grid, head_dims)
        for block in self.transformer.resblocks:
            block.attn.rotary = rotary
        self._tap(out_indices, depth, traits['stages'])
        self.register_load_state_dict_pre_hook(complete_trunk)
        self.freeze()

    def _read_sizes(
        self, num_frames: int, tubelet_size: int
    ) -> Tuple[Dict[str, Any], Dict[str, Any]]:
        """Look sizes and dialect up, and make what embeds patches.

        Returns:
            Tuple[Dict[str, Any], Dict[str, Any]]: Arguments of a block and
            the depth; the dialect.
        """
        arch, dialect, img_size = self.built_as.values()
        optional = ('mlp_ratio', 'img_size')
        own = resolve('arch', ARCHS, arch or 'large-p16', optional)
        traits = resolve('dialect', DIALECTS, dialect or 'vjepa2')
        own_size, patch = own.pop('img_size', 256), own.pop('patch_size')
        self.patch_size, self.embed_dims = patch, own['embed_dims']
        self.patch_grid = count_patches(img_size or own_size, patch)
        self.num_frames, self.modality = num_frames, traits['modality']
        if num_frames == 1 and self.modality:
            tubelet_size = 1
        self.repeats = tubelet_size if num_frames == 1 else 1
        if tubelet_size < 1 or num_frames * self.repeats % tubelet_size:
            raise ValueError(
                f'num_frames={num_frames} is not a multiple of '
                f'tubelet_size={tubelet_size}; change one of them.'
            )
        steps = num_frames * self.repeats // tubelet_size
        self.token_grid = (steps, *self.patch_grid)
        self.conv1 = patch_conv(self.embed_dims, patch, tubelet_size, True)
        self.modality_embedding = None
        if self.modality:
            embedding = nn.Parameter(torch.zeros(self.embed_dims))
            nn.init.trunc_normal_(embedding, std=0.02)
            self.modality_embedding = embedding
        return dict(own, act='gelu', eps=EPS), traits

    def _make_pooler(
        self, own: Dict[str, Any], pooler: dict
    ) -> Optional[AttentivePooler]:
        """Make the attentive probe, if it is read, which is trained then."""
        if self.out_type != 'attn_pool':
            self.unused = (r'attn_pool\..*',)
            if pooler:
                raise ValueError(
                    f'pooler={dict(pooler)!r} with '
                    f"out_type={self.out_type!r}: choose out_type='attn_pool'."
                )
            return None
        self.trainable = (r'attn_pool\..*',)
        sizes = self.embed_dims, own['num_heads'], self.with_cp is True
        return make_pooler(*sizes, pooler)

    def _tap(
        self,
        out_indices: Optional[Sequence[int]],
        depth: int,
        stages: int,
    ) -> None:
        """Decide whose tokens are read, and make the norms behind them."""
        if depth % stages:
            raise ValueError(
                f'num_layers={depth} is not a multiple of stages={stages}.'
            )
        own = [depth * (i + 1) // stages - 1 for i in range(stages)]
        wanted = [depth - 1] if out_indices is None else list(out_indices)
        wanted = [i + depth if i < 0 else i for i in wanted]
        allowed = range(depth) if stages == 1 else own
        if wanted != sorted(set(wanted) & set(allowed)) or (
            wanted[-1:] != [depth - 1]
        ):
            raise ValueError(
                f'out_indices={out_indices}: choose from {list(allowed)}, in '
                f'this order and with the last, {depth - 1}.'
            )
        self.ln_taps = nn.ModuleDict()
        for i, index in enumerate(own[:-1]):
            if index in wanted:
                self.ln_taps[str(i)] = nn.LayerNorm(self.embed_dims, eps=EPS)
            else:
                self.unused = (*self.unused, rf'ln_taps\.{i}\..*')
        stage = {index: str(i) for i, index in enumerate(own)}
        self.tapped = {index: stage.get(index, '') for index in wanted}

    def fit_weights(self, weights: Dict[str, Tensor]) -> str:
        """Choose what embeds patches, of clips or images; refuse the other."""
        found = 'modality_embedding' in weights
        if found != self.modality:
            raise ValueError(
                f'The weights are those of {NAMES[found]}, and '
                f'{type(self).__name__} is built for {NAMES[self.modality]}: '
                'give the trunk that they are from, or '
                f'dialect={"vjepa2.1" if found else "vjepa2"!r}.'
            )
        image = {k: weights.pop(k) for k in list(weights) if k[:6] == 'image.'}
        if image and self.num_frames == 1:
            weights.update({k[6:]: value for k, value in image.items()})
        return ''

    def embed(self, video: Tensor) -> Tensor:
        """Turn a clip (B, 3, T, H, W) into tokens (B, L, C)."""
        check_clip(self, video)
        if self.repeats > 1:
            video = repeat(video, 'b c 1 h w -> b c t h w', t=self.repeats)
        x = embed_patches(video, self.conv1).flatten(1, 2)  # (B, L, C)
        if self.modality_embedding is not None:
            x = x + self.modality_embedding  # (B, L, C)
        return x

    def taps(self, video: Tensor) -> Iterator[Tap]:
        """Yield the normed tokens (B, T, H*W, C) of the blocks that are read.

        T, H, W count tubelets and patches.
        """
        x = self.embed(video)  # (B, L, C)
        for i, block in enumerate(self.transformer.resblocks):
            x = self.run_block(block, x)  # (B, L, C)
            if i in self.tapped:
                own = self.tapped[i] in self.ln_taps
                norm = self.ln_taps[self.tapped[i]] if own else self.ln_post
                yield norm(x).unflatten(1, (self.token_grid[0], -1)), None

    def read(
        self, taps: Iterable[Tap], reader: Optional[nn.Module] = None
    ) -> Tensor:
        """Read the tokens of clips: see :meth:`forward`."""
        clips = (join_segments(x, self.num_segments) for x, _ in taps)
        found = [x.flatten(1, 2) for x in clips]  # (B, S*L, C) each
        x = torch.cat(found, dim=1) if len(found) > 1 else found[0]
        x = x.to(self.ln_post.weight.dtype)  # (B, K*S*L, C)
        if self.out_type == 'raw':
            h, w = self.patch_grid
            return rearrange(x, 'b (t h w) c -> b c t h w', h=h, w=w)
        if self.out_type == 'attn_pool':
            x = (reader or self.attn_pool)(x)  # (B, Q, C)
        else:
            x = x.mean(dim=1, keepdim=True)  # (B, 1, C)
        return rearrange(x, 'b q c -> b c q 1 1')

    def forward(self, video: Tensor) -> Tensor:
        """Encode a clip.

        Args:
            video (Tensor): Normalised frames ``(B*S, 3, T, H, W)``, the S
                segments of a crop side by side, or rows of cached features
                ``(B*S, numbers)``.

        Returns:
            Tensor: The vector of a crop, ``(B, C, 1, 1, 1)``, or Q of them,
            ``(B, C, Q, 1, 1)``; with ``out_type='featmap'`` all tokens,
            ``(B, C, K*S*T, H, W)``, K blocks that are read one after the
            other.
        """
        return self.read(self.see(video))

    def pack_sizes(self) -> PackSizes:
        """Measure the cached features of a clip."""
        steps, h, w = self.token_grid
        sizes = len(self.tapped), steps, h * w, self.embed_dims
        return PackSizes(*sizes, motion=False, num_prefix_tokens=0)

    def traits(self) -> str:
        """Write down what changes the features and is no parameter."""
        attn = self.transformer.resblocks[0].attn
        kind = attn.num_heads, attn.rotary.kind, self.token_grid
        return f'{kind} {self.repeats} {sorted(self.tapped)}'
