"""Copies are the video, frame by frame, and cheap to reach."""

import av
import numpy as np
import pytest

from mmvidadapt.datasets.prepare import decode_frames
from mmvidadapt.datasets.prepare import transcode as module
from mmvidadapt.datasets.prepare.decode_frames import decode_all
from mmvidadapt.datasets.prepare.transcode import (
    encode,
    key_frames,
    transcode,
    verify,
)
from mmvidadapt.datasets.prepare.transcode_source import (
    Settings,
    TranscodeSource,
    target_size,
)
from mmvidadapt.datasets.readers.pyav import PyAVReader
from tests import films

SMALL = Settings(short_side=32, gop=8, crf=10, encoder='pyav')
SAME = SMALL._replace(short_side=999)


def frames_of(path):
    reader = PyAVReader(str(path))
    return np.stack(reader.get_frames(range(len(reader))))


def alike(path, copy):
    """Whether every frame of a copy is nearest to its own original."""
    before, after = (frames_of(p).astype(np.float32) for p in (path, copy))
    distance = np.abs(before[:, None] - after[None]).mean((2, 3, 4))
    assert distance.diagonal().max() < 4
    return (distance.argmin(1) == np.arange(len(before))).all()


OPTIONS = [dict(pix_fmt=name) for name in ('yuvj420p', 'yuv444p')]
OPTIONS += [dict(bf='3'), dict(codec='mpeg4', q='2')]
OPTIONS += [{'x264-params': 'colormatrix=bt709'}]


@pytest.mark.parametrize('options', OPTIONS, ids=str)
def test_frame_i_is_frame_i(options, tmp_path):
    source = films.encode(tmp_path / 'a.mp4', films.film(30), **options)
    copy = transcode(source, tmp_path / 'b.mp4', SAME)
    assert (copy.frames, copy.width, copy.height) == (30, 64, 48)
    assert copy.psnr > 30
    assert copy.bytes_after == (tmp_path / 'b.mp4').stat().st_size
    assert alike(source, tmp_path / 'b.mp4')
    assert max(np.diff([*key_frames(tmp_path / 'b.mp4'), 30])) <= 8
    assert len(key_frames(source)) < len(key_frames(tmp_path / 'b.mp4'))


def test_variable_frame_rate(tmp_path):
    with av.open(str(tmp_path / 'a.mkv'), 'w') as container:
        stream = container.add_stream('libx264', rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        for i, image in enumerate(films.film(20)):
            frame = av.VideoFrame.from_ndarray(image)
            frame.pts = i + (i // 3) * 4
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    transcode(tmp_path / 'a.mkv', tmp_path / 'b.mp4', SAME)
    assert alike(tmp_path / 'a.mkv', tmp_path / 'b.mp4')


def test_sizes():
    assert target_size(340, 256, 160) == (212, 160)
    assert target_size(256, 340, 160) == (160, 212)
    assert target_size(176, 132, 256) == (176, 132)  # never enlarged
    assert target_size(175, 131, 256) == (176, 132)  # x264 wants even ones


def test_the_size_and_the_colours_are_right(tmp_path):
    source = films.encode(tmp_path / 'a.mp4', films.film(9))
    copy = transcode(source, tmp_path / 'b.mp4', SMALL)
    assert (copy.width, copy.height) == (42, 32)
    before = frames_of(source).mean((0, 1, 2))
    after = frames_of(tmp_path / 'b.mp4').mean((0, 1, 2))
    assert np.abs(before - after).max() < 1.5


def test_frames_that_the_decoder_makes_up_are_damage(tmp_path):
    """Single wrong bytes, over which a player would go in silence."""
    source = films.encode(tmp_path / 'a.mp4', films.film(40))
    data = source.read_bytes()
    begin, reasons = data.index(b'mdat') + 4, []
    for seed in range(10):
        place = begin + np.random.default_rng(seed).integers(len(data) // 2)
        wrong = bytes([data[place] ^ 255])
        source.write_bytes(data[:place] + wrong + data[place + 1 :])
        try:
            assert len(list(decode_all(source))) == 40
        except ValueError as error:
            reasons.append(str(error))
    assert sum(r.endswith('is damaged.') for r in reasons) >= 3, reasons


def test_the_encoder_chooses_the_kinds_of_frames(tmp_path):
    source = films.encode(tmp_path / 'a.mp4', films.film(30), g='1')
    assert len(key_frames(source)) == 30
    transcode(source, tmp_path / 'b.mp4', SAME)
    assert len(key_frames(tmp_path / 'b.mp4')) < 10


def test_what_the_colours_mean_is_kept(tmp_path):
    tags = {'x264-params': 'colormatrix=bt709:colorprim=bt709:transfer=bt709'}
    source = films.encode(tmp_path / 'a.mp4', films.film(3), **tags)
    transcode(source, tmp_path / 'b.mp4', SAME)
    with av.open(str(tmp_path / 'b.mp4')) as container:
        codec = container.streams.video[0].codec_context
        found = codec.colorspace, codec.color_primaries, codec.color_trc
    assert found == (1, 1, 1)


def test_a_copy_gets_its_name_when_it_is_whole(tmp_path, monkeypatch):
    seen = {}

    def noted(part, original):
        assert not (tmp_path / 'b.mp4').exists()
        seen['file'] = part.stat().st_ino
        return verify(part, original)

    monkeypatch.setattr(module, 'verify', noted)
    source = films.encode(tmp_path / 'a.mp4', films.film(9))
    transcode(source, tmp_path / 'b.mp4', SMALL)
    assert (tmp_path / 'b.mp4').stat().st_ino == seen['file']  # renamed
    assert {p.name for p in tmp_path.iterdir()} == {'a.mp4', 'b.mp4'}


def test_fewer_frames_than_promised_are_damage(tmp_path, monkeypatch):
    source = films.encode(tmp_path / 'a.mp4', films.film(20))
    for promised, whole in ((21, True), (22, False)):
        monkeypatch.setattr(
            decode_frames, 'PyAVReader', lambda _, n=promised: range(n)
        )
        if whole:
            assert len(list(decode_all(source))) == 20
            continue
        with pytest.raises(ValueError, match='only 20 of its 22 frames'):
            list(decode_all(source))


def test_a_damaged_video_leaves_nothing(tmp_path):
    source = films.encode(tmp_path / 'a.mp4', films.film(40))
    data = bytearray(source.read_bytes())
    middle = data.index(b'mdat') + len(data) // 3
    data[middle : middle + 900] = bytes(900)
    source.write_bytes(data)
    with pytest.raises(ValueError, match='decoded|damaged'):
        transcode(source, tmp_path / 'out/b.mp4', SMALL)
    assert list((tmp_path / 'out').iterdir()) == []


def written(tmp_path, settings=SAME):
    """Write a video and its copy; return the two."""
    path = films.encode(tmp_path / 'a.mp4', films.film(30))
    original = TranscodeSource(path, settings)
    encode(original, tmp_path / 'b.mp4')
    return original, tmp_path / 'b.mp4'


def test_what_was_written_is_verified(tmp_path):
    original, copy = written(tmp_path)
    assert verify(copy, original) > 40
    film = films.film(30)
    short = dict(g='8', bf='0')
    wrong = {
        'has 29 of 30 frames': (film[:-1], short),
        'is 48x64, not 64x48': ([f.transpose(1, 0, 2) for f in film], short),
        r'has key frames at \[0\] only': (film, dict(g='1000')),
        r'has key frames at \[0, 9, 18, 27\] only': (film, dict(g='9')),
        'looks different: [-0-9.]+ dB': (film[::-1], short),
    }
    for words, (images, options) in wrong.items():
        films.encode(copy, images, **options)
        with pytest.raises(ValueError, match=f'the copy {words}'):
            verify(copy, original)
