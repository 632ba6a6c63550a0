"""A test run reads short videos, whose clips may be fewer than of others."""

import pytest
from mmengine.runner import Runner

from mmvidadapt.utils.video import write_video
from tests import runs
from tests.films import film


@pytest.mark.parametrize('kind', ['Midpoint', 'ExactSpan', 'RandomStride'])
def test_videos_of_all_lengths_are_tested(kind, tmp_path):
    lines = []
    for length in (1, 4, 7, 20):  # of 1 and 4 there is one clip to see
        write_video(tmp_path / f'{length}.mp4', film(length), fps=10)
        lines.append(f'{length}.mp4 0')
    (tmp_path / 'list.txt').write_text('\n'.join(lines))
    config = runs.recipe(tmp_path / 'list.txt', tmp_path / 'work', batch=1)
    config.test_dataloader.dataset.pipeline[1] = dict(
        type=f'{kind}SampleFrames',
        clip_len=runs.NUM_FRAMES,
        num_clips=3,
        test_mode=True,
        **{'test_interval' if kind == 'RandomStride' else 'frame_interval': 4},
    )
    runner, views = Runner.from_cfg(config), []
    runner.model.backbone.register_forward_pre_hook(
        lambda module, inputs: views.append(len(inputs[0]))
    )
    assert 0 <= runner.test()['acc/top1'] <= 1
    assert views == [1, 1, 3, 3]
