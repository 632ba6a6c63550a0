"""Models and samples that the tests of BEVT share."""

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

from mmvidadapt.methods.bevt.tokenizers.precomputed import ids_to_picture
from mmvidadapt.models import BEVTSwin
from tests.golden import load_golden

WINDOW = (2, 2, 2)
TOY = dict(embed_dims=16, depths=(2, 2), num_heads=(2, 4))
VOCABULARY = 16


def arch_of(kwargs):
    """Translate the arguments of the official class."""
    assert kwargs['qkv_bias'] and kwargs['patch_size'] == [2, 4, 4]
    assert not kwargs['drop_rate'] and not kwargs['attn_drop_rate']
    return dict(
        arch=dict(
            embed_dims=kwargs['embed_dim'],
            depths=kwargs['depths'],
            num_heads=kwargs['num_heads'],
            mlp_ratio=kwargs['mlp_ratio'],
            qk_scale=kwargs['qk_scale'],
            patch_norm=kwargs['patch_norm'],
        ),
        window_size=kwargs['window_size'],
        drop_path_rate=kwargs['drop_path_rate'],
    )


def plain_arch(kwargs):
    """Leave out what mmaction2's class takes as an argument."""
    arch = arch_of(kwargs)
    options = {
        key: arch['arch'].pop(key)
        for key in ('mlp_ratio', 'qk_scale', 'patch_norm')
    }
    return dict(arch, **options)


def read(path):
    """Read a golden; its type of numbers decides the model's."""
    return load_golden(path)


def tiny_bevt(**kwargs):
    """Build a small encoder whose parameters are all random."""
    torch.manual_seed(0)
    model = BEVTSwin(
        **{
            **dict(arch=TOY, img_size=32, num_frames=8, window_size=WINDOW),
            **kwargs,
        }
    )
    for param in model.parameters():
        torch.nn.init.normal_(param, std=0.1)
    return model


def tiny_pretrainer(**kwargs):
    """Build the config of a small recognizer of 4 x 4 x 4 tokens."""
    return dict(
        type='BEVTPretrainer',
        backbone=dict(
            type='BEVTSwin',
            arch=TOY,
            img_size=32,
            num_frames=8,
            window_size=WINDOW,
        ),
        cls_head=dict(type='BEVTHead', num_classes=VOCABULARY, in_channels=32),
        tokenizer=dict(
            type='PrecomputedTokens', vocab_size=VOCABULARY, input_size=8
        ),
        **kwargs,
    )


def build(config):
    """Build a recognizer with the same random weights each time."""
    torch.manual_seed(0)
    return MODELS.build(config)


def batch(inputs, mask, ids):
    """Give a batch as data loaders and preprocessors leave it.

    Args:
        inputs (Tensor): Clips ``(B, 3, T, H, W)`` or images.
        mask (Tensor): bool ``(B, T', h, w)`` or ``(B, h, w)``.
        ids (Tensor): Tokens ``(B, T, h, w)`` or ``(B, h, w)``.
    """
    samples = []
    for one, some in zip(mask, ids):
        sample = ActionDataSample()
        sample.set_field(one, 'mask')
        pictures = some if some.ndim == 3 else some[None]
        sample.set_field(ids_to_picture(pictures), 'view')
        samples.append(sample)
    return dict(inputs=inputs, data_samples=samples)


def video_batch(clips=2, vocabulary=VOCABULARY):
    """Give random clips of the tiny recognizer."""
    mask = torch.zeros(clips, 4, 8, 8, dtype=torch.bool)
    mask[:, 1:3, 2:7, 1:6] = True
    return batch(
        torch.randn(clips, 3, 8, 32, 32),
        mask,
        torch.randint(vocabulary, (clips, 8, 8, 8)),
    )


def image_batch(images=3, vocabulary=VOCABULARY):
    """Give random images of the tiny recognizer."""
    mask = torch.zeros(images, 8, 8, dtype=torch.bool)
    mask[:, 3:8, :5] = True
    return batch(
        torch.randn(images, 3, 32, 32),
        mask,
        torch.randint(vocabulary, (images, 8, 8)),
    )
