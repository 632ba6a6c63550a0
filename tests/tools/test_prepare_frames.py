"""Folders of frames to a trained model."""

import cv2
import pytest
from mmaction.registry import DATASETS
from mmengine.config import Config

from mmvidadapt.datasets.prepare.check_videos import check_videos
from mmvidadapt.datasets.prepare.frame_folders import (
    FrameFiles,
    name_frames,
    read_frames,
)
from mmvidadapt.datasets.prepare.video_folders import read_folder
from tests import films

from .processes import call
from .test_prepare_data import TINY


def write(folder, frames, name='img_{:05}.png', start=1):
    folder.mkdir(parents=True)
    for i, frame in enumerate(frames, start):
        cv2.imwrite(str(folder / name.format(i)), frame[..., ::-1])


@pytest.fixture
def folder(tmp_path):
    """Eight videos of two classes as frames, and four that are no good."""
    frames = films.film(9)
    root = tmp_path / 'src'
    for i in range(8):  # no two alike
        kind = ['walk', 'run'][i % 2]
        write(root / kind / f'clip{i}', frames[i % 4 :] * (1 + i // 4))
    write(root / 'run/gap', frames[:3])
    (root / 'run/gap/img_00002.png').unlink()
    write(root / 'run/damaged', frames[:4])
    (root / 'run/damaged/img_00003.png').write_bytes(b'no picture')
    write(root / 'run/sizes', [frames[0], frames[1][:20]])
    write(root / 'run/with space', frames[2:6])
    return root


def test_frames_to_a_trained_model(folder, tmp_path, monkeypatch, capsys):
    out = tmp_path / 'data'
    args = ('--split', 0.5, 0.25, 0.25, '--epochs', 1, '--batch-size', 2)
    call(monkeypatch, 'prepare_data.py', 'frames', folder, out, *args, *TINY)
    printed = capsys.readouterr().out
    for line in (
        '`run/damaged`: its frame img_00003.png cannot be decoded.',
        '`run/gap`: it has 2 frames, but no img_00002.png.',
        '`run/sizes`: its frames are 64 x 20 and 64 x 48; make them equal.',
        '`run/with space`: its name has a space; rename it.',
    ):
        assert line in printed
    config = Config.fromfile(out / 'aim_vitb16.py')
    described = config.train_dataloader.dataset
    assert described.type == 'RawframeDataset'
    assert described.filename_tmpl == 'img_{:05}.png'
    assert described.start_index == 1
    assert dict(described.data_prefix) == dict(img=str(folder.absolute()))
    dataset = DATASETS.build(described)
    first = (out / 'train.txt').read_text().split('\n')[0].split()
    assert len(first) == 3
    info = dataset.get_data_info(0)
    assert info['frame_dir'] == str(folder / first[0])
    assert info['total_frames'] == int(first[1])
    monkeypatch.chdir(tmp_path)
    path, work = str(out / 'aim_vitb16.py'), tmp_path / 'work'
    call(monkeypatch, 'train.py', path, '--work-dir', work)
    checkpoint = work / 'epoch_1.pth'
    call(monkeypatch, 'test.py', path, checkpoint, '--work-dir', work)
    assert len(list(work.glob('*/manifest.json'))) == 1


def test_other_names(tmp_path):
    frames = films.film(12)
    write(tmp_path / 'a', frames, 'frame{}.jpg', start=0)
    assert name_frames(tmp_path / 'a') == FrameFiles('frame{:01}.jpg', 0)
    write(tmp_path / 'b', frames, '{:03}.JPG', start=5)
    assert name_frames(tmp_path / 'b') == FrameFiles('{:03}.JPG', 5)
    facts, bad = check_videos(
        tmp_path, ['a', 'b'], 'open', 1, None, FrameFiles('{:03}.JPG', 5)
    )
    assert facts['b'][:3] == (12, 64, 48) and list(facts) == ['b']
    assert bad == {'a': 'it has 12 frames, but no 005.JPG.'}
    write(tmp_path / 'c', frames[:1], 'last{}x.jpg')
    with pytest.raises(ValueError, match='no number at the end of its name'):
        name_frames(tmp_path / 'c')


def test_wrong_folders_name_the_way_out(folder, tmp_path):
    with pytest.raises(ValueError, match='prepare_data.py frames'):
        read_folder(folder)
    with pytest.raises(ValueError, match='no frames below'):
        read_frames(tmp_path / 'nothing')
    write(tmp_path / 'flat/clip', films.film(2))
    with pytest.raises(ValueError, match='1 folders of frames .*no class'):
        read_frames(tmp_path / 'flat')
