"""BEVT's pretraining on a ViT with divided attention in space and time."""

from typing import Any, Dict, Optional, Sequence, Tuple, Union

import torch
from einops import rearrange
from mmaction.models.backbones import TimeSformer
from mmaction.registry import MODELS
from mmcv.cnn.bricks import DropPath
from torch import Tensor, nn

from mmvidadapt.trunks.dialects import resolve
from mmvidadapt.weights import load_exactly, load_weights_file

from .masked_model import STREAMS, MaskedModel
from .masked_rows import MaskedRows

ARCHS = {
    name: dict(zip(('embed_dims', 'num_layers', 'num_heads'), sizes))
    for name, sizes in {'tiny': (32, 2, 2), 'base': (768, 12, 12)}.items()
}
# What a single frame has no use for.
TEMPORAL = ('time_embed', '.attentions.0.')


@MODELS.register_module()
class BEVTTimeSformer(MaskedModel):
    """A TimeSformer that sees part of the patches of clips and images.

    `BEVT <https://arxiv.org/abs/2112.01529>`_ says that its pretraining helps
    `TimeSformer <https://arxiv.org/abs/2102.05095>`_, too; how it is done has
    not been published, and this is our reading. It is mmaction2's own
    ``TimeSformer``, not the ViT of our parts: its checkpoints carry the
    host's parameter names, which our parts have not. A patch of a frame is a
    token, so no decoder is needed: the rows are the normed patches. An image
    is a frame that skips the attention over time and the temporal embedding.

    Args:
        arch (str | dict): Name in ``ARCHS`` or a dict with ``embed_dims,
            num_layers, num_heads``. Defaults to ``'base'``.
        img_size (int | Tuple[int, int]): Height and width in pixels.
            Defaults to 224.
        patch_size (int): Side of a patch. Defaults to 16.
        num_frames (int): Number of frames T of a clip. Defaults to 8.
        streams (Sequence[str]): What is trained on: ``'video'``, ``'image'``
            or both. Defaults to ('video', 'image').
        with_cp (bool): Whether the backward pass computes the blocks again
            instead of keeping their activations. Defaults to False.
        lean (bool): As of every backbone; the layers, being mmaction2's, are
            the same either way. Defaults to True.
        pretrained (str, optional): URL or path of a checkpoint of this
            class. Defaults to None: random.
        init_cfg (dict, optional): As in mmengine. Defaults to None.

    Raises:
        ValueError: Where inputs or masks have other sizes.
    """

    num_prefix_tokens = 1  # mmaction2's class token

    def __init__(
        self,
        arch: Union[str, dict] = 'base',
        img_size: Union[int, Tuple[int, int]] = 224,
        patch_size: int = 16,
        num_frames: int = 8,
        streams: Sequence[str] = STREAMS,
        with_cp: bool = False,
        lean: bool = True,
        pretrained: Optional[str] = None,
        init_cfg: Optional[dict] = None,
    ) -> None:
        rest = (streams, with_cp, lean, pretrained, init_cfg)
        super().__init__(img_size, num_frames, 1, *rest)
        if any(side % patch_size for side in self.img_size):
            raise ValueError(
                f'img_size={self.img_size} is not a multiple of patch_size='
                f'{patch_size}.'
            )
        self._take_host(resolve('arch', ARCHS, arch), patch_size)
        self.mask_grid = tuple(side // patch_size for side in self.img_size)
        if 'video' not in self.streams:
            for name, param in self.named_parameters():
                if any(part in name for part in TEMPORAL):
                    param.requires_grad_(False)

    def _take_host(self, sizes: dict, patch_size: int) -> None:
        """Take the parts of mmaction2's model, add a mask token."""
        host = TimeSformer(
            self.num_frames,
            self.img_size,
            patch_size,
            embed_dims=sizes['embed_dims'],
            num_heads=sizes['num_heads'],
            num_transformer_layers=sizes['num_layers'],
        )
        parts = (host.named_children(), host.named_parameters(recurse=False))
        for name, part in (pair for pairs in parts for pair in pairs):
            setattr(self, name, part)
        self.mask_token = nn.Parameter(torch.empty(1, 1, sizes['embed_dims']))
        for module in self.modules():
            if isinstance(module, DropPath):  # of NumPy: compilers stop at it
                module.drop_prob = float(module.drop_prob)
        for token in (self.mask_token, self.cls_token, self.pos_embed):
            nn.init.trunc_normal_(token, std=0.02)

    def init_weights(self) -> None:
        """Load ``pretrained``; the parts have drawn their weights."""
        self.is_init = True
        if self.pretrained is not None:
            load_exactly(self, self.pretrained, reader=_read_backbone)

    def embed(self, x: Tensor, mask: Optional[Tensor]) -> Tensor:
        """Turn frames (F, 3, H, W) into tokens (F, 1+N, C)."""
        x = self.patch_embed.projection(x)  # (F, C, h, w)
        x = rearrange(x, 'f c h w -> f (h w) c')  # (F, N, C)
        if mask is not None:
            token = self.mask_token.to(x.dtype)
            x = torch.where(mask.reshape(*x.shape[:2], 1), token, x)
        cls = self.cls_token.to(x.dtype).expand(x.shape[0], -1, -1)
        x = torch.cat([cls, x], dim=1) + self.pos_embed  # (F, 1+N, C)
        return self.drop_after_pos(x)

    def encode(self, x: Tensor, mask: Optional[Tensor], stream: str) -> Tensor:
        """Encode clips or images.

        Args:
            x (Tensor): Normalised clips ``(B, 3, T, H, W)`` or images
                ``(B, 3, H, W)``.
            mask (Tensor, optional): What is hidden, bool ``(B, T, h, w)``.
            stream (str): ``'video'`` or ``'image'``.

        Returns:
            Tensor: Patches of all frames, ``(B, T, N, C)``.
        """
        if stream == 'image':
            x = self.embed(x, mask)  # (B, 1+N, C)
            for layer in self.transformer_layers.layers:
                x = self.run_block(_Still(layer), x)
            return x[:, None, self.num_prefix_tokens :]  # (B, 1, N, C)
        b, t, p = x.shape[0], self.num_frames, self.num_prefix_tokens
        x = self.embed(rearrange(x, 'b c t h w -> (b t) c h w'), mask)
        # The class token of the first frames, as mmaction2 takes it.
        cls = x[::t, :p]  # (B, 1, C)
        x = rearrange(x[:, p:], '(b t) n c -> b n t c', b=b) + self.time_embed
        x = self.drop_after_time(x).flatten(1, 2)  # (B, N*T, C)
        x = torch.cat([cls, x], dim=1)  # (B, 1 + N*T, C)
        for layer in self.transformer_layers.layers:
            x = self.run_block(layer, x)
        return rearrange(x[:, p:], 'b (n t) c -> b t n c', t=t)

    def decode(
        self, features: Tensor, rows: Optional[MaskedRows], stream: str
    ) -> Tensor:
        """Norm the patches that a mask asks for, or all, (K, C)."""
        x = features.flatten(0, 2)  # (B*T*N, C)
        return self.norm(x if rows is None else x[rows.where])


class _Still(nn.Module):
    """Skip the attention over time in a layer of TimeSformer."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.spatial, self.ffn = layer.attentions[1], layer.ffns[0]
        self.training = layer.training

    def forward(self, x: Tensor) -> Tensor:
        """Transform frames, (B, 1+N, C)."""
        h = self.spatial.norm(x).transpose(0, 1)  # (1+N, B, C)
        h = self.spatial.attn(h, h, h, need_weights=False)[0].transpose(0, 1)
        x = x + self.spatial.dropout_layer(self.spatial.proj_drop(h))
        return self.ffn(x)  # (B, 1+N, C)


def _read_backbone(path: str) -> Dict[str, Any]:
    """Read the backbone of a checkpoint of the recognizer, or one alone."""
    return {
        name.removeprefix('backbone.'): value
        for name, value in load_weights_file(path, copy=False).items()
        if not name.startswith('cls_head.')
    }
