"""The image ViT under every method, and the frame-wise baseline."""

from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

from einops import rearrange
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmvidadapt.weights.resize import resize_positions_

from .base import AdaptedBackbone
from .parts.drop_path import linear_rates
from .parts.encoder import Encoder
from .parts.lean_block import LeanViTBlock
from .parts.patch_embed import count_patches, embed_patches, patch_conv
from .use_trunk import use_trunk

_ARCH_KEYS = ('embed_dims', 'num_layers', 'num_heads', 'patch_size')
ARCHS = {
    name: dict(zip(_ARCH_KEYS, sizes))
    for name, sizes in {
        'tiny': (32, 2, 2, 8),
        'small-p16': (384, 12, 6, 16),
        'small-p14': (384, 12, 6, 14),
        'base-p32': (768, 12, 12, 32),
        'base-p16': (768, 12, 12, 16),
        'large-p16': (1024, 24, 16, 16),
        'large-p14': (1024, 24, 16, 14),
        'huge-p16': (1280, 32, 16, 16),
        'huge-p14': (1280, 32, 16, 14),
    }.items()
}
ARCHS['large-p14-336'] = dict(ARCHS['large-p14'], img_size=336)
DIALECTS = {
    'clip': dict(pre_norm=True, act='quick_gelu', eps=1e-5, patch_bias=False),
    'imagenet': dict(pre_norm=False, act='gelu', eps=1e-6, patch_bias=True),
}


def resolve(
    kind: str,
    table: Dict[str, dict],
    value: Union[str, dict],
    optional: Sequence[str] = (),
) -> Dict[str, Any]:
    """Look a name up in a table, or check a dict against its entries."""
    if isinstance(value, str):
        if value not in table:
            raise ValueError(
                f"Unknown {kind} '{value}'; choose from "
                f'{sorted(table)} or give a dict.'
            )
        return dict(table[value])
    needed = set(next(iter(table.values())))
    missing = needed - set(value)
    unknown = set(value) - needed - set(optional)
    if missing or unknown:
        raise ValueError(
            f'{kind}={dict(value)}: missing {sorted(missing)}, '
            f'unknown {sorted(unknown)}.'
        )
    return dict(value)


def read_dialect(dialect: Union[str, dict]) -> Dict[str, Any]:
    """Look a dialect up in :data:`DIALECTS`, or check one that is given."""
    return resolve('dialect', DIALECTS, dialect, ('registers', 'positions'))


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
            and, optionally, ``registers`` (how many tokens stand behind the
            class token) and ``positions`` (False: none are learned).
            Defaults to None: the trunk's, else ``'clip'``.
        img_size (int | Tuple[int, int], optional): Height and width of a
            frame in pixels. Defaults to None: the trunk's or arch's own,
            else 224.
        drop_path_rate (float): Drop-path rate of the last block; it rises
            linearly from 0. A plain block drops frames, a method's own what
            the method says. Defaults to 0.0.
        block (Callable): Builds a block from its sizes. For subclasses, as
            the next four. Defaults to :class:`LeanViTBlock`.
        cls_token (bool): Whether there is a class token. Defaults to True.
        tubelet_size (int, optional): Frames of a tubelet.
            Defaults to None: patches of single frames.
        time_steps (int): Time steps whose patches are one sequence.
            Defaults to 1.
        out_type (str, optional): What is read, see :class:`Encoder`.
            Defaults to None: what the class says.
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
        cls_token: bool = True,
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
        self.out_type = out_type or self.out_type
        depth, pre_norm, patch_bias = self._read_sizes(**self.built_as)
        dims, eps = self.embed_dims, self.block_sizes['eps']
        self.conv1 = patch_conv(
            dims, self.patch_size, tubelet_size, patch_bias
        )
        self.ln_pre = (
            nn.LayerNorm(dims, eps=eps) if pre_norm else nn.Identity()
        )
        rows, columns = self.patch_grid
        blocks = self.make_blocks(block, depth, drop_path_rate)
        positions = time_steps * rows * columns
        self.make_encoder(
            dims, positions, blocks, eps, cls_token, **self._tokens
        )
        self.draw_embeddings()

    def _read_sizes(
        self, arch: Any, dialect: Any, img_size: Any
    ) -> Tuple[int, bool, bool]:
        """Look arch and dialect up; return depth, pre-norm and patch bias."""
        sizes = resolve(
            'arch', ARCHS, arch or 'base-p16', ('mlp_ratio', 'img_size')
        )
        traits = read_dialect(dialect or self.default_dialect)
        own_size = sizes.pop('img_size', 224)
        self.embed_dims = sizes['embed_dims']
        self.patch_size = sizes.pop('patch_size')
        self.patch_grid = count_patches(
            own_size if img_size is None else img_size, self.patch_size
        )
        depth = sizes.pop('num_layers')
        pre_norm, patch_bias = traits.pop('pre_norm'), traits.pop('patch_bias')
        names = {'registers', 'positions'} & set(traits)
        self._tokens = {name: traits.pop(name) for name in names}
        self.block_sizes = {**sizes, **traits}
        return depth, pre_norm, patch_bias

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
        """Resize the positions of image weights; say so in the log."""
        return resize_positions_(weights, self.patch_grid)

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
        return self.add_positions(self.patchify(video))  # (B*T, P+N, C)

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
