"""AIM: adapting image models for efficient video action recognition."""

from functools import partial
from typing import Any, Sequence

import torch
from einops import rearrange
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmvidadapt.trunks.parts.adapter import Adapter
from mmvidadapt.trunks.parts.block import ViTBlock
from mmvidadapt.trunks.parts.drop_path import DropPath
from mmvidadapt.trunks.vit import DIALECTS, ViTTrunk, resolve
from mmvidadapt.utils.check_choices import check_choices

ADAPTATIONS = ('spatial', 'temporal', 'joint')


class AIMBlock(ViTBlock):
    """ViT block adapted in time, in space and in both.

    One frozen attention and one frozen ``ln_1`` serve both directions.

    Args:
        num_frames (int): Number of frames T.
        adapt (Sequence[str]): Which adaptations are on.
        num_t_adapters (int): 1: after the temporal attention; 2: one more
            before it.
        adapter_ratio (float): Width of the bottlenecks relative to C.
        adapter_scale (float): Factor of the joint adapter.
        drop_path_per (str): What drop path drops as a whole.
        **block: Passed on to :class:`ViTBlock`.
    """

    def __init__(
        self,
        num_frames: int,
        adapt: Sequence[str],
        num_t_adapters: int,
        adapter_ratio: float,
        adapter_scale: float,
        drop_path_per: str,
        **block: Any,
    ) -> None:
        super().__init__(**block)
        self.num_frames, self.scale = num_frames, adapter_scale

        def adapter(wanted: bool) -> nn.Module:
            return (
                Adapter(block['embed_dims'], adapter_ratio) if wanted else None
            )

        self.s_adapter = adapter('spatial' in adapt)
        self.t_adapter = adapter('temporal' in adapt)
        self.t_adapter_in = adapter(
            'temporal' in adapt and num_t_adapters == 2
        )
        self.mlp_adapter = adapter('joint' in adapt)
        self.drop_path = DropPath(
            block['drop_path'], num_frames, drop_path_per
        )

    def forward(self, x: Tensor, cls_only: bool = False) -> Tensor:
        """Adapt the tokens of all frames, see :class:`ViTBlock`."""
        if self.t_adapter is not None:
            x = x + self.drop_path(self.temporal(x))

        h = self.ln_1(x)
        if cls_only:
            x, h = x[:, :1], self.attn.attend(h, h[:, :1])  # (B*T, 1, C)
        else:
            h = self.attn.attend(h)  # (B*T, 1+N, C)
        x = x + self.attn.out_proj(h)
        if self.s_adapter is not None:
            x = x.add_(self.s_adapter.after(self.attn.out_proj, h))

        y = self.ln_2(x)
        out = x + self.run_mlp(x, y)
        if self.mlp_adapter is not None:
            adapted = self.drop_path(self.mlp_adapter(y, x, self.ln_2))
            out = out.add_(adapted, alpha=self.scale)
        return out

    def temporal(self, x: Tensor) -> Tensor:
        """Reuse the frozen attention over time: patch n of all frames."""
        h = self.ln_1(x)  # (B*T, 1+N, C)
        if self.t_adapter_in is not None:
            h = h + self.t_adapter_in(h, x, self.ln_1)
        clips = rearrange(h, '(b t) n c -> b t n c', t=self.num_frames)
        h = self.attn.attend(clips).flatten(0, 1)  # (B*T, 1+N, C)
        return self.t_adapter.after(self.attn.out_proj, h)


@MODELS.register_module()
class AIM(ViTTrunk):
    """A frozen image ViT with spatial, temporal and joint adapters.

    From `AIM: Adapting Image Models for Efficient Video Action Recognition
    <https://arxiv.org/abs/2302.03024>`_ (ICLR 2023), section 3. With
    ``dialect='clip'`` it equals the official ``ViT_CLIP``, with
    ``'imagenet'`` the official ``ViT_ImageNet``, element by element; their
    checkpoints load as they are. Input ``(B, 3, T, H, W)``, output
    ``(B, C, T, 1, 1)``.

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

    trainable = ('temporal_embedding', r'ln_post\..*', r'.*_adapter(_in)?\..*')
    new = ('temporal_embedding', r'.*_adapter(_in)?\..*')

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
            dialect = resolve(
                'dialect', DIALECTS, trunk.get('dialect', 'clip')
            )
            per = 'token' if dialect['pre_norm'] else 'frame'
        super().__init__(
            block=partial(
                AIMBlock,
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
        if not adapt:
            self.trainable = self.trainable[:2]
        self.freeze()

    def embed(self, video: Tensor) -> Tensor:
        """Add what frame it is to every token, (B*T, 1+N, C)."""
        if video.shape[2] != self.num_frames:
            raise ValueError(
                f'AIM with num_frames={self.num_frames} got a clip of '
                f'{video.shape[2]} frames; set num_frames or clip_len.'
            )
        x = super().embed(video)  # (B*T, 1+N, C)
        x = rearrange(x, '(b t) n c -> b t n c', t=self.num_frames)
        return (x + self.temporal_embedding[:, :, None]).flatten(0, 1)
