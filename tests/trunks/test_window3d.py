"""Windows in space and time."""

import torch
from torch.testing import assert_close

from mmvidadapt.trunks.parts.window3d import Windows3D
from mmvidadapt.trunks.parts.window_attention import relative_index


def test_a_window_that_holds_the_map_is_not_shifted():
    whole = Windows3D((1, 4, 4), (2, 4, 4))
    assert whole.shift == (0, 0, 0) and whole.window == (1, 4, 4)
    rigid = Windows3D((1, 4, 4), (2, 4, 4), rigid=True)
    assert rigid.shift == (0, 2, 2)
    assert rigid.regions.unique().numel() == 4


def test_windows_are_put_back_as_they_were():
    for rigid, grid in ((False, (3, 5, 7)), (True, (1, 4, 6))):
        windows = Windows3D(grid, (2, 2, 2), rigid)
        x = torch.randn(2, *grid, 4)
        for shifted in (False, True):
            cut = windows.split(x, shifted)
            assert_close(windows.join(cut, shifted), x, rtol=0, atol=0)


def test_a_small_window_reads_the_middle_of_a_large_table():
    full = relative_index((3, 2, 2), (3, 2, 2))
    small = relative_index((1, 2, 2), (3, 2, 2))
    assert_close(small, full[:4, :4])
    assert small.min() == 2 * 9 and small.max() == 3 * 9 - 1
    narrow = relative_index((1, 1, 2), (1, 3, 3))
    assert narrow.tolist() == [[12, 11], [13, 12]]
