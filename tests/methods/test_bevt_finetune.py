"""Fine-tuning from BEVT: the official recognizer, in half the memory."""

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch.testing import assert_close

from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.methods.bevt.video_swin import VideoSwin
from mmvidadapt.models import BEVTVideoSwin
from mmvidadapt.trunks.parts import lean_window_attention as module
from tests.golden import assert_gradients, assert_output, goldens, load_golden
from tests.methods.bevt_samples import TOY, plain_arch


def recognizer(golden):
    """Build the recognizer of a golden, with its weights."""
    meta, video = golden['meta'], golden['input']
    model = MODELS.build(
        dict(
            type='Recognizer3D',
            backbone=dict(
                type='BEVTVideoSwin',
                **plain_arch(meta['kwargs']),
                img_size=tuple(video.shape[-2:]),
                num_frames=video.shape[3],
            ),
            cls_head=dict(
                type='Float32I3DHead',
                num_classes=meta['num_classes'],
                in_channels=golden['output']['feat'].shape[1],
                dropout_ratio=meta['dropout_ratio'],
                label_smooth_eps=meta['label_smoothing'],
                average_clips='prob',
            ),
        )
    )
    model.load_state_dict(golden['state_dict'], strict=True)
    return model.to(video.dtype)


@pytest.mark.parametrize('path', goldens('bevt_finetune_*.pt'))
def test_a_step_is_the_official_one(path):
    golden = load_golden(path)
    model = recognizer(golden).train()
    features = model.backbone(golden['input'][:, 0])
    assert_output(features, golden['output']['feat'])
    samples = []
    for label in golden['label'].flatten():
        samples.append(ActionDataSample().set_gt_label(int(label)))
    loss = model(golden['input'], samples, mode='loss')['loss_cls']
    assert loss.item() == pytest.approx(golden['output']['loss_cls'], abs=1e-5)
    loss.backward()
    last = model.backbone.last_norm
    grads = {
        name.replace('backbone.norm.', f'backbone.{last}.'): grad
        for name, grad in golden['grads'].items()
    }
    assert_gradients(model, grads)


@pytest.mark.parametrize('path', goldens('bevt_finetune_*.pt'))
def test_views_are_averaged_as_in_the_official_code(path):
    golden = load_golden(path)
    model, views = recognizer(golden).eval(), golden['views']
    samples = [ActionDataSample() for _ in views]
    with torch.no_grad():
        predicted = model(views, samples, mode='predict')
    scores = torch.stack([sample.pred_score for sample in predicted])
    assert_output(scores, golden['output_views'])


def tiny(**given):
    """Build a small model whose parameters are all random, in float64."""
    torch.manual_seed(0)
    sizes = dict(img_size=32, num_frames=8, window_size=(2, 2, 2))
    model = BEVTVideoSwin(**{'arch': TOY, **sizes, **given})
    for param in model.parameters():
        torch.nn.init.normal_(param, std=0.1)
    return model.double().train()


def outcome(model, clips=2):
    """Return features and gradients, with the same paths dropped."""
    torch.manual_seed(1)
    video = torch.randn(clips, 3, 8, 32, 32).double()
    features = model(video)
    weight = torch.linspace(-1, 1, features.numel()).view_as(features)
    (features * weight).sum().backward()
    grads = {n: p.grad for n, p in model.named_parameters()}
    return dict(grads, features=features.detach())


def agree(found, wanted, tol=1e-10):
    """Compare tensor by tensor, relative to each one's largest value."""
    for name, value in wanted.items():
        atol = tol * max(value.abs().max().item(), 1e-3)
        assert_close(found[name], value, rtol=0, atol=atol, msg=name)


@pytest.mark.parametrize('with_cp', [False, True])
def test_dropped_paths_are_mmaction2s(with_cp):
    lean = outcome(tiny(drop_path_rate=0.4, with_cp=with_cp))
    agree(lean, outcome(tiny(drop_path_rate=0.4, lean=False)))


def test_few_scores_at_a_time_are_all_scores(monkeypatch):
    wanted = outcome(tiny(), clips=3)
    monkeypatch.setattr(module, 'CHUNK', 1)
    agree(outcome(tiny(), clips=3), wanted, 1e-12)


def test_a_model_is_used_twice_before_going_back():
    model = tiny()
    clips = torch.randn(2, 2, 3, 8, 32, 32).double()
    sum(model(clip).sum() for clip in clips).backward()
    found = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    for clip in clips:
        model(clip).sum().backward()
    for mine, param in zip(found, model.parameters()):
        assert_close(mine, param.grad, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    'given', [dict(attn_drop_rate=0.1), dict(drop_rate=0.1), dict(qkv_bias=0)]
)
def test_options_that_change_a_block_are_left_to_mmaction2(given):
    model = tiny(**given)
    assert type(model) is VideoSwin
    assert model(torch.randn(1, 3, 8, 32, 32).double()).isfinite().all()


def test_half_of_the_memory():
    """Channels and windows in the proportions of Swin-B."""
    kept, video = {}, torch.randn(1, 3, 16, 112, 112)
    for lean in (True, False):
        model = BEVTVideoSwin(
            dict(embed_dims=64, depths=(2, 2), num_heads=(2, 4)),
            img_size=112,
            num_frames=16,
            window_size=(4, 7, 7),
            lean=lean,
        ).train()
        kept[lean] = saved_bytes(model, lambda m=model: m(video))
    assert 0 < kept[True] <= 0.5 * kept[False]
    tokens = 8 * (28**2 * 64 + 14**2 * 128) * 4  # bytes of a map of a block
    # q, k, v, the outcome, both inputs of norms, the hidden layer: 10 maps.
    assert kept[True] <= 2 * 10.5 * tokens + 6 * tokens
