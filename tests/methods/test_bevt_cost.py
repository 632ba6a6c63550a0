"""What a step of BEVT's pretraining costs, at full size, without data.

The plain formulation tokenises all frames, decodes and classifies every
position and throws away what is not masked.
"""

import random

import pytest
import torch
from mmaction.models.backbones.swin import SwinTransformer3D
from torch.utils.flop_counter import FlopCounterMode

from mmvidadapt.apis.inspect.complexity import FUSED, count_flops, count_params
from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.datasets.transforms import BlockMask, TubeMask
from mmvidadapt.methods.bevt.masked_rows import masked_rows
from mmvidadapt.methods.bevt.tokenizers import DALLETokenizer
from mmvidadapt.models import BEVTHead, BEVTSwin, BEVTVideoSwin
from mmvidadapt.trunks import swin as image_swin
from mmvidadapt.trunks import video_swin
from tests.methods.bevt_samples import tiny_bevt
from tests.reference.plain_bevt import PlainBEVT

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
        rows = masked_rows(mask.shape, mask, span)
        rows = type(rows)(
            rows.fine.to('meta'),
            [part.to('meta') for part in rows.coarse],
            rows.order.to('meta'),
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


def plain_step(plain, tokenizer, masks):
    """Do the same without saving anything."""
    for x, stream in ((CLIP, 'video'), (IMAGES, 'image')):
        mask, span = masks[stream], 2 if stream == 'video' else 1
        shown = mask if stream == 'video' else mask[:, None]
        where = shown.repeat_interleave(span, 1).flatten().nonzero()[:, 0]
        pictures = len(shown.repeat_interleave(span, 1).flatten(0, 1))
        with torch.no_grad():
            cells = tokenizer.features(torch.empty(pictures, 3, 112, 112))
            ids = tokenizer.classify(cells.flatten(0, 2))
        maps = plain.encode(torch.empty(x), mask.to('meta'))
        loss = plain.loss(maps, ids, where.to('meta'), stream == 'image')
        loss.backward()


def test_a_step_costs_nine_tenths_of_the_plain_one(swin, masks):
    shares = {k: v.float().mean().item() for k, v in masks.items()}
    assert shares['video'] == pytest.approx(0.372, abs=0.01)
    assert shares['image'] == pytest.approx(0.4975, abs=0.01)
    with torch.device('meta'):
        plain = PlainBEVT()
    ours = gmacs(lambda: our_step(swin, masks))
    theirs = gmacs(lambda: plain_step(plain, swin[2], masks))
    assert theirs == pytest.approx(1570, rel=0.02)
    assert ours <= 0.9 * theirs
    assert ours == pytest.approx(1364, rel=0.02)


def test_head_and_decoders_keep_less_than_half_of_the_plain_ones():
    words, frames, depths, heads = 1024, 8, (1, 1), (2, 4)
    head = BEVTHead(words, 128)  # an eighth of the full size
    arch = dict(embed_dims=64, depths=depths, num_heads=heads)
    model = tiny_bevt(
        arch=arch,
        img_size=56,
        num_frames=2 * frames,
        image_mask_mode='swin',
    )
    plain = PlainBEVT(64, depths, heads, (2, 2, 2), vocab_size=words)
    plain.backbone.load_state_dict(model.state_dict())
    plain.cls_head.load_state_dict(head.state_dict())
    random.seed(1)
    for stream in ('video', 'image'):
        image = stream == 'image'
        mask = TubeMask(tube_range=(0.75, 0.75))
        mask = mask.transform({})['mask'][None]
        mask = mask[mask.flatten(2).any(-1)][None, :1] if image else mask
        span, times = (1, 1) if image else (2, frames)
        maps = [
            torch.randn(1, times, 14, 14, 64, requires_grad=True),
            torch.randn(1, times, 7, 7, 128, requires_grad=True),
        ]
        where = mask.repeat_interleave(span, 1)
        ids = torch.randint(words, where.shape)
        rows = masked_rows(mask.shape, mask, span)
        modules = torch.nn.ModuleList([model, head, plain])

        def lean(maps=maps, rows=rows, ids=ids[where], stream=stream):
            decoded = model.decode(maps, rows, stream)
            return sum(head.loss(decoded, ids, stream).values())

        def whole(maps=maps, ids=ids, where=where, image=image):
            flat = where.flatten().nonzero()[:, 0]
            return plain.loss(maps, ids, flat, image)

        kept = saved_bytes(modules, lean)
        assert 0 < kept <= 0.5 * saved_bytes(modules, whole)
