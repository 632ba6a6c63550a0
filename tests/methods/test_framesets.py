"""Framesets and the temporal code, against goldens and the formed picture."""

import pytest
import torch
import torch.nn.functional as F
from einops import rearrange
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from mmvidadapt.methods.dualpath.framesets import (
    build_framesets,
    frame_numbers,
    sample_frames,
    temporal_code,
)
from tests.golden import goldens, load_golden

GRIDS = [(1, 1), (2, 2), (3, 3), (4, 4), (2, 4), (5, 5)]


def images_of(golden, key):
    """Give the images of the clips, (B, 3, G + 8, H, W)."""
    clips = golden[key].unflatten(0, (len(golden['input']), -1))
    return clips.transpose(1, 2)


@pytest.mark.parametrize('antialias', [False, True])
@pytest.mark.parametrize('path', goldens('dualpath_frameset_*.pt'))
def test_framesets_are_the_official_ones(path, antialias):
    golden = load_golden(path)
    video = golden['input']
    key = 'output_antialias' if antialias else 'output'
    built = build_framesets(video, (4, 4), antialias)
    ours = torch.cat([built, sample_frames(video, 8)], dim=2)
    if antialias:  # sums of 64: the last bit is the order's
        assert_close(ours, images_of(golden, key), rtol=0, atol=2.5e-7)
    else:
        assert torch.equal(ours, images_of(golden, key))


@pytest.mark.parametrize('antialias', [False, True])
@pytest.mark.parametrize('size', [(14, 14), (15, 13), (48, 48), (3, 7)])
@pytest.mark.parametrize('grid', GRIDS)
def test_framesets_are_the_resized_picture(grid, size, antialias):
    torch.manual_seed(0)
    rows, columns = grid
    video = torch.randn(2, 3, 2 * rows * columns, *size).double()
    picture = rearrange(
        video, 'b k (g r c) h w -> (b g) k (r h) (c w)', r=rows, c=columns
    )
    wanted = F.interpolate(picture, size, mode='bilinear', antialias=antialias)
    wanted = rearrange(wanted, '(b g) k h w -> b k g h w', b=2)
    assert_close(build_framesets(video, grid, antialias), wanted)


def test_gradients_reach_the_pixels_that_are_read():
    video = torch.ones(1, 1, 16, 8, 8, requires_grad=True)
    build_framesets(video, (4, 4)).sum().backward()
    wanted = torch.zeros(4)
    wanted[1:3] = 0.5
    assert_close(video.grad[0, 0], (wanted[:, None] * wanted).repeat(16, 2, 2))


def test_one_by_one_is_no_frameset():
    video = torch.randn(2, 3, 5, 8, 8)
    for antialias in (False, True):
        assert torch.equal(build_framesets(video, (1, 1), antialias), video)


@pytest.mark.parametrize('frames', [0, 8, 24, 31])
def test_clips_that_fill_no_grid_are_named(frames):
    video = torch.zeros(1, 3, frames, 8, 8)
    with pytest.raises(ValueError, match=f'num_frames={frames}.*16'):
        build_framesets(video, (4, 4))


def test_integers_are_refused():
    with pytest.raises(ValueError, match='torch.uint8.*float'):
        build_framesets(torch.ones(1, 3, 16, 8, 8).byte(), (4, 4))


def test_an_odd_number_of_channels_has_no_code():
    with pytest.raises(ValueError, match='embed_dims=7.*even'):
        temporal_code(7, 1, (2, 2), (4, 4))


class Largest(TorchDispatchMode):
    """Notes the largest tensor that is no view of what was there before."""

    def __init__(self, *before):
        super().__init__()
        self.known = {t.untyped_storage().data_ptr() for t in before}
        self.numel = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for tensor in [out] if isinstance(out, torch.Tensor) else []:
            if tensor.untyped_storage().data_ptr() not in self.known:
                self.numel = max(self.numel, tensor.numel())
        return out


@pytest.mark.parametrize('antialias', [False, True])
def test_the_picture_of_all_frames_is_never_formed(antialias):
    video = torch.randn(2, 3, 32, 16, 16)
    with Largest(video) as largest:
        built = build_framesets(video, (4, 4), antialias)
    assert largest.numel == built.numel() == video.numel() / 16


@pytest.mark.parametrize('num,total', [(8, 16), (8, 48), (4, 18), (5, 5)])
def test_frames_are_the_first_of_equal_stretches(num, total):
    video = torch.arange(total).view(1, 1, -1, 1, 1)
    wanted = [i * total // num for i in range(num)]
    assert sample_frames(video, num).flatten().tolist() == wanted


@pytest.mark.parametrize('path', goldens('dualpath_temporal_pe_*.pt'))
def test_the_temporal_code_is_the_official_one(path):
    golden = load_golden(path)
    dims = golden['meta']['kwargs']['channels']
    for key, wanted in golden['values'].items():
        side, sets, resize = key.split('_')
        side = int(side.removeprefix('grid'))
        sets = 1 if sets == '3dim' else int(sets.removeprefix('Tt'))
        code = temporal_code(
            dims, sets, (4, 4), (side, side), resize == 'antialias'
        )
        assert torch.equal(code.view_as(wanted), wanted), key


def test_frames_are_numbered_from_one_row_by_row():
    numbers = frame_numbers(2, (2, 2), (4, 4)).view(2, 4, 4)
    wanted = torch.tensor([[1, 1, 2, 2]] * 2 + [[3, 3, 4, 4]] * 2)
    assert torch.equal(numbers, torch.stack([wanted, wanted + 4]).float())
    assert frame_numbers(3, (1, 1), (2, 2)).tolist() == [
        [n] * 4 for n in (1.0, 2.0, 3.0)
    ]
