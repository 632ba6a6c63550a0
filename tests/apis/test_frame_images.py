"""Images of videos: which frames, their list, and what reads it."""

import cv2
import numpy as np
import pytest
from mmaction.registry import DATASETS

from mmvidadapt.apis.data.fit_tokenizer import list_pictures
from mmvidadapt.apis.data.frame_images import write_images
from mmvidadapt.apis.use.windows import read_frames
from mmvidadapt.utils.video import VideoError
from tests.films import encode, film
from tests.runs import NUM_CLIPS
from tests.tools.processes import call
from tests.trained import damage


def test_the_tool_writes_images_that_the_data_set_reads(
    listing, tmp_path, monkeypatch, capsys
):
    call(monkeypatch, 'extract_frames.py', listing, tmp_path, '--every', 4)
    images = tmp_path / 'images.txt'
    assert f'{images}: {3 * NUM_CLIPS} images' in capsys.readouterr().out
    lines = images.read_text().splitlines()
    assert lines[3:6] == [
        f'clip1_mp4/{number:06d}.jpg 1' for number in (0, 4, 8)
    ]
    dataset = DATASETS.build(
        dict(
            type='ImageListDataset',
            ann_file=str(images),
            data_prefix=dict(img=str(tmp_path)),
            pipeline=[dict(type='ImageDecode')],
        )
    )
    assert len(dataset) == len(lines) == len(list_pictures(tmp_path))
    frames = list(read_frames(listing.parent / 'clip1.mp4'))
    sample = dataset[4]
    written = np.abs(sample['imgs'][0].astype(float) - frames[4]).mean()
    others = np.abs(sample['imgs'][0].astype(float) - frames[5]).mean()
    assert sample['label'] == 1 and written < 15 < 2 * written < others


def test_a_second_call_goes_on(listing, tmp_path):
    images, number = write_images(listing, tmp_path, every=5)
    first = tmp_path / 'clip0_mp4' / '000000.jpg'
    second = tmp_path / 'clip0_mp4' / '000005.jpg'
    time, bytes_ = first.stat().st_mtime_ns, second.read_bytes()
    second.unlink()
    assert write_images(listing, tmp_path, every=5) == (images, number)
    assert first.stat().st_mtime_ns == time and second.read_bytes() == bytes_


def test_paths_may_hold_spaces_and_dots(listing, tmp_path):
    folder = tmp_path / 'at the sea'
    folder.mkdir()
    video = folder / 'a.1.mp4'
    video.write_bytes((listing.parent / 'clip0.mp4').read_bytes())
    other = tmp_path / 'lists' / 'list.txt'
    other.parent.mkdir()
    other.write_text('at the sea/a.1.mp4 3\n')
    images, _ = write_images(other, tmp_path / 'out', tmp_path, every=9)
    name = 'at the sea/a_1_mp4/000009.jpg'
    assert images.read_text().splitlines()[1] == f'{name} 3'
    assert cv2.imread(str(tmp_path / 'out' / name)).shape == (24, 32, 3)


def test_bad_input_is_named(listing, tmp_path):
    with pytest.raises(ValueError, match='every=0: give 1'):
        write_images(listing, tmp_path, every=0)
    with pytest.raises(ValueError, match='clip0.mp4.*Cannot|Cannot.*clip0'):
        write_images(listing, tmp_path, root=tmp_path)
    outside = tmp_path / 'list.txt'
    outside.write_text('../a.mp4 0\n')
    with pytest.raises(ValueError, match=r'\.\./a.mp4 lies outside of'):
        write_images(outside, tmp_path / 'out')
    for path in (tmp_path / 'a.mp4', outside):
        path.write_text('a.mp4 0\n')  # a list, but no video
    with pytest.raises(VideoError, match='a.mp4 cannot be read'):
        write_images(outside, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_a_video_that_is_damaged_later_is_used_up_to_there(listing, tmp_path):
    frames = film(40)
    encode(tmp_path / 'a.mp4', frames, codec='mpeg4', g='5')
    damage(tmp_path / 'a.mp4')
    (tmp_path / 'list.txt').write_text('a.mp4 0\n')
    images, number = write_images(tmp_path / 'list.txt', tmp_path / 'out')
    assert 0 < number < 40
    assert len(images.read_text().splitlines()) == number
