"""Where class tokens look: maps against attention written out, pictures."""

import cv2
import numpy as np
import pytest
import torch
from einops import rearrange
from mmaction.registry import MODELS
from torch.testing import assert_close

from mmvidadapt.apis.inspect.path_attention import (
    attention_picture,
    class_attention,
    cut_framesets,
    draw_maps,
    lay_out,
)
from mmvidadapt.trunks.dialects import DIALECTS
from mmvidadapt.utils.video import write_video
from tests import runs
from tests.methods.test_dualpath import (
    VIDEO,
    every_paths,
    every_variant,
    randomize,
    tiny,
)
from tests.tools.processes import call


def attention_of(dual, video, layer):
    """Write the attention of a block's class tokens out, (images, N)."""
    block = dual.transformer.resblocks[layer]
    x = dual.ln_pre(dual.embed(video))
    for before in dual.transformer.resblocks[:layer]:
        x = before(x)
    h = block.ln_1(x)
    cut = 2 * dual.images[0]
    if block.t_adapter_attn_b is not None:
        h = torch.cat([block.t_adapter_attn_b(h[:cut]), h[cut:]])
    wq, wk, _ = block.attn.in_proj_weight.chunk(3)
    bq, bk, _ = block.attn.in_proj_bias.chunk(3)
    q = rearrange(h[:, 0] @ wq.T + bq, 'f (m d) -> f m d', m=2)
    k = rearrange(h @ wk.T + bk, 'f n (m d) -> f m n d', m=2)
    scores = torch.einsum('fmd,fmnd->fmn', q, k) / 16**0.5
    return scores.softmax(-1).mean(1)[:, 1:], cut


@pytest.mark.parametrize('layer', [0, 1])
@every_paths
@every_variant
@torch.no_grad()
def test_maps_are_the_attention_of_the_class_tokens(variant, paths, layer):
    dual = tiny(variant, paths=paths, img_size=64).eval()  # 8 x 8 patches
    randomize(dual, trained_only=False)
    video = torch.randn(2, 3, 16, 64, 64)
    maps = class_attention(dual, video, layer - 2)
    wanted, cut = attention_of(dual, video, layer)
    if 'temporal' in paths:
        whole = wanted[:cut].view(2, 1, 8, 8)
        assert_close(maps.temporal, cut_framesets(whole, 4, 4))
    else:
        assert maps.temporal is None
    if 'spatial' in paths:
        assert_close(maps.spatial, wanted[cut:].view(2, 8, 8, 8))
    else:
        assert maps.spatial is None


def test_framesets_are_cut_into_their_frames():
    whole = torch.arange(1.0, 13.0).view(2, 2, 3)  # 2 framesets of 2 x 3
    whole = whole.repeat_interleave(6, 1).repeat_interleave(4, 2)[None]
    frames = cut_framesets(whole, 2, 3)  # of 12 x 12 patches
    assert frames.shape == (1, 12, 12, 12)
    middle = frames[0, :, 3:9, 3:9].flatten(1)
    assert_close(middle, torch.arange(1.0, 13.0)[:, None].expand(12, 36))


def test_frames_are_coloured_from_blue_to_red():
    frames = np.full((2, 8, 8, 3), 100, np.uint8)
    maps = np.zeros((2, 2, 2))
    maps[1] = 0.3
    low, high = draw_maps(frames, maps)
    assert low.shape == (8, 8, 3) and low.dtype == np.uint8
    assert low[0, 0, 2] > low[0, 0, 0] and high[0, 0, 0] > high[0, 0, 2]
    flat = draw_maps(frames, np.ones((2, 2, 2)))
    assert np.array_equal(flat[0], flat[1])


def test_frames_are_laid_out_in_rows_of_eight():
    frames = [np.full((6, 5, 3), i, np.uint8) for i in range(10)]
    page = lay_out(frames)
    assert page.shape == (2 * (6 + 4), 8 * (5 + 4), 3)
    assert (page[4:10, 13:18] == 1).all() and (page[14:20, 4:9] == 8).all()
    assert (page[14:20, 22:] == 255).all()


@pytest.fixture
def config(tmp_path):
    """Write a video and the config of a tiny model."""
    config = runs.recipe(tmp_path / 'list.txt', tmp_path)
    sizes = dict(arch='tiny', img_size=16, num_frames=16)
    config.model.backbone = dict(type='DualPath', **sizes)
    head = dict(type='DualPathHead', num_classes=4, in_channels=64)
    config.model.cls_head = head
    config.test_pipeline[1].update(clip_len=16, num_clips=3)
    image = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    film = [np.roll(image, i, 1) for i in range(20)]
    write_video(tmp_path / 'x.mp4', film, 10)
    return config


@pytest.mark.filterwarnings('ignore:DualPath. the frozen trunk')
@pytest.mark.parametrize('paths,rows', [(2, 3), (1, 2)])
def test_a_video_becomes_a_picture(config, tmp_path, paths, rows):
    config.model.backbone.paths = ('temporal', 'spatial')[:paths]
    config.model.cls_head.in_channels = 32 * paths
    page = attention_picture(config, None, tmp_path / 'x.mp4', 0, 'cpu')
    assert page.shape == (rows * (16 + 4), 8 * (16 + 4), 3)
    assert page.dtype == np.uint8


def test_what_cannot_be_drawn_is_named(config, tmp_path):
    registers = dict(DIALECTS['clip'], registers=2)
    no_class = dict(cls_token=False, out_type='avg_featmap', dialect=registers)
    for dual, layer, reason in (
        (tiny(), 2, 'layer=2.*2 blocks.*-2 to 1'),
        (tiny(**no_class), -1, 'no class token'),
    ):
        with pytest.raises(ValueError, match=reason):
            class_attention(dual, torch.randn(VIDEO), layer)
    config.model.backbone.framesets_from = 'pipeline'
    with pytest.raises(ValueError, match='builds its framesets itself'):
        attention_picture(config, None, tmp_path / 'x.mp4')
    config.model.backbone = dict(type='AIM', arch='tiny')
    with pytest.raises(ValueError, match="not .*'AIM'"):
        attention_picture(config, None, tmp_path / 'x.mp4')


def test_the_tool_draws_what_a_checkpoint_sees(
    config, tmp_path, monkeypatch, capsys
):
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    randomize(model, trained_only=False)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'x.pth')
    config.dump(tmp_path / 'x.py')
    monkeypatch.chdir(tmp_path)
    files = ('x.py', 'x.mp4', 'x.png', '--checkpoint', 'x.pth')
    call(monkeypatch, 'attention_maps.py', *files, '--device', 'cpu')
    assert 'written: x.png' in capsys.readouterr().out
    page = cv2.imread('x.png')[..., ::-1]
    again = attention_picture(config, 'x.pth', 'x.mp4', device='cpu')
    assert np.array_equal(page, again)
    assert page[4:20, 4:20].std() > 1
