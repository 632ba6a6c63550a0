"""Every backbone with every head: it works, or one sentence says what does."""

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

FRAMES, SIDE, CLASSES = 4, 32, 3
TINY = dict(arch='tiny', img_size=SIDE)
CLIP = dict(TINY, num_frames=FRAMES)
# Backbones, with the channels of their features.
BACKBONES = dict(
    AIM=(CLIP, 32),
    AIMSwin=(CLIP, 32),
    AdaptFormer=(dict(TINY, adapter_dims=4), 32),
    BEVTVideoSwin=(dict(CLIP, window_size=(2, 4, 4)), 32),
    DualPath=(dict(TINY, num_frames=16), 64),
    EVL=(dict(CLIP, decoder_num_layers=2), 32),
    ImageViT=(TINY, 32),
    LoRA=(dict(TINY, rank=2), 32),
    STAdapter=(dict(CLIP, adapter_dims=4), 32),
    VPT=(dict(TINY, num_prompts=2), 32),
    ViViT=(CLIP, 32),
    ViViTFactorisedDotProduct=(CLIP, 32),
    ViViTFactorisedEncoder=(CLIP, 32),
    ViViTFactorisedSelfAttention=(CLIP, 32),
)
# Those that give one vector of a clip, which some heads want.
VECTORS = ('DualPath', 'EVL', 'ViViT')
WORK = dict(
    Float32I3DHead={},
    I3DHead={},
    X3DHead={},
    OmniHead=dict(image_classes=2, video_classes=CLASSES),
    TPNHead={},
)
FAIL = dict(
    TSNHead='the frames of a Recognizer2D one by one',
    TSMHead='the frames of a Recognizer2D one by one',
    TRNHead='the frames of a Recognizer2D one by one',
    TimeSformerHead=r'vectors \(N, C\)',
    UniFormerHead=r'vectors \(N, C\)',
    MViTHead='the stages of an MViT',
    SlowFastHead='a slow and a fast pathway',
)


def build(backbone, head, kind='Recognizer3D', **wrong):
    options, channels = BACKBONES[backbone]
    known = dict(num_classes=CLASSES, in_channels=channels)
    if head == 'OmniHead':
        known.pop('num_classes')
    config = dict(
        type=kind,
        backbone=dict(options, type=backbone),
        cls_head={**known, 'type': head, **WORK.get(head, {}), **wrong},
    )
    return MODELS.build(config)


def clips(backbone):
    options = BACKBONES[backbone][0]
    frames, side = options.get('num_frames', FRAMES), options['img_size']
    return torch.randn(2, 1, 3, frames, side, side)


def samples():
    return [ActionDataSample().set_gt_label(i) for i in (0, 2)]


@pytest.mark.parametrize('head', WORK)
@pytest.mark.parametrize('backbone', BACKBONES)
def test_these_work(backbone, head):
    model = build(backbone, head).eval()
    losses = model.loss(clips(backbone), samples())
    assert losses['loss_cls'].isfinite() and losses['loss_cls'].grad_fn
    with torch.no_grad():
        for sample in model.predict(clips(backbone), samples()):
            assert sample.pred_score.numel() == CLASSES


@pytest.mark.parametrize('head', FAIL)
@pytest.mark.parametrize('backbone', BACKBONES)
def test_these_say_what_does(backbone, head):
    with pytest.raises(ValueError, match=f'{head} reads {FAIL[head]}') as at:
        build(backbone, head)
    assert str(at.value).startswith(f'{backbone} gives features (N, C, T')
    assert "'Float32I3DHead'" in str(at.value)


@pytest.mark.parametrize('head', ['TSNHead', 'I3DHead'])
@pytest.mark.parametrize('backbone', BACKBONES)
def test_frames_one_by_one_are_no_clip(backbone, head):
    with pytest.raises(ValueError, match="model.type='Recognizer3D'"):
        build(backbone, head, 'Recognizer2D')


@pytest.mark.parametrize('head', ['EVLHead', 'DualPathHead', 'ViViTHead'])
@pytest.mark.parametrize('backbone', BACKBONES)
def test_heads_of_one_vector(backbone, head):
    more = dict(representation_size=8) if head == 'ViViTHead' else {}
    model = build(backbone, head, **more).eval()
    if backbone.startswith(VECTORS):
        model.loss(clips(backbone), samples())
        return
    with pytest.raises(ValueError, match="use type='Float32I3DHead'"):
        model.loss(clips(backbone), samples())


@pytest.mark.parametrize(
    'head', ['Float32I3DHead', 'EVLHead', 'DualPathHead', 'ViViTHead']
)
def test_other_channels_are_named(head):
    model = build('EVL', head, in_channels=48)
    with pytest.raises(ValueError, match='set cls_head.in_channels=32'):
        model.loss(clips('EVL'), samples())


@pytest.mark.parametrize('backbone', ['BEVTSwin', 'BEVTTimeSformer'])
def test_backbones_of_pretraining_say_so(backbone):
    config = dict(
        type='Recognizer3D',
        backbone=dict(type=backbone, arch='tiny', img_size=112),
        cls_head=dict(type='I3DHead', num_classes=2, in_channels=32),
    )
    with pytest.raises(ValueError, match="backbone.type='BEVTVideoSwin'"):
        MODELS.build(config)


def test_heads_of_ones_own_and_other_models_are_left_alone():
    own = MODELS.get('TSNHead')

    class Mine(own):
        """Reads features of clips."""

        def forward(self, x, **kwargs):
            """Score them."""
            return self.fc_cls(x.mean((2, 3, 4)))

    model = build('AIM', 'Float32I3DHead')
    model.cls_head = Mine(CLASSES, 32)
    assert model.loss(clips('AIM'), samples())['loss_cls'].isfinite()
    with pytest.raises(ValueError, match='AIM gives features'):
        model.cls_head = own(CLASSES, 32)
    parts = torch.nn.Module()
    parts.backbone, parts.cls_head = model.backbone, own(CLASSES, 32)
    resnet = dict(type='ResNet', depth=18)
    head = dict(type='TSNHead', num_classes=2, in_channels=512)
    MODELS.build(dict(type='Recognizer2D', backbone=resnet, cls_head=head))


def test_a_head_without_a_width_says_who_fills_it_in():
    with pytest.raises(ValueError, match='in_channels.*AdaptedRecognizer'):
        MODELS.build(dict(type='Float32I3DHead', num_classes=3))
