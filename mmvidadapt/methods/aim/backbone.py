"""AIM: adapting image models for efficient video action recognition."""

from functools import partial
from typing import Any, Sequence

import torch
from einops import rearrange
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmvidadapt.trunks.dialects import read_dialect
from mmvidadapt.trunks.use_trunk import dialect_of
from mmvidadapt.trunks.vit import ViTTrunk
from mmvidadapt.utils.check_choices import check_choices

from .lean import LeanAIMBlock

ADAPTATIONS = ('spatial', 'temporal', 'joint')
ADAPTERS, NORM = r'.*_adapter(_in)?\..*', r'ln_post\..*'


@MODELS.register_module()
class AIM(ViTTrunk):
    """A frozen image ViT with spatial, temporal and joint adapters.

    From `AIM: Adapting Image Models for Efficient Video Action Recognition
    <https://arxiv.org/abs/2302.03024>`_ (ICLR 2023), section 3. With
    ``dialect='clip'`` it equals the official ``ViT_CLIP``, with
    ``'imagenet'`` the official ``ViT_ImageNet``, element by element; their
    checkpoints load as they are. Trained are the adapters, the temporal
    embedding and the norm after the blocks, where the trunk has one. The
    frozen attention has no positions over time, no rotary ones either. Input
    ``(B, 3, T, H, W)``, output ``(B, C, T, 1, 1)``: of every frame what the
    trunk is read by, a CLIP ViT's class token.

    Args:
        num_frames (int): Number of frames T. Defaults to 8.
        adapt (Sequence[str]): Which adaptations are on, the ablation of the
            paper's table 1. Defaults to ('spatial', 'temporal', 'joint').
        num_t_adapters (int): Temporal adapters per block: 1 after the
            attention, 2 one more before it (Something-Something).
            Defaults to 1.
        adapter_ratio (float): Width of the bottlenecks relative to C.
            Defaults to 0.25.
        adapter_scale (float): Factor of the joint adapter; the paper has 0.5
            on Kinetics and 1 on Something-Something. Defaults to 0.5.
        drop_path_mode (str): ``'sample'`` drops the adapters of whole clips;
            ``'official'`` does as the official code does (token positions
            with ``dialect='clip'``, else frames). Defaults to ``'sample'``.
        **trunk: Passed on to :class:`ViTTrunk`.

    Raises:
        ValueError: On unknown values, and in ``forward`` when the clip does
            not have ``num_frames`` frames of ``img_size``.
    """

    trainable = ('temporal_embedding', NORM, ADAPTERS)
    new = ('temporal_embedding', ADAPTERS)

    def __init__(
        self,
        num_frames: int = 8,
        adapt: Sequence[str] = ADAPTATIONS,
        num_t_adapters: int = 1,
        adapter_ratio: float = 0.25,
        adapter_scale: float = 0.5,
        drop_path_mode: str = 'sample',
        **trunk: Any,
    ) -> None:
        check_choices('adapt', adapt, ADAPTATIONS)
        check_choices('num_t_adapters', [num_t_adapters], (1, 2))
        check_choices(
            'drop_path_mode', [drop_path_mode], ('sample', 'official')
        )
        if num_frames < 1:
            raise ValueError(f'num_frames={num_frames}: give at least 1.')
        per = drop_path_mode
        if per == 'official':
            dialect = read_dialect(dialect_of(trunk))
            per = 'token' if dialect['pre_norm'] else 'frame'
        super().__init__(
            block=partial(
                LeanAIMBlock,
                num_frames=num_frames,
                adapt=adapt,
                num_t_adapters=num_t_adapters,
                adapter_ratio=adapter_ratio,
                adapter_scale=adapter_scale,
                drop_path_per=per,
            ),
            **trunk,
        )
        self.num_frames = num_frames
        self.temporal_embedding = nn.Parameter(
            torch.zeros(1, num_frames, self.embed_dims)
        )
        self._leave_out(adapt)
        self.freeze()

    def _leave_out(self, adapt: Sequence[str]) -> None:
        """Leave out of what is trained what there is not."""
        there = {NORM: isinstance(self.ln_post, nn.LayerNorm)}
        there[ADAPTERS] = bool(adapt)
        self.trainable = tuple(
            name for name in self.trainable if there.get(name, True)
        )

    def embed(self, video: Tensor) -> Tensor:
        """Add what frame it is to every token, (B*T, P+N, C)."""
        if video.shape[2] != self.num_frames:
            raise ValueError(
                f'AIM with num_frames={self.num_frames} got a clip of '
                f'{video.shape[2]} frames; set num_frames or clip_len.'
            )
        x = super().embed(video)  # (B*T, P+N, C)
        x = rearrange(x, '(b t) n c -> b t n c', t=self.num_frames)
        return (x + self.temporal_embedding[:, :, None]).flatten(0, 1)
