"""Where a recognizer looked: the places that its score depends on."""

import numpy as np
import pytest
import torch
from mmaction.models.data_preprocessors import ActionDataPreprocessor
from mmaction.structures import ActionDataSample
from torch import nn
from torch.testing import assert_close

from mmvidadapt.apis.report.pictures import data_uri, heat, shrink, spread
from mmvidadapt.apis.report.where_looked import look, where_looked
from mmvidadapt.methods.dualpath.framesets import sample_frames
from tests.methods.cases import all_cases

CASES = {f'{i} {case}': case for i, case in enumerate(all_cases())}


class Recognizer(nn.Module):
    """A backbone, and fixed weights in place of a head."""

    def __init__(self, backbone, frame=None):
        super().__init__()
        self.backbone, self.frame = backbone, frame
        self.data_preprocessor = ActionDataPreprocessor(
            mean=[0.0] * 3, std=[255.0] * 3, format_shape='NCTHW'
        )

    def forward(self, views, stage):
        """Score views (1, V, 3, T, H, W)."""
        assert stage == 'head'
        x = self.backbone(views.flatten(0, 1))
        if isinstance(x, (tuple, list)):
            x = x[-1]
        if self.frame is not None:
            x = x[:, :, self.frame]
        x = x.flatten(2).mean(2)  # (V, C)
        weights = torch.linspace(-1, 1, 5 * x.shape[1]).sin()
        return x @ weights.view(-1, 5)


class Maps(nn.Module):
    """Maps of the top left quarter of frame 2, of an unknown kind."""

    def forward(self, video):
        seen = torch.zeros_like(video)
        seen[:, :, 2, :4, :4] = 1
        return (video * seen).square()


class Vector(Maps):
    """The same, summed to a vector; where, only pixels tell."""

    def forward(self, video):
        return super().forward(video).sum((2, 3, 4))[..., None]


def one_of(kind):
    return next(case for case in CASES.values() if case.name == kind)


@pytest.mark.parametrize('case', CASES.values(), ids=CASES)
def test_every_method_shows_where_it_looks(case):
    model, clip = case.build().eval(), case.batch(1)
    if hasattr(model, 'streams'):
        pytest.skip('it pretrains and classifies nothing')
    learns = {n: p.requires_grad for n, p in model.named_parameters()}
    maps = where_looked(Recognizer(model), clip)
    assert maps.shape[0] == clip.shape[2] and maps[0].numel() > 1
    assert maps.min() >= 0 and maps.std() > 0
    assert maps.sum().item() == pytest.approx(1)
    assert learns == {n: p.requires_grad for n, p in model.named_parameters()}
    assert all(p.grad is None for p in model.parameters())
    assert not any(m._forward_pre_hooks for m in model.modules())


@pytest.mark.parametrize('kind', ['ImageViT', 'LoRA', 'VPT'])
def test_only_the_frame_that_counts_is_seen(kind):
    case = one_of(kind)
    maps = where_looked(Recognizer(case.build().eval(), 2), case.batch(1))
    assert maps[2].sum().item() == pytest.approx(1)


@pytest.mark.parametrize('kind', [Maps, Vector])
def test_backbones_of_others_show_maps_or_pixels(kind):
    video = torch.rand(1, 3, 4, 8, 8) + 0.1
    maps = where_looked(Recognizer(kind()), video)
    assert maps.shape == (4, 8, 8)
    assert maps[2, :4, :4].sum().item() == pytest.approx(1)


def test_a_frozen_trunk_shows_what_a_trained_one_shows():
    case = one_of('EVL')
    clip, found = case.batch(1), []
    for options in ({}, dict(full_finetune=True), dict(with_cp=True)):
        model = case.build(**options).eval()
        found.append(where_looked(Recognizer(model), clip, target=1))
        assert model.with_cp is options.get('with_cp', False)
    assert_close(found[0], found[1])
    assert_close(found[0], found[2])


def test_sparse_frames_of_dualpath_are_where_they_were():
    case = one_of('DualPath')
    model = case.build(paths=('spatial',)).eval()
    maps = where_looked(Recognizer(model), case.batch(1))
    numbers = torch.arange(16.0)[None, None, :, None, None]
    kept = sample_frames(numbers, model.images[1]).flatten().tolist()
    assert set(maps.sum((1, 2)).nonzero().flatten().tolist()) <= set(kept)
    both = case.build().eval()
    assert (where_looked(Recognizer(both), case.batch(1)) > 0).any()


def test_the_middle_view_is_looked_at():
    views = torch.randint(0, 256, (3, 3, 4, 8, 8), dtype=torch.uint8)
    sample = dict(inputs=views, data_samples=ActionDataSample())
    frames, maps = look(Recognizer(Maps()), sample)
    assert frames.shape == (4, 8, 8, 3) and frames.dtype == torch.uint8
    assert torch.equal(frames[3], views[1, :, 3].permute(1, 2, 0))
    assert maps.shape == (4, 8, 8) and maps[2].sum().item() == pytest.approx(1)


def test_segments_that_are_read_together_are_shown_together():
    views = torch.randint(0, 256, (6, 3, 4, 8, 8), dtype=torch.uint8)
    model = Recognizer(Maps())
    model.backbone.num_segments = 2
    sample = dict(inputs=views, data_samples=ActionDataSample())
    frames, maps = look(model, sample)  # crop 1 of 0 to 2
    assert frames.shape == (8, 8, 8, 3) and maps.shape == (8, 8, 8)
    assert torch.equal(frames[4], views[3, :, 0].permute(1, 2, 0))
    assert maps[[2, 6]].sum().item() == pytest.approx(1)


def test_a_backbone_without_gradients_is_named():
    class Cut(nn.Module):
        def forward(self, video):
            return video.detach().flatten(2)

    with pytest.raises(ValueError, match='Cut lets no gradient through'):
        where_looked(Recognizer(Cut()), torch.rand(1, 3, 2, 4, 4))


def test_pictures():
    frames = np.full((2, 20, 40, 3), 100, np.uint8)
    maps = np.zeros((2, 2, 4))
    maps[1, 0, 0] = 3
    still, hot = heat(frames, maps)
    assert still.shape == (48, 96, 3) and (still == 100).all()
    assert hot[0, 0].max() > 200 and (hot[-1, -1] == 100).all()
    assert shrink(np.zeros((400, 100, 3), np.uint8)).shape == (192, 48, 3)
    assert spread(16, 4) == [2, 6, 10, 14] and spread(2) == [0, 1]
    assert data_uri(hot).startswith('data:image/jpeg;base64,/9j/')
