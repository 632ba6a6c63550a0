"""A damaged video is named by the steps that open and decode it."""

import shutil

import pytest
from mmcv.transforms import Compose

from mmvidadapt.apis.train.config import load_config
from mmvidadapt.utils.video import VideoError
from tests import runs
from tests.trained import damage

ROOTS = ('k400', '32f_k700', 'ssv2', '32f_diving48')


@pytest.mark.parametrize(
    'name', [f'aim/vitb16_{root}' for root in ROOTS] + ['aim/swinb_k400']
)
def test_the_recipes_name_a_damaged_video(name, trained, tmp_path):
    whole = trained.folder / 'videos/long.mp4'
    late, early = tmp_path / 'late.mp4', tmp_path / 'early.mp4'
    shutil.copy(whole, late)
    damage(late)
    early.write_bytes(whole.read_bytes()[:500])
    config = load_config(name)
    for split in ('train', 'val', 'test'):
        pipeline = Compose(config[f'{split}_dataloader'].dataset.pipeline)
        for path in (late, early):
            clip = dict(filename=str(path), label=0, start_index=0)
            with pytest.raises(VideoError, match=f'^{path} cannot be read'):
                pipeline(dict(clip, modality='RGB'))


def test_mistakes_that_no_file_can_make_stay_as_they_are(trained, tmp_path):
    path = str(trained.folder / 'videos/long.mp4')
    steps = [dict(type='VideoInit'), dict(type='VideoDecode')]
    with pytest.raises(KeyError, match='frame_inds'):  # nothing samples
        Compose(steps)(dict(filename=path))
    with pytest.raises(FileNotFoundError, match='none.mp4'):
        Compose(steps)(dict(filename=str(tmp_path / 'none.mp4')))


def test_training_stops_with_the_clip_named(listing, tmp_path):
    """Also when a data loading worker decodes."""
    folder = tmp_path / 'clips'
    shutil.copytree(listing.parent, folder)
    damage(folder / 'clip5.mp4')
    config = runs.recipe(folder / 'list.txt', tmp_path / 'work', workers=1)
    steps = config.train_dataloader.dataset.pipeline
    for step in steps:
        step.type = step.type.replace('Decord', 'Video')
    with pytest.raises(VideoError, match=f'{folder}/clip5.mp4 cannot be read'):
        runs.train(config)
