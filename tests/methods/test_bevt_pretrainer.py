"""A step of BEVT's pretraining: exact, distributed, clear about bad input."""

import math

import pytest
import torch
from mmaction.registry import MODELS
from torch.testing import assert_close

from mmvidadapt.methods.bevt.tokenizers.base import Tokenizer
from tests.golden import assert_gradients, goldens
from tests.methods.bevt_samples import (
    VOCABULARY,
    arch_of,
    batch,
    build,
    image_batch,
    read,
    tiny_pretrainer,
    video_batch,
)


@MODELS.register_module()
class BrightnessTokens(Tokenizer):
    """Tells apart how bright a cell is, and remembers what it has read."""

    def __init__(self, vocab_size=VOCABULARY, input_size=32, stride=4):
        super().__init__(vocab_size, input_size, stride)
        self.weight = torch.nn.Parameter(torch.tensor(1.0))
        self.seen = []
        self.freeze()

    def features(self, frames):
        self.seen.append(len(frames))
        side = self.input_size // self.grid[0]
        cells = torch.nn.functional.avg_pool2d(frames, side)
        return cells.mean(1)[..., None]  # (M, gh, gw, 1)

    def classify(self, rows):
        return (rows[:, 0] * self.vocab_size / 256).long()


@pytest.mark.parametrize('with_cp', [False, True])
@pytest.mark.parametrize('path', goldens('bevt_joint_*.pt'))
def test_matches_the_official_step(path, with_cp):
    golden = read(path)
    meta, video = golden['meta'], golden['video']
    grid = golden['tokens_video'].shape[-1]
    model = MODELS.build(
        dict(
            type='BEVTPretrainer',
            backbone=dict(
                type='BEVTSwin',
                **arch_of(meta['kwargs']),
                img_size=video.shape[-2:],
                num_frames=video.shape[2],
                with_cp=with_cp,
            ),
            cls_head=dict(
                type='BEVTHead',
                num_classes=meta['num_classes'],
                in_channels=meta['in_channels'],
                loss_weight_3d=meta['loss_weight_3d'],
                loss_weight_2d=meta['loss_weight_2d'],
            ),
            tokenizer=dict(
                type='PrecomputedTokens',
                vocab_size=meta['num_classes'],
                input_size=grid,
            ),
        )
    ).to(video.dtype)
    model.load_state_dict(golden['state_dict'], strict=True)
    batches = tuple(
        batch(golden[s], golden[f'mask_{s}'].bool(), golden[f'tokens_{s}'])
        for s in ('video', 'image')
    )
    tol = 2e-5 if video.dtype == torch.float32 else 1e-10
    for stream, data in zip(('video', 'image'), batches):
        mask = golden[f'mask_{stream}'].bool()
        logits = model.cls_head(model.backbone(data['inputs'], mask))
        theirs = golden['output'][f'logits_{stream}']
        assert_close(logits, theirs, rtol=0, atol=tol * 10)
    model.train()
    loss, logged = model.parse_losses(model(*batches, mode='loss'))
    for name, value in golden['output']['log_vars'].items():
        assert logged[name].item() == pytest.approx(value, abs=1e-5), name
    loss.backward()
    assert_gradients(model, golden['grads'])


def test_half_precision_learns_about_the_same():
    grads = {}
    for half in (False, True):
        model = build(tiny_pretrainer())
        torch.manual_seed(1)
        batches = video_batch(), image_batch()
        with torch.autocast('cpu', dtype=torch.bfloat16, enabled=half):
            losses = model(*batches, mode='loss')
        assert losses['loss_cls_3d'].dtype == torch.float32
        model.parse_losses(losses)[0].backward()
        grads[half] = [p.grad.flatten() for p in model.parameters()]
    whole, halved = (torch.cat(parts) for parts in grads.values())
    assert torch.cosine_similarity(whole, halved, dim=0) > 0.99


def test_streams_add_up():
    model = build(tiny_pretrainer())
    video, image = video_batch(), image_batch()
    both = model(video, image, mode='loss')
    assert list(both) == [
        'loss_cls_3d', 'mask_acc_3d', 'loss_cls_2d', 'mask_acc_2d'
    ]  # fmt: skip
    for alone in (video, image):
        for name, value in model(**alone, mode='loss').items():
            assert_close(value, both[name])
    with pytest.raises(ValueError, match='two batches of the video stream'):
        model(video, video, mode='loss')


def test_weights_of_the_streams():
    config, batches = tiny_pretrainer(), (video_batch(), image_batch())
    plain = build(config)(*batches, mode='loss')
    config['cls_head'].update(loss_weight_3d=0.25, loss_weight_2d=3.0)
    losses = build(config)(*batches, mode='loss')
    assert_close(losses['loss_cls_3d'], 0.25 * plain['loss_cls_3d'])
    assert_close(losses['loss_cls_2d'], 3 * plain['loss_cls_2d'])
    assert_close(losses['mask_acc_2d'], plain['mask_acc_2d'])


def test_a_new_model_guesses():
    config = tiny_pretrainer()
    config['cls_head']['num_classes'] = 8192
    config['tokenizer']['vocab_size'] = 8192
    model = build(config)
    losses = model(video_batch(4, 8192), image_batch(8, 8192), mode='loss')
    for name in ('loss_cls_3d', 'loss_cls_2d'):
        assert 0 <= losses[name].item() - math.log(8192) < 0.3


def with_views(data, side=32):
    """Replace the pictures of ids by ordinary ones."""
    for sample in data['data_samples']:
        frames = len(sample.view)
        picture = torch.randint(256, (frames, 3, side, side))
        sample.set_field(picture.to(torch.uint8), 'view')
    return data


def test_only_frames_of_the_tube_are_tokenised():
    config = tiny_pretrainer()
    config['tokenizer'] = dict(type='BrightnessTokens')
    model = build(config)
    data = with_views(video_batch(clips=2))
    samples = data['data_samples']
    samples[1].mask[:] = False
    samples[1].mask[3, 2, 5] = True
    mask = torch.stack([sample.mask for sample in samples])
    ids = model.targets(samples, mask, 'video')
    tokenizer = model.tokenizer_on(ids.device)
    assert tokenizer.seen == [2 * 2 + 2]  # patch frames are two frames
    views = torch.cat([sample.view for sample in samples])
    tokens = tokenizer.tokenize(views)  # (clips * frames, 8, 8)
    masks = mask.repeat_interleave(2, 1).flatten(0, 1)
    assert_close(ids, tokens[masks])


def test_the_tokenizer_is_no_part_of_the_model():
    config = tiny_pretrainer()
    config['tokenizer'] = dict(type='BrightnessTokens')
    model = build(config)
    assert not any(name == 'weight' for name, _ in model.named_parameters())
    names = set(model.state_dict())
    assert names == set(build(tiny_pretrainer()).state_dict())
    assert len(list(model.children())) == 3
    tokenizer = model.tokenizer_on(torch.device('cpu'))
    assert not tokenizer.weight.requires_grad
    model.train()
    assert not tokenizer.training
    assert model.tokenizer_on(torch.device('meta')).weight.is_meta


def test_prediction_is_drawn_on_the_samples():
    model = build(tiny_pretrainer()).eval()
    data = video_batch()
    rows = model.backbone(
        data['inputs'],
        torch.stack([s.mask for s in data['data_samples']]),
        dense=True,
    )
    probs, ids = model.cls_head(rows).softmax(-1).max(-1)
    samples = model(**data, mode='predict')
    assert samples[1].pred_tokens.shape == (8, 8, 8)
    assert_close(torch.stack([s.pred_probs for s in samples]).flatten(), probs)
    assert_close(torch.stack([s.pred_tokens for s in samples]).flatten(), ids)
    images = model(**image_batch(), mode='predict')
    assert images[2].pred_tokens.shape == (1, 8, 8)
    with pytest.raises(ValueError, match="mode='guess'"):
        model(video_batch(), mode='guess')


def test_scores_of_a_clip():
    model = build(tiny_pretrainer()).eval()
    scores = model(torch.randn(1, 1, 3, 8, 32, 32))
    assert scores.shape == (8 * 8 * 8, VOCABULARY)


def test_official_checkpoints_load_as_they_are():
    model = build(tiny_pretrainer())
    official = model.state_dict()
    for name in list(official):
        if name.endswith('attn.qkv.weight'):
            index = name.replace('qkv.weight', 'relative_position_index')
            official[index] = torch.zeros(8, 8, dtype=torch.long)
    official['cls_head.vae_encoder.blocks.input.w'] = torch.zeros(1)
    model.load_state_dict(official, strict=True)
