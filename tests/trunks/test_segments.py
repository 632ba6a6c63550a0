"""Segments of a video: encoded alone, read together, crops by themselves."""

import numpy as np
import pytest
import torch
from einops import rearrange
from mmaction.apis import init_recognizer
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmcv.transforms import Compose
from mmengine.config import Config
from torch.testing import assert_close

from mmvidadapt.apis.benchmark.compared_models import Contender
from mmvidadapt.apis.benchmark.step import Settings, Step
from mmvidadapt.apis.inspect.complexity import clip_shape, count_flops
from mmvidadapt.apis.use.inference import Classifier
from mmvidadapt.apis.use.read_clip import read_clip
from mmvidadapt.trunks.cached.rows import gather, pack
from mmvidadapt.utils.video import write_video

SIZES = dict(arch='tiny', img_size=(16, 24), num_frames=4)
POOLER = dict(num_layers=1, num_queries=2)
PROBE = dict(SIZES, type='AttentiveProbe', pooler=POOLER)
VJEPA2 = dict(SIZES, type='VJEPA2', out_type='attn_pool', pooler=POOLER)
HEAD = dict(
    type='Float32I3DHead',
    num_classes=7,
    in_channels=32,
    dropout_ratio=0.0,
    average_clips='prob',
)
every_probe = pytest.mark.parametrize(
    'config', [PROBE, VJEPA2], ids=('image', 'video')
)


def build(config, **given):
    torch.manual_seed(0)
    model = MODELS.build({**config, **given}).eval()
    for param in model.parameters():
        torch.nn.init.normal_(param, std=0.3)
    return model


def recognizer(config, **given):
    backbone = dict(config, num_segments=2)
    model = dict(type='AdaptedRecognizer', backbone=backbone, cls_head=HEAD)
    return build(model, **given)


def test_frames_of_an_image_trunk_are_numbered_through_all_segments():
    video = torch.randn(3, 3, 8, 16, 24)  # B crops of two segments
    clips = video.unflatten(2, (2, 4)).transpose(1, 2).flatten(0, 1)
    for taps in ((1,), (0, 1)):
        one = build(PROBE, num_frames=8, out_indices=taps)
        two = build(PROBE, num_segments=2, out_indices=taps)
        wanted = one(video)
        assert_close(two(clips), wanted)
        swapped = clips.unflatten(0, (3, 2)).flip(1).flatten(0, 1)
        assert (two(swapped) - wanted).abs().max() > 1e-3


@pytest.mark.parametrize('out_type', ['attn_pool', 'avg_featmap', 'featmap'])
def test_a_video_trunk_encodes_every_segment_alone(out_type):
    pooler = POOLER if out_type == 'attn_pool' else None
    given = dict(out_indices=(1, 3), out_type=out_type, pooler=pooler)
    given['arch'] = dict(
        embed_dims=32, num_layers=4, num_heads=2, patch_size=8
    )
    video = torch.randn(4, 3, 4, 16, 24)  # two crops of two segments
    model = build(VJEPA2, **given, num_segments=2)
    given.update(out_type='featmap', pooler=None)
    alone = build(VJEPA2, **given)
    alone.load_state_dict(model.state_dict(), strict=False)
    tokens = alone(video).unflatten(2, (2, -1)).unflatten(0, (2, 2))
    tokens = rearrange(tokens, 'b s c k t h w -> b (k s t h w) c')
    found = model(video)
    if out_type == 'featmap':
        assert_close(found.flatten(2).mT, tokens)
    elif out_type == 'avg_featmap':
        assert_close(found[..., 0, 0], tokens.mean(1)[..., None])
    else:
        assert_close(found[..., 0, 0].mT, model.attn_pool(tokens))


@every_probe
@torch.no_grad()
def test_cached_features_of_segments_are_read_together(config):
    video = torch.randn(4, 3, 4, 16, 24)
    model = build(config, num_segments=2)
    key, arrays = model.trunk_key(), gather(model.taps(video))
    rows = torch.stack([pack(*clip, key) for clip in zip(*arrays)])
    assert_close(model(rows), model(video), rtol=0, atol=0.01)
    assert model(rows).shape[0] == 2
    with pytest.raises(ValueError, match='num_segments=2 got 3 clips'):
        model(rows[:3])


def test_the_host_puts_segments_of_a_crop_side_by_side():
    """A pixel is 20 times its frame and its column: who is who."""
    frames = np.arange(8)[:, None, None, None] * 20 + np.arange(12)[:, None]
    film = np.broadcast_to(frames, (8, 4, 12, 3)).astype(np.uint8)
    sample = dict(clip_len=2, frame_interval=1, num_clips=2, test_mode=True)
    data = Compose(
        [
            dict(type='mmaction.SampleFrames', **sample),
            dict(type='mmaction.ArrayDecode'),
            dict(type='mmaction.ThreeCrop', crop_size=4),
            dict(type='mmaction.FormatShape', input_format='NCTHW'),
        ]
    )(dict(array=film, total_frames=8, start_index=0, modality='RGB'))
    firsts = data['imgs'][:, 0, :, 0, 0].astype(int)  # (crops*S, T)
    inds = np.ravel(data['frame_inds']).reshape(2, 2)
    wanted = [20 * clip + left for left in (0, 8, 4) for clip in inds]
    assert firsts.tolist() == np.array(wanted).tolist()


@every_probe
def test_a_recognizer_averages_crops_and_learns_from_one_row_a_video(config):
    model = recognizer(config)
    inputs = torch.randn(2, 6, 3, 4, 16, 24)  # videos of 3 crops x 2 segments
    samples = [ActionDataSample().set_gt_label(i) for i in (5, 3)]
    rows = [model.backbone(crop) for crop in inputs.flatten(0, 1).split(2)]
    scores = model.cls_head(torch.cat(rows)).unflatten(0, (2, 3))
    with torch.no_grad():
        results = model(inputs, samples, mode='predict')
    found = torch.stack([result.pred_score for result in results])
    assert_close(found, scores.softmax(-1).mean(1))

    losses = model(inputs[:, :2].contiguous(), samples, mode='loss')
    wanted = torch.nn.functional.cross_entropy(
        scores[:, 0], torch.tensor([5, 3])
    )
    assert_close(losses['loss_cls'], wanted)

    model.test_cfg = dict(max_testing_views=2)
    result = model(inputs[:1], samples[:1], mode='predict')[0]
    assert_close(result.pred_score, found[0])
    model.test_cfg = dict(max_testing_views=3)
    with pytest.raises(ValueError, match='=2 got 3 clips.*max_testing_views'):
        model(inputs[:1], samples[:1], mode='predict')


def test_equal_clips_of_a_short_video_stay_as_many_as_are_read_together(
    tmp_path,
):
    """Of a video of one frame, six views of three crops, all are the same."""
    frame = np.full((16, 24, 3), 99, np.uint8)
    write_video(tmp_path / 'short.mp4', [frame], fps=10)
    sample = dict(clip_len=4, frame_interval=1, num_clips=6, test_mode=True)
    steps = [
        dict(type='VideoInit', backend='auto'),
        dict(type='SampleFrames', **sample),
        dict(type='VideoDecode'),
        dict(type='FormatShape', input_format='NCTHW'),
        dict(type='PackActionInputs'),
    ]
    for count in (1, 2):
        backbone = dict(PROBE, num_segments=count)
        config = dict(type='AdaptedRecognizer', backbone=backbone)
        config['cls_head'] = HEAD
        config = Config(dict(model=config, test_pipeline=steps))
        model = init_recognizer(config, device='cpu')
        torch.save(model.state_dict(), tmp_path / 'model.pth')
        video = read_clip(model, tmp_path / 'short.mp4')['inputs']
        assert video.shape[:2] == (1, count)
        classifier = Classifier(config, str(tmp_path / 'model.pth'), 'cpu')
        of_file = [p.top for p in classifier.video(tmp_path / 'short.mp4')]
        assert len(of_file[0]) == len(classifier.frames([frame])) == 5


@every_probe
def test_costs_are_those_of_all_segments(config):
    model = recognizer(config)
    shape = clip_shape(Config(dict(model=dict(backbone=config))), 3)
    assert shape == (3, 3, 4, 16, 24)
    both = Config(dict(model=dict(backbone=dict(config, num_segments=2))))
    assert clip_shape(both, 3) == (6, 3, 4, 16, 24)
    if config is PROBE:
        one = build(config, num_frames=8)
        wanted = count_flops(one, (1, 3, 8, 16, 24))
        assert count_flops(model.backbone, clip_shape(both)) == wanted
    parts = dict(backbone=dict(config, num_segments=2), cls_head=HEAD)
    step = Step(
        Contender(
            '', dict(type='AdaptedRecognizer', **parts), (6, *shape[1:])
        ),
        Settings(),
    )
    assert step.forward().shape[0] == 3
    step.step()
    assert any(grad.any() for grad in step.gradients().values())
