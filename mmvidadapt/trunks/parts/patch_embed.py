"""Embed the patches of frames, or the tubelets of clips."""

from typing import Optional, Tuple, Union

from einops import rearrange
from torch import Tensor, nn

from .linear import linear


def count_patches(
    img_size: Union[int, Tuple[int, int]], patch_size: int
) -> Tuple[int, int]:
    """Count the patches along height and width.

    Args:
        img_size (int | Tuple[int, int]): Height and width in pixels.
        patch_size (int): Side of a patch in pixels.

    Returns:
        Tuple[int, int]: Rows and columns.

    Raises:
        ValueError: If patches do not fill the frame.
    """
    if isinstance(img_size, int):
        img_size = (img_size, img_size)
    if any(side < patch_size or side % patch_size for side in img_size):
        raise ValueError(
            f'img_size={tuple(img_size)} is not a multiple '
            f'of patch_size={patch_size}.'
        )
    return img_size[0] // patch_size, img_size[1] // patch_size


def patch_conv(
    embed_dims: int, patch_size: int, tubelet_size: Optional[int], bias: bool
) -> nn.Module:
    """Build the convolution that holds the weights of the embedding.

    Args:
        embed_dims (int): Number of channels C.
        patch_size (int): Side of a patch in pixels.
        tubelet_size (int, optional): Frames of a tubelet; None for the
            patches of single frames.
        bias (bool): Whether there is a bias.

    Returns:
        nn.Module: ``Conv3d`` with a tubelet size, else ``Conv2d``.
    """
    side = (patch_size, patch_size)
    if tubelet_size is None:
        return nn.Conv2d(3, embed_dims, side, side, bias=bias)
    tube = (tubelet_size, *side)
    return nn.Conv3d(3, embed_dims, tube, tube, bias=bias)


def embed_patches(video: Tensor, conv: nn.Module) -> Tensor:
    """Map every patch or tubelet to a token.

    A convolution whose stride is its size is a product of patches.

    Args:
        video (Tensor): Clips ``(B, 3, T, H, W)``.
        conv (nn.Module): See :func:`patch_conv`.

    Returns:
        Tensor: ``(B, S, N, C)``, N patches in each of S time steps.
    """
    t, p, q = (1, *conv.kernel_size)[-3:]
    patches = rearrange(
        video, 'b c (s t) (h p) (w q) -> b s (h w) (c t p q)', t=t, p=p, q=q
    )  # (B, S, N, 3*t*p*q)
    return linear(patches, conv.weight.flatten(1), conv.bias)  # (B, S, N, C)


def check_clip(model: nn.Module, video: Tensor) -> None:
    """Refuse clips of another size than a video transformer is built for.

    Args:
        model (nn.Module): Has ``num_frames``, ``patch_grid`` and
            ``patch_size``.
        video (Tensor): What it is given.

    Raises:
        ValueError: Unless that is ``(B, 3, T, H, W)`` of its sizes.
    """
    (h, w), p = model.patch_grid, model.patch_size
    wanted = (3, model.num_frames, h * p, w * p)
    if video.ndim != 5 or video.shape[1:] != wanted:
        raise ValueError(
            f'{type(model).__name__} with num_frames={model.num_frames} '
            f'and img_size={wanted[2:]} expects (B, 3, T, H, W) = '
            f'(B, {str(wanted)[1:]}, not {tuple(video.shape)}; set '
            'num_frames and img_size, or clip_len and the crop.'
        )
