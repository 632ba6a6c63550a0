"""Side4Video: a side network for video, and a trunk without gradients."""

from typing import Any, Optional

import torch
from mmaction.registry import MODELS
from torch import Tensor

from mmvidadapt.trunks.vit import ViTTrunk

from .lean import LeanSideNetwork


@MODELS.register_module()
class Side4Video(ViTTrunk):
    """A frozen image ViT and a narrow network for video beside it.

    From `Side4Video: Spatial-Temporal Side Network for Memory-Efficient
    Image-to-Video Transfer Learning <https://arxiv.org/abs/2311.15769>`_.
    Every block of the trunk hands its tokens to a layer of the side network,
    which convolves over time, attends in space beside the class tokens of
    the neighbouring frames, and transforms. A frozen trunk runs without
    gradients: of it the backward pass keeps what it hands over, nothing from
    inside. Registers are not handed over; where there is no class token, the
    mean of the patches takes its place. Input ``(B, 3, T, H, W)``, of any
    number of frames, output ``(B, d, 1, 1, 1)``.

    The side network has batch norms: in training, a clip's output depends on
    the other clips of the batch. ``sync_bn`` makes it the batch of all
    processes. Without it the running statistics of processes differ, and a
    checkpoint holds those of the first.

    Args:
        side_dims (int): Channels d of the side network. Defaults to 320.
        side_num_heads (int, optional): Heads of its attention.
            Defaults to None: one for 64 channels.
        side_mlp_ratio (float): Width of its MLPs relative to d.
            Defaults to 4.0.
        temporal_ratio (float): Width of its convolutions over time relative
            to d. Defaults to 1.0.
        sync_bn (bool): Whether batch norms share their statistics among
            processes. Defaults to True.
        drop_path_rate (float): Drop-path rate of the side network's last
            layer; it rises linearly from 0. Defaults to 0.0.
        **trunk: Passed on to :class:`ViTTrunk`.

    Raises:
        ValueError: On an odd or too small ``side_dims``, and in ``forward``
            when frames do not have ``img_size``.
    """

    trainable = (r'side\..*',)
    new = trainable
    unused = (r'ln_post\..*',)
    out_type = 'raw'  # the side network reads all tokens

    def __init__(
        self,
        side_dims: int = 320,
        side_num_heads: Optional[int] = None,
        side_mlp_ratio: float = 4.0,
        temporal_ratio: float = 1.0,
        sync_bn: bool = True,
        drop_path_rate: float = 0.0,
        **trunk: Any,
    ) -> None:
        super().__init__(**trunk)
        if side_dims < 2 or side_dims % 2:
            raise ValueError(
                f'side_dims={side_dims}: give an even number, since half of '
                'the channels come from the frame before, half from the one '
                'after.'
            )
        del self.ln_post  # what is read is the output of the blocks
        self.side = LeanSideNetwork(
            len(self.transformer.resblocks),
            self.patch_grid[0] * self.patch_grid[1],
            self.patch_size,
            side_dims,
            sync_bn,
            drop_path_rate,
            trunk_dims=self.embed_dims,
            num_heads=side_num_heads or max(side_dims // 64, 1),
            mlp_ratio=side_mlp_ratio,
            temporal_ratio=temporal_ratio,
        )
        self.freeze()

    @property
    def trunk_learns(self) -> bool:
        """Check whether any parameter of the image model is trained."""
        return any(
            param.requires_grad
            for name, param in self.named_parameters()
            if not name.startswith('side.')
        )

    def forward(self, video: Tensor) -> Tensor:
        """Encode a clip.

        Args:
            video (Tensor): Normalised frames ``(B, 3, T, H, W)``.

        Returns:
            Tensor: The mean of all tokens, ``(B, d, 1, 1, 1)``.
        """
        learns = torch.is_grad_enabled() and self.trunk_learns
        with torch.set_grad_enabled(learns):
            x = self.ln_pre(self.embed(video))  # (B*T, P+N, D)
        s = self.side.embed(video)  # (B, T, N, d)
        for block, layer in zip(self.transformer.resblocks, self.side.layers):
            with torch.set_grad_enabled(learns):
                x = self.run_block(block, x)  # (B*T, P+N, D)
            s = layer(
                s,
                x,
                self.num_prefix_tokens,
                self.class_embedding is not None,
                self.side.positional_embedding,
            )
        return self.side.read_out(s)[:, :, None, None, None]
