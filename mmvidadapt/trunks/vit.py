"""The image ViT under every method, and the frame-wise baseline."""

import math
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

import torch
from einops import rearrange
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmvidadapt.utils.check_choices import check_choices
from mmvidadapt.weights.fold import (
    check_layer_scale,
    complete_folded_,
    fold_layer_scale_,
)
from mmvidadapt.weights.resize import RULES, resize_positions_
from mmvidadapt.weights.trunk_kind import (
    MARK,
    ROTARY,
    kind_of_traits,
)

from .base import AdaptedBackbone
from .checkpoints import meet_checkpoint
from .dialects import ARCHS, DIALECTS, POOLS, TRAITS, read_dialect, resolve
from .parts.attention_pool import AttentionPool
from .parts.drop_path import linear_rates
from .parts.encoder import Encoder
from .parts.lean_block import LeanViTBlock
from .parts.patch_embed import count_patches, embed_patches, patch_conv
from .parts.rotary import LeanRotary
from .use_trunk import use_trunk


class ViTTrunk(AdaptedBackbone, Encoder):
    """ViT that looks at the frames of a clip one by one, or at tubelets.

    Base class of the methods: they pass their own ``block``, add their own
    parameters, and end their constructor with :meth:`freeze`. Parameters
    carry the names of OpenAI's CLIP in both dialects.

    Args:
        arch (str | dict): Name in ``ARCHS`` or a dict with ``embed_dims``,
            ``num_layers``, ``num_heads``, ``patch_size`` and, optionally,
            ``mlp_ratio`` and ``img_size``. Defaults to None: the trunk's,
            else ``'base-p16'``.
        dialect (str | dict): ``'clip'`` (norm before the blocks, QuickGELU,
            epsilon 1e-5, no patch bias), ``'imagenet'`` (none, GELU, 1e-6,
            patch bias) or a dict with ``pre_norm, act, eps, patch_bias``
            and any of ``TRAITS``: registers, rotary positions, the readout
            and so on. Defaults to None: the trunk's, else ``'clip'``.
        img_size (int | Tuple[int, int], optional): Height and width of a
            frame in pixels. Defaults to None: the trunk's or arch's own,
            else 224.
        drop_path_rate (float): Drop-path rate of the last block; it rises
            linearly from 0. A plain block drops frames, a method's own what
            the method says. Defaults to 0.0.
        block (Callable): Builds a block from its sizes. For subclasses, as
            the next four. Defaults to :class:`LeanViTBlock`.
        cls_token (bool, optional): Whether there is a class token.
            Defaults to None: what the dialect says, else True.
        tubelet_size (int, optional): Frames of a tubelet.
            Defaults to None: patches of single frames.
        time_steps (int): Time steps whose patches are one sequence.
            Defaults to 1.
        out_type (str, optional): What is read of a frame:
            ``'cls_token'``, ``'avg_featmap'`` (the mean of the patches) or
            ``'attn_pool'``. Defaults to None: what the class says, else what
            the trunk is made for, its dialect's ``pool``.
        **backbone: ``trunk, pretrained, trainable, full_finetune, with_cp,
            lean, init_cfg``, passed on to :class:`AdaptedBackbone`. ``trunk``
            is a word that brings arch, dialect, image size and weights,
            ``'openai/ViT-B-16'``, see :mod:`~mmvidadapt.trunks.table`;
            ``pretrained`` beside it takes the place of its weights, None
            that of any.
    """

    default_dialect: Union[str, dict] = 'clip'

    def __init__(
        self,
        arch: Union[str, dict, None] = None,
        dialect: Union[str, dict, None] = None,
        img_size: Union[int, Tuple[int, int], None] = None,
        drop_path_rate: float = 0.0,
        block: Callable[..., nn.Module] = LeanViTBlock,
        cls_token: Optional[bool] = None,
        tubelet_size: Optional[int] = None,
        time_steps: int = 1,
        out_type: Optional[str] = None,
        **backbone: Any,
    ) -> None:
        given = dict(backbone, arch=arch, dialect=dialect, img_size=img_size)
        given = use_trunk(self, dict(arch=ARCHS, dialect=DIALECTS), given)
        names = ('arch', 'dialect', 'img_size')
        self.built_as = {name: given.pop(name) for name in names}
        super().__init__(**given)
        depth, traits = self._read_sizes(**self.built_as)
        if cls_token is None:
            cls_token = traits['cls_token']
        self._choose_out_type(out_type, traits['pool'])
        self._embed_and_norm(traits, tubelet_size)
        self.make_encoder(
            self.embed_dims,
            time_steps * math.prod(self.patch_grid),
            self.make_blocks(block, depth, drop_path_rate),
            self.block_sizes['eps'],
            cls_token,
            traits['registers'],
            traits['positions'],
            traits['final_norm'],
            self._make_pool(traits),
        )
        if traits['rotary'] is not None:
            self._add_rotary(
                traits['rotary'], cls_token, traits['rotary_grid']
            )
        self.draw_embeddings()
        self.register_load_state_dict_pre_hook(meet_checkpoint)

    def _embed_and_norm(
        self, traits: Dict[str, Any], tubelet_size: Optional[int]
    ) -> None:
        """Build the embedding of patches and the norm behind it."""
        dims, eps = self.embed_dims, self.block_sizes['eps']
        self.conv1 = patch_conv(
            dims, self.patch_size, tubelet_size, traits['patch_bias']
        )
        self.ln_pre = (
            nn.LayerNorm(dims, eps=eps)
            if traits['pre_norm']
            else nn.Identity()
        )

    def _read_sizes(
        self, arch: Any, dialect: Any, img_size: Any
    ) -> Tuple[int, Dict[str, Any]]:
        """Look arch and dialect up; return the depth and the traits."""
        sizes = resolve(
            'arch', ARCHS, arch or 'base-p16', ('mlp_ratio', 'img_size')
        )
        traits = {**TRAITS, **read_dialect(dialect or self.default_dialect)}
        own_size = sizes.pop('img_size', 224)
        self.embed_dims = sizes['embed_dims']
        self.patch_size = sizes.pop('patch_size')
        self.patch_grid = count_patches(
            own_size if img_size is None else img_size, self.patch_size
        )
        check_choices('resize', [traits['resize']], tuple(RULES))
        self.resize, self.trunk_kind = traits['resize'], kind_of_traits(traits)
        # A frozen scale is folded into the layers before it.
        self.has_scale = traits['layer_scale']
        self.keeps_scale = self.has_scale and self.trains_all
        of_blocks = ('act', 'eps', 'key_bias', 'sub_norm')
        depth = sizes.pop('num_layers')
        self.block_sizes = {**sizes, **{k: traits[k] for k in of_blocks}}
        if self.keeps_scale:
            self.block_sizes['layer_scale'] = True
        return depth, traits

    def _choose_out_type(self, out_type: Optional[str], pool: str) -> None:
        """Decide what is read of a frame."""
        check_choices('pool', [pool], tuple(POOLS))
        if out_type is None and type(self).out_type == Encoder.out_type:
            out_type = POOLS[pool]
        self.out_type = out_type or self.out_type
        if self.out_type != 'attn_pool':
            self.unused = (*self.unused, r'attn_pool\..*')

    def _make_pool(self, traits: Dict[str, Any]) -> Optional[nn.Module]:
        """Build the attention pool, where there is one and it is read."""
        if (self.out_type, traits['pool']) != ('attn_pool', 'map'):
            return None
        sizes = self.block_sizes
        return AttentionPool(
            self.embed_dims,
            traits['pool_heads'] or sizes['num_heads'],
            traits['pool_mlp_ratio'] or sizes.get('mlp_ratio', 4.0),
            sizes['act'],
            sizes['eps'],
        )

    def _add_rotary(
        self, kind: str, cls_token: bool, grid: Optional[int]
    ) -> None:
        """Share one rotary module among all blocks."""
        rotary = LeanRotary(
            kind,
            self.patch_grid,
            self.embed_dims // self.block_sizes['num_heads'],
            self.num_prefix_tokens,
            cls_token,
            grid,
        )
        for block in self.transformer.resblocks:
            block.attn.rotary = rotary
        mark = torch.tensor(ROTARY.index(kind), dtype=torch.uint8)
        self.register_buffer(MARK, mark)

    def make_blocks(
        self,
        block: Callable[..., nn.Module],
        depth: int,
        drop_path_rate: float,
        **sizes: Any,
    ) -> List[nn.Module]:
        """Build blocks of the trunk's sizes; drop-path rates rise from 0."""
        sizes = {**self.block_sizes, **sizes}
        rates = linear_rates(drop_path_rate, depth)
        return [block(drop_path=rate, **sizes) for rate in rates]

    def draw_embeddings(self) -> None:
        """Draw class token, positions and registers."""
        drawn = self.class_embedding, self.positional_embedding
        for embedding in (*drawn, self.registers):
            if embedding is not None:
                nn.init.trunc_normal_(embedding, std=0.02)

    def fit_weights(self, weights: Dict[str, Tensor]) -> str:
        """Fold LayerScale, resize positions; say so in the log."""
        own = self.state_dict()
        if MARK in own:
            weights.setdefault(MARK, own[MARK])
        if self.has_scale:
            check_layer_scale(weights)
            complete_folded_(weights, own)
        if not self.keeps_scale:
            fold_layer_scale_(weights)
        return resize_positions_(weights, self.patch_grid, self.resize)

    def patchify(self, video: Tensor) -> Tensor:
        """Turn a clip (B, 3, T, H, W) into patches (B*T, N, C)."""
        (h, w), p = self.patch_grid, self.patch_size
        if video.ndim != 5 or video.shape[-2:] != (h * p, w * p):
            raise ValueError(
                f'{type(self).__name__} with img_size={(h * p, w * p)} '
                f'expects (B, 3, T, {h * p}, {w * p}), not '
                f'{tuple(video.shape)}; set img_size or the crop.'
            )
        return embed_patches(video, self.conv1).flatten(0, 1)  # (B*T, N, C)

    def embed(self, video: Tensor) -> Tensor:
        """Turn a clip (B, 3, T, H, W) into tokens (B*T, P+N, C)."""
        x = self.patchify(video)  # (B*T, N, C)
        if self.positional_embedding is None:  # which autocast leaves alone
            x = x.to(self.conv1.weight.dtype)  # (B*T, N, C)
        return self.add_positions(x)  # (B*T, P+N, C)

    def encode(self, x: Tensor) -> Tensor:
        """Encode tokens (B*T, P+N, C); return what is read, (B*T, 1, C)."""
        return self.read_out(self.run_blocks(self.ln_pre(x)))  # (B*T, 1, C)

    def forward(self, video: Tensor) -> Tensor:
        """Encode a clip.

        Args:
            video (Tensor): Normalised frames ``(B, 3, T, H, W)``.

        Returns:
            Tensor: What is read of every frame, its class token,
            ``(B, C, T, 1, 1)``.
        """
        x = self.encode(self.embed(video))  # (B*T, 1, C)
        return rearrange(x, '(b t) 1 c -> b c t 1 1', t=video.shape[2])


@MODELS.register_module()
class ImageViT(ViTTrunk):
    """Frame-wise baseline: an image ViT, averaged over frames by the head.

    Frozen it is a linear probe, with ``full_finetune=True`` the usual
    fine-tuning of image weights. For the arguments see :class:`ViTTrunk`.

    Args:
        **trunk: Passed on to :class:`ViTTrunk`.
    """

    def __init__(self, **trunk: Any) -> None:
        super().__init__(**trunk)
        self.freeze()
