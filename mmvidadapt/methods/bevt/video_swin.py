"""Fine-tune mmaction2's Video Swin from what BEVT has pretrained."""

from typing import Any, Optional, Sequence, Tuple, Union

from einops import rearrange
from mmaction.models.backbones.swin import SwinTransformer3D
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmvidadapt.trunks.dialects import resolve
from mmvidadapt.trunks.parts.lean import Lean, use_equation_
from mmvidadapt.trunks.parts.lean_block import lean_mlp, learns
from mmvidadapt.trunks.parts.lean_video_swin_block import attend_windows
from mmvidadapt.trunks.parts.window3d import Windows3D
from mmvidadapt.trunks.table import find_trunk
from mmvidadapt.trunks.video_swin import ARCHS, FRAMES, SIDE, swin_arguments
from mmvidadapt.weights.load_hooks import refuse_unfit

from .names import load_video_swin

INDEX = 'relative_position_index'
# Options of ``SwinTransformer3D`` that change no step of a block.
LEAN = {
    'mlp_ratio',
    'qk_scale',
    'patch_norm',
    'frozen_stages',
    'with_cp',
    'init_cfg',
}


class VideoSwin(SwinTransformer3D):
    """mmaction2's Video Swin that checkpoints of BEVT fit by path alone.

    The equation of :class:`BEVTVideoSwin`, whose arguments are its own:
    every step is the host's.
    """

    reads = 'clips'
    trunk_families = ('swin', 'video_swin')

    def __init__(
        self,
        arch: Union[str, dict, None] = None,
        img_size: Union[int, Tuple[int, int], None] = None,
        num_frames: int = 32,
        window_size: Sequence[int] = (8, 7, 7),
        pretrained: Optional[str] = '',
        trunk: Union[str, dict, None] = None,
        pretrained_window_size: Optional[Sequence[int]] = None,
        drop_path_rate: float = 0.0,
        lean: bool = True,
        **swin: Any,
    ) -> None:
        given = swin_arguments(self, trunk, arch, img_size, pretrained)
        arch, img_size, pretrained = given
        arch = resolve('arch', ARCHS, arch)
        last = len(arch['depths']) - 1
        super().__init__(
            arch,
            pretrained=pretrained,
            pretrained2d=False,  # we read images, too
            window_size=tuple(window_size),
            drop_path_rate=drop_path_rate,
            out_indices=(last,),
            **swin,
        )
        square = isinstance(img_size, int)
        self.img_size = (img_size, img_size) if square else tuple(img_size)
        self.published = None if trunk is None else find_trunk(trunk)
        self.num_frames, self.last_norm = num_frames, f'norm{last}'
        self.pretrained_window_size = pretrained_window_size
        _hide_indices(self)
        self.register_load_state_dict_pre_hook(refuse_unfit)
        self.register_load_state_dict_pre_hook(_rename)
        if lean and set(swin) <= LEAN:
            self.windows = self._windows()
        else:
            use_equation_(self)

    def _windows(self) -> nn.ModuleList:
        """Plan how the map of each stage is cut into windows."""
        windows = nn.ModuleList()
        for i in range(len(self.layers)):
            sides = (-(-side // (SIDE * 2**i)) for side in self.img_size)
            grid = (-(-self.num_frames // FRAMES), *sides)  # T', H, W
            windows.append(Windows3D(grid, self.window_size))
        return windows

    def init_weights(self) -> None:
        """Draw as mmaction2 does, then load ``pretrained``."""
        BaseModule.init_weights(self)
        if self.pretrained is not None:
            load_video_swin(
                self,
                self.pretrained,
                self.window_size,
                self.pretrained_window_size,
                self.last_norm,
            )

    def forward(self, video: Tensor) -> Tensor:
        """Encode a clip.

        Args:
            video (Tensor): Normalised frames ``(B, 3, T, H, W)``.

        Returns:
            Tensor: Features ``(B, 8C, T / 2, H / 32, W / 32)``.
        """
        expected = (3, self.num_frames, *self.img_size)
        if tuple(video.shape[1:]) != expected:
            raise ValueError(
                f'BEVTVideoSwin with num_frames={self.num_frames} and '
                f'img_size={self.img_size} expects (B, {str(expected)[1:]}, '
                f'not {tuple(video.shape)}; set them, clip_len or the crop.'
            )
        return self.encode(video)

    def encode(self, video: Tensor) -> Tensor:
        """Encode a clip of the right size, see :meth:`forward`."""
        return super().forward(video)

    def train(self, mode: bool = True) -> 'VideoSwin':
        """Set the mode; mmaction2's class forgets to return itself."""
        super().train(mode)
        return self


def _hide_indices(model: nn.Module) -> None:
    """Keep the indices of relative positions out of checkpoints."""
    for module in model.modules():
        if hasattr(module, INDEX):
            index = getattr(module, INDEX)
            module.register_buffer(INDEX, index, persistent=False)


def _rename(
    module: VideoSwin, state_dict: dict, prefix: str, *args: Any
) -> None:
    """Rename the official last norm, drop indices."""
    for name in [k for k in state_dict if k.startswith(prefix)]:
        own = name[len(prefix) :]
        if own.endswith(INDEX):
            del state_dict[name]
        elif own in ('norm.weight', 'norm.bias'):
            kind = own.split('.')[1]
            value = state_dict.pop(name)
            state_dict[f'{prefix}{module.last_norm}.{kind}'] = value


@MODELS.register_module()
class BEVTVideoSwin(Lean, VideoSwin):
    """SwinTransformer3D that checkpoints of BEVT fit by path alone.

    mmaction2's class, with every number its own. Lean twin of
    :class:`VideoSwin`, which keeps a third as much for the backward pass;
    options that change a block are left to the host's. It reads image and
    joint checkpoints (and image Swins) with their names, inflated and with
    their tables of relative positions interpolated to its windows; the
    indices of those tables, 29 MB in Swin-B, are kept out of checkpoints.

    Args:
        arch (str | dict): Name in :data:`ARCHS` or a dict with
            ``embed_dims, depths, num_heads``. ``'tiny'`` is a toy for tests.
            Defaults to None: the trunk's, else ``'base'``.
        img_size (int | Tuple[int, int]): Height and width in pixels.
            Defaults to None: the trunk's, else 224.
        num_frames (int): Number of frames T of a clip. Defaults to 32.
        window_size (Sequence[int]): Patch frames, height and width of a
            window in tokens. Defaults to (8, 7, 7).
        pretrained (str, optional): Alias, URL or path; None: random.
            Defaults to '': the trunk's, else random.
        trunk (str | dict, optional): A word that brings sizes and weights,
            see :mod:`mmvidadapt.trunks.table`. Defaults to None.
        pretrained_window_size (Sequence[int], optional): Windows of a joint
            checkpoint. Defaults to None: of the same height and width.
        drop_path_rate (float): Drop-path rate of the last block.
            Defaults to 0.0.
        lean (bool): Whether blocks keep little for the backward pass; the
            numbers are the same. Defaults to True.
        **swin: Passed on to ``SwinTransformer3D``.

    Raises:
        ValueError: Where the clip has other sizes or the weights do not fit.
    """

    def encode(self, video: Tensor) -> Tensor:
        """Encode a clip of the right size, see :meth:`forward`."""
        x = self.patch_embed(video)  # (B, C, T', H, W)
        x = rearrange(x, 'b c t h w -> b t h w c')
        for layer, windows in zip(self.layers, self.windows):
            for i, block in enumerate(layer.blocks):
                x = self.run_block(block, x, windows, i % 2 == 1)
            if layer.downsample is not None:
                x = layer.downsample(x)  # (B, T', H / 2, W / 2, 2C)
        x = getattr(self, self.last_norm)(x)  # (B, T', H / 32, W / 32, 8C)
        return rearrange(x, 'b t h w c -> b c t h w').contiguous()

    def run_block(self, block: nn.Module, *args: Any) -> Tensor:
        """Run a block, keeping only its input for backward if asked to."""
        if block.with_cp and learns(block, args[0]):
            return checkpoint(run_lean, block, *args, use_reentrant=False)
        return run_lean(block, *args)


def run_lean(
    block: nn.Module, x: Tensor, windows: Windows3D, shifted: bool
) -> Tensor:
    """Run a block of mmaction2's, keeping little for the backward pass.

    Args:
        block (nn.Module): ``SwinTransformerBlock3D``, without dropout.
        x (Tensor): Map of tokens ``(B, T, H, W, C)``.
        windows (Windows3D): How the map is cut.
        shifted (bool): Whether the windows are shifted.

    Returns:
        Tensor: ``(B, T, H, W, C)``.
    """
    length = windows.index.shape[0]
    # As mmaction2 reads it, windows that have shrunk to the map included.
    index = getattr(block.attn, INDEX)[:length, :length]  # (N, N)
    h = attend_windows(block.attn, block.norm1, x, windows, shifted, index)
    x = x + block.drop_path(h)  # (B, T, H, W, C)
    mlp = (block.mlp.fc1, block.mlp.act, block.mlp.fc2)
    return x + block.drop_path(lean_mlp(mlp, block.norm2, x))
