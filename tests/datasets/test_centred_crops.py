"""Three crops of frames that are larger on both sides."""

import numpy as np
import pytest
from mmaction.registry import TRANSFORMS
from numpy.testing import assert_array_equal


@pytest.mark.parametrize('height,width', [(8, 13), (13, 8), (8, 8), (6, 9)])
def test_crops_lie_in_the_middle_of_the_shorter_side(height, width):
    step = TRANSFORMS.build(dict(type='CentredThreeCrop', crop_size=6))
    frames = np.random.default_rng(0).random((2, height, width, 3))
    found = step(dict(imgs=list(frames)))
    assert found['img_shape'] == (6, 6)
    across, slack = (min(height, width) - 6) // 2, max(height, width) - 6
    wanted = []
    for along in (0, 2 * (slack // 2), slack // 2):  # in mmaction2's order
        top, left = (along, across) if height > width else (across, along)
        wanted += list(frames[:, top : top + 6, left : left + 6])
    assert_array_equal(np.stack(found['imgs']), np.stack(wanted))


@pytest.mark.parametrize('shape', [(5, 9), (9, 5)])
def test_frames_smaller_than_the_crop_are_named(shape):
    step = TRANSFORMS.build(dict(type='CentredThreeCrop', crop_size=6))
    with pytest.raises(ValueError, match=r'crop_size=6.*\d x \d.*\(-1, 6\)'):
        step(dict(imgs=[np.zeros((*shape, 3))]))
