"""Segments of a video: clips that are encoded alone and read together."""

from einops import rearrange
from torch import Tensor, nn


def read_segments(num_segments: int) -> int:
    """Return a number of segments; refuse less than one."""
    if num_segments < 1:
        raise ValueError(f'num_segments={num_segments}: give at least 1.')
    return num_segments


def check_segments(model: nn.Module, video: Tensor) -> None:
    """Refuse a batch that is not whole videos.

    mmaction2 puts the clips of all crops of all videos side by side, segments
    innermost: ``SampleFrames(num_clips=S)``, then ``ThreeCrop``, give crop 0
    of segments 0 to S-1, crop 1 of them, and so on.

    Args:
        model (nn.Module): Has ``num_segments``, S.
        video (Tensor): Clips ``(B*S, 3, T, H, W)``, B crops of videos, or
            cached features ``(B*S, numbers)``.

    Raises:
        ValueError: If S does not divide the number of clips.
    """
    count = model.num_segments
    if count > 1 and video.shape[0] % count:
        raise ValueError(
            f'{type(model).__name__} with num_segments={count} got '
            f'{video.shape[0]} clips: set num_clips={count} where frames are '
            'sampled, and test_cfg.max_testing_views to a multiple of it.'
        )


def join_segments(x: Tensor, num_segments: int) -> Tensor:
    """Put segments (B*S, T, N, C) one behind the other, (B, S*T, N, C)."""
    if num_segments == 1:
        return x
    return rearrange(x, '(b s) t n c -> b (s t) n c', s=num_segments)


def segments_of(model: nn.Module) -> int:
    """Return how many clips the backbone of a recognizer reads together."""
    return getattr(getattr(model, 'backbone', None), 'num_segments', 1)
