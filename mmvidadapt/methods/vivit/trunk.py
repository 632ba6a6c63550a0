"""The base of ViViT's four models: tubelets, sizes, first weights."""

from functools import partial
from typing import Any, Callable, List, Optional, Sequence, Tuple, Union

import torch
from einops import rearrange
from torch import Tensor, nn

from mmvidadapt.trunks.dialects import DIALECTS, read_dialect
from mmvidadapt.trunks.parts.patch_embed import check_clip, embed_patches
from mmvidadapt.trunks.vit import ViTTrunk
from mmvidadapt.utils.check_choices import check_choices

from .flax_init import draw_
from .image_weights import fit_
from .lean import LeanEncoderBlock

# The JAX project's ViTs, images and videos, approximate GELU by tanh.
DIALECT = dict(DIALECTS['imagenet'], act='gelu_tanh')
OUT_TYPES = ('cls_token', 'avg_featmap')


class ViViTTrunk(ViTTrunk):
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
            Defaults to :class:`LeanEncoderBlock`.
        **backbone: ``trunk, pretrained, trainable, full_finetune, with_cp,
            lean, init_cfg``, passed on to :class:`AdaptedBackbone`; for
            ``trunk`` see :class:`ViTTrunk`.

    Raises:
        ValueError: On unknown values and sizes that do not divide, and in
            ``forward`` on clips of another size.
    """

    own_head = 'ViViTHead'
    default_dialect = DIALECT
    trainable = ('.*',)
    new = ('class_embedding',)
    # Whether the tokens of all time steps are one sequence.
    joint = True
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
        block: Callable[..., nn.Module] = LeanEncoderBlock,
        **backbone: Any,
    ) -> None:
        if img_size is None and backbone.get('trunk') is None:
            img_size = 224
        check_choices('out_type', [out_type], OUT_TYPES)
        check_choices(
            'drop_path_mode', [drop_path_mode], ('sample', 'official')
        )
        sampled = _sampled(num_frames, tubelet_size, sampled_frames)
        steps = len(sampled) // tubelet_size
        super().__init__(
            arch,
            dialect,
            img_size,
            drop_path_rate,
            partial(block, rescale=drop_path_mode == 'sample'),
            out_type=out_type,
            cls_token=out_type == 'cls_token',
            tubelet_size=tubelet_size,
            time_steps=steps if self.joint else 1,
            **backbone,
        )
        self._check_positions()
        self.num_frames, self.sampled, self.steps = num_frames, sampled, steps
        self.rescale = drop_path_mode == 'sample'
        self.inflation = self._rules(inflation or {})
        self.register_load_state_dict_pre_hook(_add_time)

    def _check_positions(self) -> None:
        """Refuse a trunk whose positions are those of patches of a frame."""
        traits = read_dialect(self.built_as['dialect'] or self.default_dialect)
        if traits.get('rotary') or not traits.get('positions', True):
            raise ValueError(
                f'{type(self).__name__} has a table of positions for all '
                'time steps, and the trunk has rotary ones for patches of a '
                f'frame: dialect={traits}. Choose a trunk with a table, or '
                'AIM, which attends over time without positions.'
            )

    def draw_embeddings(self) -> None:
        """Leave the drawing to :meth:`finish`."""

    def finish(self) -> None:
        """Draw fresh weights; subclasses end their constructor with this."""
        self.apply(draw_)
        self.freeze()

    def tokens(self, video: Tensor) -> Tensor:
        """Cut a clip (B, 3, T', H, W) into tokens (B, T, N, C)."""
        check_clip(self, video)
        if len(self.sampled) < self.num_frames:
            video = video[:, :, self.sampled]
        return embed_patches(video, self.conv1)  # (B, T, N, C)

    def forward(self, video: Tensor) -> Tensor:
        """Encode a clip.

        Args:
            video (Tensor): Normalised frames ``(B, 3, T, H, W)``.

        Returns:
            Tensor: The vector of the clip, ``(B, C, 1, 1, 1)``.
        """
        x = self.encode(self.tokens(video))  # (B, 1, C)
        return rearrange(x, 'b 1 c -> b c 1 1 1')  # (B, C, 1, 1, 1)

    def fit_weights(self, weights: dict) -> str:
        """Fit weights of an image or a video model; say what was done."""
        return fit_(
            weights,
            self.state_dict(),
            self.patch_grid,
            len(self.positional_embedding) - self.num_prefix_tokens,
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
    """Add the axis of time to the kernel of uniform frame sampling."""
    kernel = state_dict.get(f'{prefix}conv1.weight')
    depth = trunk.conv1.weight.shape[2]
    if torch.is_tensor(kernel) and kernel.ndim == 4 and depth == 1:
        state_dict[f'{prefix}conv1.weight'] = kernel.unsqueeze(2)
