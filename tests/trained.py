"""A tiny recognizer with some effect, and videos that it tells apart."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmaction.apis import init_recognizer

from mmvidadapt.utils.video import write_video
from tests import runs

FPS = 10


def damage(path: Path) -> None:
    """Overwrite the second half of a video's frames, and nothing else."""
    data = bytearray(path.read_bytes())
    begin = data.index(b'mdat') + 4
    size = int.from_bytes(data[begin - 8 : begin - 4], 'big') - 8
    data[begin + size // 2 : begin + size] = bytes(size - size // 2)
    path.write_bytes(data)


@pytest.fixture(scope='session')
def trained(tmp_path_factory):
    """Write a long video, a config and a checkpoint with some effect."""
    folder = tmp_path_factory.mktemp('inference')
    rng = np.random.default_rng(1)
    # Three seconds, each of another noise, darker and darker.
    frames = [
        f
        for top in (256, 128, 32)
        for f in [rng.integers(0, top, (48, 64, 3), dtype=np.uint8)] * FPS
    ]
    write_video(folder / 'videos/long.mp4', frames, FPS)
    for i in range(3):
        write_video(
            folder / f'videos/part{i}.mp4',
            frames[FPS * i : FPS * (i + 1)],
            FPS,
        )
    config = runs.recipe(folder / 'list.txt', folder / 'work')
    config.dump(folder / 'config.py')
    torch.manual_seed(0)  # whatever other tests have drawn before
    model = init_recognizer(config, device='cpu')
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    torch.save(
        dict(state_dict=model.state_dict(), meta={}), folder / 'model.pth'
    )
    return SimpleNamespace(
        folder=folder, config=config, checkpoint=str(folder / 'model.pth')
    )
