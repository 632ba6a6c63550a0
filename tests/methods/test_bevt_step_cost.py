"""What a step of the real pretraining recogniser costs, on real data.

At a quarter of Swin-B's channels, words and tokenizer, all of its blocks, and
64 pixels. The plain formulation tokenises all frames and classifies every
position; ``test_bevt_cost.py`` counts the full size.
"""

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch.testing import assert_close
from torch.utils.flop_counter import FlopCounterMode

from mmvidadapt.apis.inspect.complexity import FUSED
from mmvidadapt.apis.train.memory import saved_bytes
from tests.reference.plain_bevt import PlainBEVT

CHANNELS, DEPTHS, HEADS = 32, (2, 2, 18, 2), (1, 2, 4, 8)
WORDS, WINDOW, IMAGES = 2048, (2, 2, 2), 8
SHAPES = dict(video=(1, 3, 16, 64, 64), image=(IMAGES, 3, 64, 64))


@pytest.fixture(scope='module')
def models():
    """Build the recogniser and, with its weights, the plain model."""
    torch.manual_seed(0)
    ours = MODELS.build(
        dict(
            type='BEVTPretrainer',
            backbone=dict(
                type='BEVTSwin',
                arch=dict(embed_dims=CHANNELS, depths=DEPTHS, num_heads=HEADS),
                img_size=64,
                window_size=WINDOW,
            ),
            cls_head=dict(
                type='BEVTHead', num_classes=WORDS, in_channels=8 * CHANNELS
            ),
            tokenizer=dict(
                type='DALLETokenizer',
                vocab_size=WORDS,
                input_size=32,
                n_hid=64,
            ),
        )
    )
    plain = PlainBEVT(CHANNELS, DEPTHS, HEADS, WINDOW, vocab_size=WORDS)
    plain.load_state_dict(ours.state_dict())
    return ours, plain


@pytest.fixture(scope='module')
def batches():
    """A tube of six of eight frames and eight images, half of each masked."""
    torch.manual_seed(1)
    tube = torch.zeros(1, 8, 4, 4, dtype=torch.bool)
    tube[:, 1:7, 1:3] = True  # 0.375 of a clip; 0.372 on average
    images = torch.zeros(IMAGES, 4, 4, dtype=torch.bool)
    images[:, :, 1:3] = True
    made = {}
    for stream, mask in (('video', tube), ('image', images)):
        pictures, samples = 16 if stream == 'video' else 1, []
        for one in mask:
            sample = ActionDataSample()
            sample.set_field(one, 'mask')
            view = torch.randint(256, (pictures, 3, 32, 32))
            sample.set_field(view.byte(), 'view')
            samples.append(sample)
        x = torch.randn(SHAPES[stream])
        made[stream] = dict(inputs=x, data_samples=samples)
    return made


def our_losses(ours, batches):
    """Let the recogniser learn from both streams."""
    losses = ours(*batches.values(), mode='loss')
    return [losses['loss_cls_3d'], losses['loss_cls_2d']]


def masked_places(batch, stream):
    """Return the masks, and the masked positions at the rate of frames."""
    mask = torch.stack([s.mask for s in batch['data_samples']])
    shown = mask.repeat_interleave(2, 1) if stream == 'video' else mask
    return mask, shown.flatten().nonzero()[:, 0]


def plain_losses(ours, plain, batches):
    """Do the same without saving anything."""
    losses, tokenizer = [], ours.tokenizer_on(torch.device('cpu'))
    for stream, batch in batches.items():
        mask, where = masked_places(batch, stream)
        view = torch.cat([s.view for s in batch['data_samples']])
        with torch.no_grad():
            cells = tokenizer.features(view.float()).flatten(0, 2)
            ids = tokenizer.classify(cells)
        maps = plain.encode(batch['inputs'], mask)
        losses.append(plain.loss(maps, ids, where, stream == 'image'))
    return losses


def test_the_real_step_costs_nine_tenths_of_the_plain_one(models, batches):
    ours, plain = models

    def counted(run):
        counter = FlopCounterMode(display=False, custom_mapping=FUSED)
        with counter:
            losses = run()
            sum(losses).backward()
        return losses, counter.get_total_flops()

    losses, lean = counted(lambda: our_losses(ours, batches))
    expected, whole = counted(lambda: plain_losses(ours, plain, batches))
    assert_close(losses, expected)
    assert 0.5 * whole < lean <= 0.9 * whole


def test_the_real_head_and_decoders_keep_six_tenths(models, batches):
    """What a step keeps, less what its encoder alone keeps."""
    ours, plain = models
    for stream, batch in batches.items():
        mask, where = masked_places(batch, stream)
        x, name = batch['inputs'], '3d' if stream == 'video' else '2d'
        given = mask if stream == 'video' else mask[:, None]
        ids = torch.randint(WORDS, (mask.numel() * (1 + (name == '3d')),))

        def step(batch=batch, name=name):
            return ours(batch, mode='loss')[f'loss_cls_{name}']

        def encode(x=x, given=given, stream=stream):
            return ours.backbone.encode(x, given, stream)

        def plain_step(x=x, mask=mask, ids=ids, where=where, name=name):
            return plain.loss(plain.encode(x, mask), ids, where, name == '2d')

        def plain_encode(x=x, mask=mask):
            return plain.encode(x, mask)

        kept = saved_bytes(ours, step) - saved_bytes(ours, encode)
        whole = saved_bytes(plain, plain_step)
        whole -= saved_bytes(plain, plain_encode)
        assert 0 < kept <= 0.6 * whole
