"""What a step of BEVT's pretraining costs, at full size, without data.

What it is compared with tokenises all frames, decodes and classifies every
position and throws away what is not masked.
"""

import random
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from mmaction.models.backbones.swin import SwinTransformer3D
from mmaction.registry import MODELS
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mmvidadapt.apis.inspect.complexity import FUSED, count_flops, count_params
from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.datasets.transforms import BlockMask, TubeMask
from mmvidadapt.methods.bevt.masked_rows import masked_rows
from mmvidadapt.methods.bevt.tokenizers import DALLETokenizer
from mmvidadapt.models import BEVTHead, BEVTSwin, BEVTVideoSwin
from mmvidadapt.trunks import swin as image_swin
from mmvidadapt.trunks import video_swin
from tests.methods.bevt_samples import batch

# At a quarter of Swin-B's channels and words, with all of its blocks.
SMALL = dict(embed_dims=32, depths=(2, 2, 18, 2), num_heads=(1, 2, 4, 8))
WORDS = 2048
CLIP, IMAGES = (1, 3, 16, 224, 224), (8, 3, 224, 224)


def gmacs(run):
    """Count the multiply-adds of what a function runs."""
    counter = FlopCounterMode(display=False, custom_mapping=FUSED)
    with counter, torch.device('meta'):
        run()
    return counter.get_total_flops() / 2e9


@pytest.fixture(scope='module')
def swin():
    with torch.device('meta'):
        return BEVTSwin(), BEVTHead(), DALLETokenizer().to('meta')


@pytest.fixture(scope='module')
def masks():
    """The masks of a clip and eight images, of average size."""
    random.seed(1)
    clip = TubeMask(tube_range=(0.75, 0.75)).transform({})['mask']
    images = [BlockMask().transform({})['mask'] for _ in range(8)]
    return dict(video=clip[None], image=torch.stack(images))


def test_sizes_are_the_published_ones(swin):
    backbone, head, tokenizer = swin

    def millions(*parts):
        return sum(
            param.numel() / 1e6
            for name, param in backbone.named_parameters()
            if name.split('.')[0] in parts
        )

    assert count_params(backbone).total / 1e6 == pytest.approx(
        101.28, abs=5e-3
    )
    assert millions('fpn_s', 'fpn_t', 'lm_down_st') == pytest.approx(
        7.87, abs=5e-3
    )
    assert millions('fpn', 'lm_down') == pytest.approx(5.77, abs=5e-3)
    assert count_params(head).total / 1e6 == pytest.approx(8.40, abs=5e-3)
    assert count_params(tokenizer).total / 1e6 == pytest.approx(
        53.79, abs=5e-3
    )


@pytest.mark.parametrize('archs', [image_swin.ARCHS, video_swin.ARCHS])
def test_names_of_sizes_mean_what_they_mean_elsewhere(archs):
    (toy, _), *known = archs.items()
    assert toy == 'tiny'
    for name, sizes in known:
        theirs = name.replace('swin-t', 'tiny')
        for key, value in SwinTransformer3D.arch_zoo[theirs].items():
            assert sizes[key] == (
                tuple(value) if isinstance(value, list) else value
            ), name


@pytest.mark.parametrize(
    'window, params, cost',
    [((8, 7, 7), 87.64, 281.3), ((16, 7, 7), 88.66, 320.4)],
)
def test_fine_tuning_costs_what_is_published(window, params, cost):
    model = BEVTVideoSwin(window_size=window)
    assert count_params(model).total / 1e6 == pytest.approx(params, abs=5e-3)
    counted = count_flops(model, (1, 3, 32, 224, 224)) / 1e9
    assert counted == pytest.approx(cost, abs=0.05)


def test_forward_passes_cost_what_is_published(swin):
    backbone, head, tokenizer = swin
    with torch.no_grad():
        video = gmacs(lambda: backbone(torch.empty(CLIP)))
        images = gmacs(lambda: backbone(torch.empty(IMAGES)))
        words = gmacs(lambda: head(torch.empty(3136 + 1568, 1024)))
        picture = gmacs(
            lambda: tokenizer.classify(
                tokenizer.features(torch.empty(1, 3, 112, 112)).flatten(0, 2)
            )
        )
    assert video == pytest.approx(148.1, abs=0.05)
    assert images == pytest.approx(127.6, abs=0.06)
    assert words == pytest.approx(39.5, abs=0.05)
    assert picture == pytest.approx(26.06, abs=0.02)


def our_step(swin, masks):
    """Learn from a clip and eight images, forwards and backwards."""
    backbone, head, tokenizer = swin
    for x, stream in ((CLIP, 'video'), (IMAGES, 'image')):
        mask, span = masks[stream], 2 if stream == 'video' else 1
        mask = mask if stream == 'video' else mask[:, None]
        rows = masked_rows(mask, span)
        rows = rows._replace(
            fine=rows.fine.to('meta'),
            coarse=[part.to('meta') for part in rows.coarse],
            order=rows.order.to('meta'),
        )
        frames = mask.repeat_interleave(span, 1).flatten(0, 1)
        read = int(frames.flatten(1).any(1).sum())
        with torch.no_grad():
            cells = tokenizer.features(torch.empty(read, 3, 112, 112))
            ids = tokenizer.classify(cells.flatten(0, 2)[: len(rows.order)])
        features = backbone.encode(torch.empty(x), mask.to('meta'), stream)
        decoded = backbone.decode(features, rows, stream)
        losses = head.loss(decoded, ids, stream)
        next(v for k, v in losses.items() if 'loss' in k).backward()


def plain_loss(backbone, head, x, mask, ids, where):
    """Score every position, then compare those that are masked."""
    scores = head(backbone(x, mask, dense=True))
    return F.cross_entropy(scores[where], ids[where])


def plain_step(backbone, head, tokenizer, masks):
    """Do the same without saving anything."""
    for x, stream in ((CLIP, 'video'), (IMAGES, 'image')):
        mask, span = masks[stream], 2 if stream == 'video' else 1
        where = mask.repeat_interleave(span, 1).flatten().nonzero()[:, 0]
        with torch.no_grad():
            pictures = mask[..., 0, 0].numel() * span
            cells = tokenizer.features(torch.empty(pictures, 3, 112, 112))
            ids = tokenizer.classify(cells.flatten(0, 2))
        given = torch.empty(x), mask.to('meta'), ids, where.to('meta')
        plain_loss(backbone, head, *given).backward()


def test_a_step_costs_nine_tenths_of_the_plain_one(swin, masks):
    shares = {k: v.float().mean().item() for k, v in masks.items()}
    assert shares['video'] == pytest.approx(0.372, abs=0.01)
    assert shares['image'] == pytest.approx(0.4975, abs=0.01)
    with torch.device('meta'):
        plain = BEVTSwin(lean=False), BEVTHead(lean=False)
    ours = gmacs(lambda: our_step(swin, masks))
    theirs = gmacs(lambda: plain_step(*plain, swin[2], masks))
    assert theirs == pytest.approx(1570, rel=0.02)
    assert ours <= 0.9 * theirs
    assert ours == pytest.approx(1364, rel=0.02)


def test_head_and_decoders_of_a_real_step_keep_four_tenths():
    """Of what a step keeps, less what its encoder alone keeps."""
    sizes = dict(arch=SMALL, img_size=64, window_size=(2, 2, 2))
    heads = dict(num_classes=WORDS, in_channels=256)
    lean = MODELS.build(
        dict(
            type='BEVTPretrainer',
            backbone=dict(type='BEVTSwin', **sizes),
            cls_head=dict(type='BEVTHead', **heads),
            tokenizer=dict(
                type='PrecomputedTokens', vocab_size=WORDS, input_size=4
            ),
        )
    )
    plain = BEVTSwin(**sizes, lean=False), BEVTHead(**heads, lean=False)
    # A tube of six of eight frames and eight images, half of each masked.
    tube = torch.zeros(1, 8, 4, 4, dtype=torch.bool)
    tube[:, 1:7, 1:3] = True  # 0.375 of a clip; 0.372 on average
    images = torch.zeros(8, 4, 4, dtype=torch.bool)
    images[:, :, 1:3] = True
    for stream, mask, span in (('video', tube, 2), ('image', images, 1)):
        times = (16,) if stream == 'video' else ()
        x = torch.randn(len(mask), 3, *times, 64, 64)
        shown = mask.repeat_interleave(span, 1) if times else mask
        ids = torch.randint(WORDS, shown.shape)
        given = mask if times else mask[:, None]
        where = shown.flatten().nonzero()[:, 0]
        steps = {
            lean: partial(lean.loss, (batch(x, mask, ids),)),
            nn.ModuleList(plain): partial(
                plain_loss, *plain, x, mask, ids.flatten(), where
            ),
        }
        kept = []
        for modules, step in steps.items():
            net = getattr(modules, 'backbone', plain[0])
            encode = partial(net.encode, x, given, stream)
            kept.append(saved_bytes(modules, lambda s=step: total(s())))
            kept[-1] -= saved_bytes(modules, encode)
        assert 0 < kept[0] <= 0.4 * kept[1]


def total(loss):
    """Add up what a step returns."""
    return sum(loss.values()) if isinstance(loss, dict) else loss
