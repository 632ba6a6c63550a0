"""One frame in the place of a clip: which one, and no other decoded."""

import numpy as np
import pytest
from mmaction.registry import TRANSFORMS


def frozen(length, clips=1, name='a.mp4', **options):
    step = TRANSFORMS.build(dict(type='FreezeFrame', **options))
    inds = np.arange(100, 100 + length * clips)
    results = dict(
        frame_inds=inds, clip_len=length, num_clips=clips, filename=name
    )
    return step(results)


@pytest.mark.parametrize('index, at', [('middle', 4), (0, 0), (7, 7), (-1, 7)])
def test_each_clip_keeps_one_frame(index, at):
    expected = [100 + at, 108 + at]
    assert frozen(8, 2, index=index)['frame_inds'].tolist() == expected


def test_a_random_frame_is_a_function_of_seed_and_file():
    def drawn(seed, name):
        inds = frozen(64, name=name, index='random', seed=seed)['frame_inds']
        return inds.tolist()

    assert drawn(0, 'a') == drawn(0, 'a') == drawn(0, 'elsewhere/a')
    names = [f'{i}.mp4' for i in range(20)]
    assert len({tuple(drawn(0, name)) for name in names}) > 10
    assert [drawn(0, n) for n in names] != [drawn(1, n) for n in names]
    np.random.seed(0)
    assert len({tuple(drawn(None, 'a')) for _ in range(20)}) > 10


def test_every_clip_of_a_video_has_a_random_frame_of_its_own():
    inds = frozen(64, 6, index='random', seed=0)['frame_inds'] - 100
    assert (inds // 64).tolist() == list(range(6))
    assert len(set(inds % 64)) > 3


def test_the_frame_is_repeated_after_decoding():
    results = frozen(3, 2)
    results['imgs'] = [np.full((2, 2, 3), i) for i in results['frame_inds']]
    results = TRANSFORMS.build(dict(type='RepeatFrame'))(results)
    assert [int(i.mean()) for i in results['imgs']] == [101] * 3 + [104] * 3
    assert results['frame_inds'].tolist() == [101] * 3 + [104] * 3
    results['imgs'][0][:] = 0  # the copies are separate
    assert results['imgs'][1].mean() == 101


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="index='last': choose 'middle'"):
        TRANSFORMS.build(dict(type='FreezeFrame', index='last'))
    with pytest.raises(ValueError, match='index=8, but a clip has 8 frames'):
        frozen(8, index=8)
    whole = dict(
        frame_inds=np.arange(8), clip_len=8, num_clips=1, imgs=[0] * 8
    )
    with pytest.raises(ValueError, match='8 frames of 1 clips were decoded'):
        TRANSFORMS.build(dict(type='RepeatFrame'))(whole)
