"""What the four models of ViViT share: tubelets, sizes, initialisation."""

from typing import Any, Callable, List, Optional, Sequence, Tuple, Union

import torch
from einops import rearrange
from torch import Tensor, nn

from mmvidadapt.trunks.base import AdaptedBackbone
from mmvidadapt.trunks.parts.drop_path import linear_rates
from mmvidadapt.trunks.parts.encoder import EncoderBlock, EncoderParts
from mmvidadapt.trunks.parts.linear import linear
from mmvidadapt.trunks.table import use_trunk
from mmvidadapt.trunks.vit import ARCHS, DIALECTS, patch_grid, resolve
from mmvidadapt.utils.check_choices import check_choices

from .flax_init import draw_
from .image_weights import fit_

# The JAX project's ViTs, images and videos, approximate GELU by tanh.
DIALECT = dict(DIALECTS['imagenet'], act='gelu_tanh')
OUT_TYPES = ('cls_token', 'avg_featmap')


class ViViTTrunk(AdaptedBackbone, EncoderParts):
    """Tubelets of a clip, and an encoder that a subclass arranges.

    Everything is trained. Parameters carry the names of
    :class:`ViTTrunk`; ``conv1.weight`` has one more axis, time.

    Args:
        arch (str | dict): Name in ``ARCHS`` or a dict, see
            :class:`ViTTrunk`. Defaults to None: the trunk's, else
            ``'base-p16'``.
        dialect (str | dict): See :class:`ViTTrunk`. Defaults to None: the
            trunk's, else ``'imagenet'`` with the GELU approximated by tanh.
        img_size (int | Tuple[int, int]): Height and width of a frame in
            pixels. Defaults to None: the trunk's, else 224.
        num_frames (int): Frames of a clip. Defaults to 32.
        tubelet_size (int): Frames of a tubelet, whose height and width are
            the arch's ``patch_size``. Defaults to 2.
        sampled_frames (int, optional): Uniform frame sampling: this many
            frames of the clip become image patches, ``tubelet_size=1``.
            Defaults to None: tubelets.
        out_type (str): ``'cls_token'`` or ``'avg_featmap'``, the mean of all
            tokens. Defaults to ``'cls_token'``.
        drop_path_rate (float): Drop-path rate of the last block; it rises
            linearly from 0. Defaults to 0.0.
        drop_path_mode (str): ``'sample'`` drops both branches of a block
            clip by clip and rescales what is kept; ``'official'`` does not
            rescale. Defaults to ``'sample'``.
        inflation (dict, optional): How image weights become video weights,
            see ``inflation_rules``. Defaults to None: the first of each.
        block (Callable): Builds a block from its sizes. For subclasses.
            Defaults to :class:`EncoderBlock`.
        **backbone: ``trunk, pretrained, trainable, full_finetune, with_cp,
            lean, init_cfg``, passed on to :class:`AdaptedBackbone`; for
            ``trunk`` see :class:`ViTTrunk`.

    Raises:
        ValueError: On unknown values and sizes that do not divide, and in
            ``forward`` on clips of another size.
    """

    trainable = ('.*',)
    new = ('class_embedding',)
    inflation_rules = dict(
        # Of a tubelet: its central frame; all its frames, evenly (averaged
        # and repeated); or all, weighed by approximate rank pooling.
        kernel=('central', 'average', 'average_arp'),
        # Of a token: those of its patch, whose grid must be the same, or is
        # resized bilinearly.
        positions=('tile', 'resize'),
    )

    def __init__(
        self,
        arch: Union[str, dict, None] = None,
        dialect: Union[str, dict, None] = None,
        img_size: Union[int, Tuple[int, int], None] = None,
        num_frames: int = 32,
        tubelet_size: int = 2,
        sampled_frames: Optional[int] = None,
        out_type: str = 'cls_token',
        drop_path_rate: float = 0.0,
        drop_path_mode: str = 'sample',
        inflation: Optional[dict] = None,
        block: Callable[..., nn.Module] = EncoderBlock,
        **backbone: Any,
    ) -> None:
        given = dict(backbone, arch=arch, dialect=dialect, img_size=img_size)
        given = use_trunk(self, dict(arch=ARCHS, dialect=DIALECTS), given)
        arch, dialect = given.pop('arch'), given.pop('dialect')
        img_size = given.pop('img_size') or 224
        super().__init__(**given)
        check_choices('out_type', [out_type], OUT_TYPES)
        check_choices(
            'drop_path_mode', [drop_path_mode], ('sample', 'official')
        )
        self.rescale = drop_path_mode == 'sample'
        self.inflation = self._rules(inflation or {})
        sizes = resolve(
            'arch', ARCHS, arch or 'base-p16', ('mlp_ratio', 'img_size')
        )
        sizes.pop('img_size', None)
        self.traits = resolve('dialect', DIALECTS, dialect or DIALECT)
        pre_norm, bias = (
            self.traits.pop(key) for key in ('pre_norm', 'patch_bias')
        )
        self.embed_dims, p = sizes.pop('embed_dims'), sizes.pop('patch_size')
        self.num_frames, self.patch_size = num_frames, p
        self.patch_grid = patch_grid(img_size, p)
        self.sampled = _sampled(num_frames, tubelet_size, sampled_frames)
        self.steps = len(self.sampled) // tubelet_size

        self.conv1 = nn.Conv3d(
            3, self.embed_dims, (tubelet_size, p, p), bias=bias
        )
        depth = sizes.pop('num_layers')
        self.block_sizes = dict(
            embed_dims=self.embed_dims, rescale=self.rescale, **self.traits
        )
        self.make_parts(
            self.embed_dims,
            self.num_positions,
            self.make_blocks(block, depth, drop_path_rate, **sizes),
            out_type == 'cls_token',
            self.traits['eps'],
        )
        self.ln_pre = (
            nn.LayerNorm(self.embed_dims, eps=self.traits['eps'])
            if pre_norm
            else nn.Identity()
        )
        self.register_load_state_dict_pre_hook(_add_time)

    @property
    def num_positions(self) -> int:
        """Tokens of the clip."""
        height, width = self.patch_grid
        return self.steps * height * width

    def make_blocks(
        self,
        block: Callable[..., nn.Module],
        depth: int,
        drop_path_rate: float,
        **sizes: Any,
    ) -> List[nn.Module]:
        """Build blocks whose drop-path rates rise from zero."""
        return [
            block(
                **{**self.block_sizes, **sizes},
                drop_path=rate,
            )
            for rate in linear_rates(drop_path_rate, depth)
        ]

    def finish(self) -> None:
        """Draw fresh weights; subclasses end their constructor with this."""
        self.apply(draw_)
        self.freeze()

    def tokens(self, video: Tensor) -> Tensor:
        """Cut a clip (B, 3, T', H, W) into tokens (B, T, N, C)."""
        (h, w), p = self.patch_grid, self.patch_size
        wanted = (3, self.num_frames, h * p, w * p)
        if video.ndim != 5 or video.shape[1:] != wanted:
            raise ValueError(
                f'{type(self).__name__} with num_frames={self.num_frames} '
                f'and img_size={wanted[2:]} expects (B, 3, T, H, W) = '
                f'(B, {str(wanted)[1:]}, not {tuple(video.shape)}; set '
                'num_frames and img_size, or clip_len and the crop.'
            )
        if len(self.sampled) < self.num_frames:
            video = video[:, :, self.sampled]
        # A convolution whose stride is its size is a product of tubelets.
        tubelets = rearrange(
            video,
            'b c (t f) (h p) (w q) -> b t (h w) (c f p q)',
            t=self.steps,
            p=p,
            q=p,
        )
        return linear(tubelets, self.conv1.weight.flatten(1), self.conv1.bias)

    def forward(self, video: Tensor) -> Tensor:
        """Encode a clip.

        Args:
            video (Tensor): Normalised frames ``(B, 3, T, H, W)``.

        Returns:
            Tensor: The vector of the clip, ``(B, C, 1, 1, 1)``.
        """
        x = self.encode(self.tokens(video))
        return rearrange(x, 'b c -> b c 1 1 1')

    def fit_weights(self, weights: dict) -> str:
        """Fit weights of an image or a video model; say what was done."""
        return fit_(
            weights,
            self.state_dict(),
            self.patch_grid,
            self.num_positions,
            self.inflation,
        )

    def _rules(self, inflation: dict) -> dict:
        """Complete the rules of inflation."""
        rules = self.inflation_rules
        check_choices('inflation', list(inflation), tuple(rules))
        for key, value in inflation.items():
            check_choices(f'inflation[{key!r}]', [value], rules[key])
        return {k: inflation.get(k, rules[k][0]) for k in rules}


def _sampled(frames: int, tubelet: int, wanted: Optional[int]) -> List[int]:
    """List the frames that are read; k T / (n + 1) for uniform sampling."""
    if tubelet < 1 or frames < tubelet or frames % tubelet:
        raise ValueError(
            f'num_frames={frames} is not a multiple of '
            f'tubelet_size={tubelet}; change one of them.'
        )
    if wanted is not None and (wanted < 1 or tubelet != 1):
        raise ValueError(
            f'sampled_frames={wanted} with tubelet_size={tubelet}: sample at '
            'least one frame, with tubelet_size=1.'
        )
    if wanted is None or wanted >= frames:
        return list(range(frames))
    return [round(k * frames / (wanted + 1)) for k in range(1, wanted + 1)]


def _add_time(
    trunk: ViViTTrunk, state_dict: dict, prefix: str, *args: Sequence
) -> None:
    """Give the kernel of uniform frame sampling its axis of time."""
    kernel = state_dict.get(f'{prefix}conv1.weight')
    depth = trunk.conv1.weight.shape[2]
    if torch.is_tensor(kernel) and kernel.ndim == 4 and depth == 1:
        state_dict[f'{prefix}conv1.weight'] = kernel.unsqueeze(2)
