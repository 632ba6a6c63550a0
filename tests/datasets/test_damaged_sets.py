"""Damaged videos through the tools that prepare and transcode data sets."""

import pytest

from mmvidadapt.apis.data.transcode import FAILED, plan, transcode_all
from mmvidadapt.datasets.prepare.own_videos import prepare_own
from mmvidadapt.datasets.prepare.transcode_source import Settings
from mmvidadapt.datasets.prepare.video_folders import read_folder
from tests.damaged import DAMAGES, write_damaged
from tests.films import encode, film

COUNT = 6 * len(DAMAGES)
SMALL = Settings(short_side=32, gop=8, encoder='pyav')


@pytest.fixture(scope='module')
def mixed(tmp_path_factory):
    """Two classes of damaged videos, of which four are whole."""
    folder = tmp_path_factory.mktemp('mixed')
    how = dict(crf='0', preset='ultrafast', bf='2')
    whole = [
        encode(folder / f'videos/{"ab"[i % 2]}/whole{i}.{kind}', clip, **how)
        for i, kind in enumerate(('mp4', 'mkv', 'mkv', 'mp4'))
        for clip in [film(20 + i)]
    ]
    damaged = write_damaged(whole, folder / 'videos/a', COUNT)
    return folder, {f'a/{path.name}' for path, _ in damaged}


def test_all_are_left_out_and_named(mixed):
    folder, damaged = mixed
    own = prepare_own(
        read_folder(folder / 'videos'),
        lambda clips: dict(train=clips, val=[], test=[]),
        num_workers=2,
    )
    assert {path for path, reason in own.rejected if reason} == damaged
    assert len(own.facts) == len(own.splits['train']) == 4


def test_none_is_copied_and_all_are_named(mixed):
    folder, damaged = mixed
    root, paths = plan([folder / 'videos'])
    work = transcode_all(root, paths, folder / 'out', SMALL, num_workers=2)
    assert set(work.failed) == damaged and len(work.done) == 4
    lines = (folder / 'out' / FAILED).read_text().splitlines()
    named = dict(line.split('\t') for line in lines)
    assert set(named) == damaged and all(named.values())
    copies = {p.name for p in (folder / 'out').rglob('*') if p.is_file()}
    assert {c for c in copies if not c.startswith('whole')} == {
        FAILED,
        'transcode.json',
    }
