"""The k-means tokenizer: fitted, saved, used; quality and bad input."""

import math

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from torch.testing import assert_close

from mmvidadapt.apis.data.fit_tokenizer import (
    fit,
    kmeans,
    list_pictures,
    read_pictures,
    unigram_entropy,
)
from mmvidadapt.methods.bevt.tokenizers import KMeansTokenizer
from tests.golden import SHARED
from tests.tools.processes import call

WEIGHTS = SHARED / 'data' / 'weights'
AUTOENCODER = {
    part: dict(
        type=f'Tiny{part.title()}',
        latent_dims=32,
        pooled=True,
        pretrained=str(WEIGHTS / f'taef2_{part}.pth'),
    )
    for part in ('encoder', 'decoder')
}
needs_data = pytest.mark.skipif(
    not WEIGHTS.is_dir(), reason=f'there is no {WEIGHTS}'
)


def smooth(number, size=32):
    """Draw smooth random pictures."""
    torch.manual_seed(0)
    coarse = torch.rand(number, 3, 5, 5) * 255
    resize = torch.nn.functional.interpolate
    return resize(coarse, (size, size), mode='bicubic').clamp(0, 255)


def test_kmeans_finds_what_is_there():
    torch.manual_seed(0)
    truth = torch.tensor([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0], [9.0, 9.0]])
    rows = truth.repeat(50, 1) + 0.1 * torch.randn(200, 2)
    for seed in range(5):  # also from bad starts
        found = kmeans(rows, 4, iterations=20, seed=seed)
        distance = torch.cdist(truth, found).min(1).values
        if distance.max() < 0.1:
            break
    assert distance.max() < 0.1


def test_no_centre_is_left_alone():
    """Nine tenths of the rows are one: most first centres coincide."""
    rows = torch.cat([torch.zeros(900, 2), torch.randn(100, 2)])
    centres = kmeans(rows, 50, iterations=10)
    used = torch.cdist(rows, centres).argmin(1).unique()
    assert len(used) >= 45
    with pytest.raises(ValueError, match='1000 rows cannot give 1001 centres'):
        kmeans(rows, 1001)


def test_unigram_entropy():
    assert unigram_entropy(torch.ones(7)) == pytest.approx(math.log(7))
    assert unigram_entropy(torch.tensor([5.0, 0.0])) == 0
    found = unigram_entropy(torch.tensor([2.0, 1.0, 1.0]))
    assert found == pytest.approx(1.5 * math.log(2))  # 1/2, 1/4, 1/4


def test_a_fit_makes_tokens_that_tell_pictures():
    torch.manual_seed(0)
    tokenizer = KMeansTokenizer(vocab_size=64, input_size=32, patch_size=8)
    frames = smooth(32)
    before = (tokenizer.decode(tokenizer.tokenize(frames)) - frames).square()
    report = fit(tokenizer, frames, iterations=10)
    ids = tokenizer.tokenize(frames)
    drawn = tokenizer.decode(ids)
    assert report.pictures == 32 and report.rows == 512
    assert report.used == ids.unique().numel() > 60
    assert 3 < report.entropy < math.log(64)
    error = (drawn - frames).square().mean()
    assert error < 0.2 * before.mean()
    psnr = 10 * math.log10(255**2 / error)
    assert report.psnr == pytest.approx(psnr, abs=1e-3)
    # A cell is drawn as its centre: rows of pixels, channels first.
    y, x = 1, 2
    patch = drawn[0, :, 8 * y : 8 * y + 8, 8 * x : 8 * x + 8] / 255
    centre = tokenizer.centres[ids[0, y, x]].view(3, 8, 8)
    assert_close(patch, centre.clamp(0, 1))


@needs_data
def test_the_real_autoencoder_gives_genuine_tokens():
    torch.manual_seed(0)
    videos = SHARED / 'data' / 'samples'
    frames = read_pictures([videos / 'demo.mp4'], 24, 112).float()
    sizes = dict(type='KMeansTokenizer', vocab_size=256, dims=32)
    tokenizer = MODELS.build(dict(sizes, **AUTOENCODER))
    report = fit(tokenizer, frames, iterations=5)
    z = tokenizer.features(frames[:2])  # (2, 14, 14, 32)
    exact = tokenizer.decoder(z.permute(0, 3, 1, 2)) * 255
    error = (exact.clamp(0, 255) - frames[:2]).square().mean()
    assert 10 * math.log10(255**2 / error) > 25  # the weights fit the layers
    assert tokenizer.tokenize(frames[:2]).shape == (2, 14, 14)
    assert report.psnr > 18 and report.used > 250
    assert tokenizer.decodes


def test_an_encoder_of_mmpretrain_gives_features(tmp_path):
    arch = dict(embed_dims=16, num_layers=1, num_heads=2)
    arch['feedforward_channels'] = 32
    encoder = dict(type='mmpretrain.VisionTransformer', arch=arch)
    encoder.update(img_size=32, patch_size=8, out_type='featmap')
    described = dict(type='KMeansTokenizer', vocab_size=8, input_size=32)
    described.update(encoder=encoder, dims=16, mean=(123.675, 116.28, 103.53))
    described['std'] = (58.395, 57.12, 57.375)
    tokenizer = MODELS.build(described)
    frames = smooth(8)
    report = fit(tokenizer, frames, iterations=3)
    assert report.psnr is None and report.used == 8
    mean, std = (
        torch.tensor(described[key]).view(3, 1, 1) for key in ('mean', 'std')
    )
    x = tokenizer.encoder((frames - mean) / std)[-1].permute(0, 2, 3, 1)
    assert torch.equal(
        tokenizer.tokenize(frames).flatten(),
        torch.cdist(x.flatten(0, 2), tokenizer.centres).argmin(1),
    )
    with pytest.raises(ValueError, match=r'give both, the encoder'):
        MODELS.build(dict(described, dims=None))
    wrong = MODELS.build(dict(described, dims=12))
    with pytest.raises(ValueError, match=r'gives \(8, 16, 4, 4\), but'):
        wrong.tokenize(frames)


def test_the_tool_writes_a_tokenizer_that_loads(
    listing, tmp_path, monkeypatch, capsys
):
    out = tmp_path / 'new' / 'tokens.pth'
    sizes = ['--vocab-size', 32, '--input-size', 16, '--pictures', 20]
    call(monkeypatch, 'fit_tokenizer.py', listing.parent, '--out', out, *sizes)
    printed = capsys.readouterr().out
    assert '20 pictures, 80 rows; 32 centres occur' in printed
    config = eval(printed.split('tokenizer = ')[1], {})
    tokenizer = MODELS.build(config)
    frames = smooth(3, 16)
    ids = tokenizer.tokenize(frames)
    saved = torch.load(out, weights_only=True)
    assert torch.equal(tokenizer.centres, saved['state_dict']['centres'])
    assert saved['meta']['used'] == 32
    patches = frames.unflatten(3, (2, 8)).unflatten(2, (2, 8)) / 255
    patches = patches.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(0, 2)
    expected = torch.cdist(patches, tokenizer.centres).argmin(1)
    assert torch.equal(ids.flatten(), expected)
    small = dict(config, vocab_size=16)
    with pytest.raises(ValueError, match=r'centres: \(32, 192\) in the'):
        MODELS.build(small).tokenize(frames)


def test_files_that_cannot_be_read_are_left_out_by_name(tmp_path, capsys):
    picture = np.full((40, 60, 3), 200, np.uint8)
    picture[:, 30:] = 30
    cv2.imwrite(str(tmp_path / 'a b.png'), picture)
    (tmp_path / 'bad.jpg').write_bytes(b'no image')
    (tmp_path / 'bad.mp4').write_bytes(b'no video')
    (tmp_path / 'notes.txt').write_text('not looked at')
    files = list_pictures(tmp_path)
    assert [f.name for f in files] == ['a b.png', 'bad.jpg', 'bad.mp4']
    crops = read_pictures(files, 9, 16)
    assert crops.shape == (3, 3, 16, 16) and crops.dtype == torch.uint8
    assert {30, 200} & set(crops.unique().tolist())
    with pytest.raises(ValueError, match='None of 2 files can be read'):
        read_pictures(files[1:], 4, 16)
    with pytest.raises(ValueError, match='no image and no video'):
        list_pictures(tmp_path / 'empty')


def test_pictures_are_crops_in_rgb(tmp_path):
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[..., 2] = 250  # red, as OpenCV writes it
    cv2.imwrite(str(tmp_path / 'red.png'), picture)
    crops = read_pictures([tmp_path / 'red.png'], 2, 8)
    assert crops[:, 0].min() == 250 and crops[:, 1:].max() == 0
