"""The picture of what is filled in: every cell of it is computed again."""

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, MODELS

from mmvidadapt.apis.data.precompute_tokens import loaders_of
from mmvidadapt.apis.inspect.masked_clip import (
    GREY,
    FilledClip,
    fill_masked,
    paint_confidence,
    paint_mask,
    save_picture,
)
from tests import runs
from tests.apis.test_precompute_tokens import cfg, images
from tests.tools.processes import call

__all__ = ['cfg', 'images']


def build(cfg):
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    for param in model.parameters():
        torch.nn.init.normal_(param, std=0.3)
    return model


@pytest.mark.parametrize('name', ['train', 'other0'])
def test_it_is_what_model_and_tokenizer_say(cfg, name):
    model = build(cfg)
    item = DATASETS.build(loaders_of(cfg)[name]['dataset'])[0]
    sample = item['data_samples']
    if name == 'train':  # a tube of part of the clip
        sample.mask[:] = sample.mask.any(0)
        sample.mask[0] = False
    mask, view = sample.mask.clone(), sample.view.clone()
    clip = fill_masked(model, item)
    times = 8 if name == 'train' else 1
    assert clip.frames.shape == (times, 32, 32, 3)
    assert np.array_equal(clip.frames, view.permute(0, 2, 3, 1).numpy())
    rows = mask.view(-1, 8, 8).repeat_interleave(2 if times == 8 else 1, 0)
    assert np.array_equal(clip.mask, rows.numpy())
    tokenizer = MODELS.build(cfg.model.tokenizer)
    tokens = tokenizer.tokenize(view)
    assert np.array_equal(clip.tokens, tokens.numpy())
    x = item['inputs'].float()
    x = x[0] if x.ndim == 5 else x  # (3, T, H, W) or (3, H, W)
    mean, std = (
        torch.tensor(v).view(3, *[1] * (x.ndim - 1))
        for v in (runs.MEAN, runs.STD)
    )
    rows = model.backbone(((x - mean) / std)[None], mask[None], dense=True)
    probs, ids = model.cls_head(rows).softmax(-1).max(-1)
    assert np.array_equal(clip.predicted, ids.view(times, 8, 8).numpy())
    np.testing.assert_allclose(
        clip.probs, probs.view(times, 8, 8).detach(), rtol=1e-4
    )
    drawn = tokenizer.decode(ids.view(times, 8, 8)).permute(0, 2, 3, 1)
    hidden = clip.mask.repeat(4, 1).repeat(4, 2)
    assert hidden.any() and not hidden.all()
    difference = clip.filled.astype(int) - drawn.numpy().round().astype(int)
    assert not difference[hidden].any()
    assert np.array_equal(clip.filled[~hidden], clip.frames[~hidden])


@pytest.fixture
def known():
    """One frame of 2 x 2 tokens: three masked, the surest one right."""
    return FilledClip(
        frames=np.full((1, 8, 8, 3), 100, np.uint8),
        mask=np.array([[[True, True], [True, False]]]),
        tokens=np.array([[[1, 2], [3, 4]]]),
        predicted=np.array([[[1, 9], [9, 9]]]),
        probs=np.array([[[0.9, 0.5], [0.1, 0.99]]]),
        filled=None,
    )


def test_accuracy_counts_masked_tokens_only(known):
    assert known.accuracy() == pytest.approx(1 / 3)
    assert known.accuracy(3) == 1
    surely_wrong = known._replace(probs=1 - known.probs)
    assert surely_wrong.accuracy(3) == 0
    assert str(known).startswith('3 of 4 tokens masked, 33.3% right, 100.0%')


def test_the_mask_is_painted_where_it_is(known):
    painted = paint_mask(known)
    for part in (painted[0, :4], painted[0, 4:, :4]):
        assert (part == GREY).all()
    assert (painted[0, 4:, 4:] == 100).all()


def test_confidence_is_painted_where_it_is(known):
    import matplotlib

    painted = paint_confidence(known)[0]
    shade = np.array(matplotlib.colormaps['viridis'](0.9)[:3]) * 255
    assert np.abs(painted[1, 1] - shade).max() <= 1
    assert painted[0, 0, 1] > painted[0, 0, 0]  # right: a green edge
    assert painted[0, 4, 0] > painted[0, 4, 1]  # wrong: a red one
    assert (painted[4:, 4:] == 50).all()  # seen, not predicted
    shades = [painted[y, x].astype(int).sum() for y, x in ((1, 1), (5, 1))]
    assert shades[0] > shades[1]  # brighter the surer it is


def test_the_tool_draws_a_picture(cfg, tmp_path, monkeypatch, capsys):
    model = build(cfg)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'model.pth')
    cfg.dump(tmp_path / 'bevt.py')
    arguments = [tmp_path / 'bevt.py', tmp_path / 'model.pth']
    tool = 'analysis/show_masked_clip.py'
    for loader, out in (('train', 'clip.png'), ('other0', 'new/image.png')):
        out = tmp_path / out
        options = ['--loader', loader, '--device', 'cpu', '--frames', 3]
        call(monkeypatch, tool, *arguments, out, *options)
        printed = capsys.readouterr().out
        assert 'tokens masked' in printed and f'written: {out}' in printed
        assert cv2.imread(str(out)).std() > 20
    for wrong, message in (
        (['--loader', 'val'], "no loader 'val'"),
        (['--index', 8], 'the data set has 8 samples'),
    ):
        with pytest.raises(SystemExit, match=message):
            call(monkeypatch, tool, *arguments, tmp_path / 'x.png', *wrong)


def test_without_a_decoder_three_rows_are_drawn(known, tmp_path):
    save_picture(known, tmp_path / 'three.png')
    filled = known._replace(filled=known.frames)
    save_picture(filled, tmp_path / 'four.png')
    paths = (str(tmp_path / f'{name}.png') for name in ('three', 'four'))
    three, four = (len(cv2.imread(path)) for path in paths)
    assert four > three


def test_a_sample_without_a_mask_is_refused(cfg):
    item = DATASETS.build(cfg.train_dataloader.dataset)[0]
    item['data_samples'].mask.zero_()
    with pytest.raises(ValueError, match='Nothing is masked'):
        fill_masked(build(cfg), item)
