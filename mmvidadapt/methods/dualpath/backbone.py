"""DualPath: a spatial and a temporal path over one frozen image ViT."""

from functools import partial
from typing import Any, List, Optional, Sequence, Tuple, Union

import torch
from einops import rearrange, reduce
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmvidadapt.trunks.dialects import resolve
from mmvidadapt.trunks.parts.precision import full_precision
from mmvidadapt.trunks.vit import ViTTrunk
from mmvidadapt.utils.check_choices import check_choices

from .block import split_paths
from .framesets import (
    PATHS,
    build_framesets,
    count_images,
    sample_frames,
    temporal_code,
)
from .lean import LeanDualPathBlock

BUILDERS = ('model', 'pipeline')
_VARIANT_KEYS = (
    'bottleneck',  # width of the adapters, or (a float) relative to C
    'temporal_pre_adapter',  # one more before the temporal attention
    'separate_cls',  # a class token for each path
    'train_positions',  # those of CLIP; the framesets' are new and trained
    'dropout',  # inside the adapters
)
VARIANTS = {
    name: dict(zip(_VARIANT_KEYS, values))
    for name, values in {
        'official': (0.25, True, False, True, 0.1),
        'paper': (128, False, True, False, 0.1),
        'paper-ssv2': (128, True, True, False, 0.1),
    }.items()
}
ADAPTERS = r'.*\.[ts]_adapter_(attn|attn_b|mlp)\..*'
POSITIONS, CLASS = 'spatial_positional_embedding', 'temporal_class_embedding'


@MODELS.register_module()
class DualPath(ViTTrunk):
    """A frozen image ViT that sees frames and framesets.

    From `Dual-path Adaptation from Image to Video Transformers
    <https://arxiv.org/abs/2303.09857>`_ (CVPR 2023). Few sparse frames tell
    what is there; all frames, shrunk into grids of consecutive ones, tell
    how it moves. The same frozen blocks serve both, adapted in parallel for
    frames and in series for framesets. With ``variant='official'`` it equals
    the released code up to the classifier, element by element. Input
    ``(B, 3, T, H, W)``; output ``(B, 2E, 1, 1, 1)``, the mean class token of
    the framesets, then that of the frames.

    A trunk that is not read by a class token is read as it was made to be:
    by its attention pool or the mean of the patches, the same for both
    paths. Without a class token neither path has one, whatever the variant
    says. Framesets get the new table, and rotary positions as frames do.

    Args:
        num_frames (int): Number of frames T, a multiple of the cells of the
            grid. Defaults to 16.
        num_spatial_frames (int): Frames of the spatial path. Defaults to 8.
        grid (Tuple[int, int]): Rows and columns of a frameset; (1, 1) gives
            the temporal path the frames one by one. Defaults to (4, 4).
        antialias (bool): Whether framesets are shrunk with antialiasing; the
            released code ran on a torchvision that did not.
            Defaults to False.
        paths (Sequence[str]): Which paths there are.
            Defaults to ('temporal', 'spatial').
        variant (str | dict): ``'paper'`` (4 adapters of width 128 a block),
            ``'paper-ssv2'`` (one more, before the temporal attention),
            ``'official'`` (as released: 5 of a width of C / 4) or a dict with
            the keys of these in ``VARIANTS``. Defaults to 'paper'.
        output_dims (int, optional): Channels E that CLIP's frozen projection
            gives: 512 for ViT-B, 768 for ViT-L. Defaults to None: there is
            no projection, E is C.
        framesets_from (str): ``'model'`` builds them from clips;
            ``'pipeline'`` takes what the transform ``BuildFramesets`` made,
            ``(B, 3, framesets + spatial frames, H, W)``.
            Defaults to 'model'.
        **trunk: Passed on to :class:`ViTTrunk`.

    Raises:
        ValueError: On unknown values, and in ``forward`` when the clip does
            not have ``num_frames`` frames of ``img_size``.
    """

    own_head = 'DualPathHead'
    trainable = (
        ADAPTERS,
        POSITIONS,
        CLASS,
        'class_embedding',
        'positional_embedding',
    )
    new = trainable[:3]

    def __init__(
        self,
        num_frames: int = 16,
        num_spatial_frames: int = 8,
        grid: Tuple[int, int] = (4, 4),
        antialias: bool = False,
        paths: Sequence[str] = PATHS,
        variant: Union[str, dict] = 'paper',
        output_dims: Optional[int] = None,
        framesets_from: str = 'model',
        **trunk: Any,
    ) -> None:
        check_choices('framesets_from', [framesets_from], BUILDERS)
        images = count_images(num_frames, num_spatial_frames, grid, paths)
        traits = resolve('variant', VARIANTS, variant)
        separate_cls = traits.pop('separate_cls') and all(images)
        train_positions = traits.pop('train_positions')
        super().__init__(
            block=partial(LeanDualPathBlock, images=images, **traits), **trunk
        )
        self.num_frames, self.images = num_frames, images
        self.grid, self.antialias = tuple(grid), antialias
        self.framesets_from = framesets_from
        if self.patch_grid[0] != self.patch_grid[1]:
            raise ValueError(
                f'img_size={self.built_as["img_size"]}, {self.patch_grid} '
                'patches: DualPath takes square frames; give one number.'
            )
        self._add_embeddings(output_dims, separate_cls)
        given = {
            POSITIONS: images[0],
            CLASS: self.temporal_class_embedding is not None,
            'class_embedding': self.class_embedding is not None,
            'positional_embedding': train_positions
            and getattr(self, 'positional_embedding', None) is not None,
        }
        self.trainable = tuple(
            name for name in self.trainable if given.get(name, True)
        )
        self.freeze()

    def _add_embeddings(
        self, output_dims: Optional[int], separate_cls: bool
    ) -> None:
        """Create what the image model has not, and remove what none reads."""
        dims, temporal, spatial = self.embed_dims, *self.images
        self.proj = None
        if output_dims is not None:
            self.proj = nn.Parameter(torch.randn(dims, output_dims))
            self.proj.data *= dims**-0.5
        if temporal:
            table = torch.randn(self.num_tokens, dims) * dims**-0.5
            self.spatial_positional_embedding = nn.Parameter(table)
            code = temporal_code(
                dims,
                temporal,
                self.grid,
                self.patch_grid,
                self.antialias,
                self.num_prefix_tokens,
            )  # (G, P+N, C)
            self.register_buffer('temporal_code', code, persistent=False)
        self.temporal_class_embedding = None
        if separate_cls and self.class_embedding is not None:
            cls = self.class_embedding.detach().clone()
            self.temporal_class_embedding = nn.Parameter(cls)
        if not spatial:
            del self.positional_embedding
            self.unused = (*self.unused, 'positional_embedding')

    def init_weights(self) -> None:
        """Load ``pretrained``; the second class token starts as the first."""
        own = self.temporal_class_embedding
        before = None if own is None else own.detach().clone()
        super().init_weights()
        if own is not None and torch.equal(own, before):
            own.data.copy_(self.class_embedding)

    def embed(self, video: Tensor) -> Tensor:
        """Embed framesets, then frames: (B*(G+S), P+N, C)."""
        framesets, frames = self.split_clip(video)
        tokens: List[Tensor] = []
        if framesets is not None:
            x, cls = self.patchify(framesets), self.temporal_class_embedding
            cls = self.class_embedding if cls is None else cls
            x = self.prepend(x, cls, self.registers)  # (B*G, P+N, C)
            x = x.unflatten(0, (-1, self.images[0]))  # (B, G, P+N, C)
            x = x + (self.spatial_positional_embedding + self.temporal_code)
            tokens.append(x.flatten(0, 1))  # (B*G, P+N, C)
        if frames is not None:
            tokens.append(super().embed(frames))  # (B*S, P+N, C)
        return torch.cat(tokens)  # (B*(G+S), P+N, C)

    def split_clip(self, video: Tensor) -> List[Optional[Tensor]]:
        """Split a clip: framesets (B, 3, G, H, W), frames (B, 3, S, H, W)."""
        built = self.framesets_from == 'pipeline'
        wanted = sum(self.images) if built else self.num_frames
        if video.ndim != 5 or video.shape[2] != wanted:
            raise ValueError(
                f'DualPath with num_frames={self.num_frames} and framesets '
                f'from the {self.framesets_from} expects (B, 3, {wanted}, H, '
                f'W), not {tuple(video.shape)}; set num_frames, clip_len or '
                'framesets_from.'
            )
        if built:
            parts = video.split(self.images, dim=2)
        else:
            parts = (
                self.images[0]
                and build_framesets(video, self.grid, self.antialias),
                self.images[1] and sample_frames(video, self.images[1]),
            )
        return [p if n else None for p, n in zip(parts, self.images)]

    def forward(self, video: Tensor) -> Tensor:
        """Encode a clip.

        Args:
            video (Tensor): Normalised frames ``(B, 3, T, H, W)``.

        Returns:
            Tensor: What is read of the images of each path, its mean,
            ``(B, 2E, 1, 1, 1)``.
        """
        x = self.encode(self.embed(video))  # (B*(G+S), 1, C)
        features = [
            reduce(part, '(b n) 1 c -> b 1 c', 'mean', n=number)
            for part, number in zip(split_paths(x, self.images), self.images)
            if number
        ]  # (B, 1, C) each
        if self.proj is not None:
            with full_precision(x):
                features = [part @ self.proj for part in features]  # (B, 1, E)
        return rearrange(torch.cat(features, -1), 'b 1 c -> b c 1 1 1')
