"""AIM on Swin: an image Swin with temporal, spatial and joint adapters."""

from functools import partial
from typing import Any, Sequence

import torch
from einops import rearrange
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmvidadapt.trunks.swin import SwinTrunk
from mmvidadapt.utils.check_choices import check_choices

from .backbone import ADAPTATIONS
from .lean_swin import LeanAIMSwinBlock


@MODELS.register_module()
class AIMSwin(SwinTrunk):
    """A frozen image Swin with spatial, temporal and joint adapters.

    From `AIM: Adapting Image Models for Efficient Video Action Recognition
    <https://arxiv.org/abs/2302.03024>`_ (ICLR 2023). It equals the official
    ``SwinTransformer2D_Adapter`` element by element. A patch spans two
    frames, T' = T / 2; input ``(B, 3, T, H, W)``, output
    ``(B, 8C, T', H / 32, W / 32)``. The tables of temporal position bias are
    new and yet frozen, as in the official code: keep them with the adapters.

    Args:
        num_frames (int): Number of frames T, even. Defaults to 32.
        adapt (Sequence[str]): Which adaptations are on.
            Defaults to ('spatial', 'temporal', 'joint').
        adapter_ratio (float): Width of the bottlenecks relative to C.
            Defaults to 0.25.
        adapter_scale (float): Factor of the joint adapter. Defaults to 0.5.
        drop_path_mode (str): ``'sample'`` drops the adapters of whole clips;
            ``'official'`` those of positions (temporal) and frames (joint).
            Defaults to ``'sample'``.
        t_relative (bool): Whether frames are told apart by the temporal bias
            alone; else a ``temporal_embedding`` is learned as well.
            Defaults to True.
        **trunk: ``arch, img_size, drop_path_rate`` and more, passed on to
            :class:`SwinTrunk`.

    Raises:
        ValueError: On unknown values, and in ``forward`` when the clip does
            not have ``num_frames`` frames of ``img_size``.
    """

    trainable = (r'.*_adapter\..*',)
    new = (
        r'.*_adapter\..*',
        'temporal_embedding',
        r'.*\.temporal_position_bias_table',
    )

    def __init__(
        self,
        num_frames: int = 32,
        adapt: Sequence[str] = ADAPTATIONS,
        adapter_ratio: float = 0.25,
        adapter_scale: float = 0.5,
        drop_path_mode: str = 'sample',
        t_relative: bool = True,
        **trunk: Any,
    ) -> None:
        check_choices('adapt', adapt, ADAPTATIONS)
        check_choices(
            'drop_path_mode', [drop_path_mode], ('sample', 'official')
        )
        times = num_frames // self.patch_size[0]
        super().__init__(
            num_frames=num_frames,
            block=partial(
                LeanAIMSwinBlock,
                num_frames=times,
                adapt=adapt,
                adapter_ratio=adapter_ratio,
                adapter_scale=adapter_scale,
                official_drop=drop_path_mode == 'official',
            ),
            **trunk,
        )
        if not adapt:
            self.trainable = ()
        if not t_relative:
            self.temporal_embedding = nn.Parameter(
                torch.empty(1, times, self.embed_dims)
            )
            nn.init.trunc_normal_(self.temporal_embedding, std=0.02)
            self.trainable += ('temporal_embedding',)
        self.freeze()

    def embed(self, video: Tensor) -> Tensor:
        """Add, where it is learned, what frame it is, (B*T', N, C)."""
        x = super().embed(video)  # (B*T', N, C)
        if not hasattr(self, 'temporal_embedding'):
            return x
        times = self.temporal_embedding  # (1, T', C)
        x = rearrange(x, '(b t) n c -> b t n c', t=times.shape[1])
        return (x + times[:, :, None]).flatten(0, 1)  # (B*T', N, C)
