"""One small model of every backbone, and of the variants that differ."""

import torch
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope

import mmvidadapt.models  # noqa: F401

VIT = dict(arch='tiny', img_size=16)
FRAMES = dict(VIT, num_frames=4)
DUAL = dict(VIT, num_frames=8, num_spatial_frames=2, grid=(2, 2))
SWIN = dict(arch='tiny', img_size=32, num_frames=8, window_size=(2, 2, 2))
# Name of the case: class, arguments, what one of the batch is.
BACKBONES = {
    'ImageViT': ('ImageViT', VIT, (3, 4, 16, 16)),
    'AIM': ('AIM', dict(FRAMES, num_t_adapters=2), (3, 4, 16, 16)),
    'AIMSwin': (
        'AIMSwin',
        dict(arch='tiny', img_size=64, num_frames=4),
        (3, 4, 64, 64),
    ),
    'DualPath': ('DualPath', dict(DUAL, output_dims=24), (3, 8, 16, 16)),
    'DualPath, official': (
        'DualPath',
        dict(DUAL, variant='official'),
        (3, 8, 16, 16),
    ),
    'EVL': ('EVL', dict(FRAMES, decoder_num_layers=2), (3, 4, 16, 16)),
    'VPT': ('VPT', dict(VIT, num_prompts=3), (3, 4, 16, 16)),
    'AdaptFormer': ('AdaptFormer', dict(VIT, adapter_dims=8), (3, 4, 16, 16)),
    'STAdapter': (
        'STAdapter',
        dict(FRAMES, adapter_dims=8, places=('attn', 'mlp')),
        (3, 4, 16, 16),
    ),
    'LoRA': ('LoRA', dict(VIT, rank=2, targets='qkvo'), (3, 4, 16, 16)),
    'ViViT': ('ViViT', FRAMES, (3, 4, 16, 16)),
    'ViViTFactorisedEncoder': (
        'ViViTFactorisedEncoder',
        FRAMES,
        (3, 4, 16, 16),
    ),
    'ViViTFactorisedSelfAttention': (
        'ViViTFactorisedSelfAttention',
        dict(FRAMES, out_type='avg_featmap'),
        (3, 4, 16, 16),
    ),
    'ViViTFactorisedDotProduct': (
        'ViViTFactorisedDotProduct',
        dict(FRAMES, out_type='avg_featmap'),
        (3, 4, 16, 16),
    ),
    'BEVTVideoSwin': ('BEVTVideoSwin', SWIN, (3, 8, 32, 32)),
    'BEVTSwin, clips': ('BEVTSwin', SWIN, (3, 8, 32, 32)),
    'BEVTSwin, images': ('BEVTSwin', SWIN, (3, 32, 32)),
    'BEVTTimeSformer, clips': (
        'BEVTTimeSformer',
        dict(arch='tiny', img_size=32, num_frames=4),
        (3, 4, 32, 32),
    ),
    'BEVTTimeSformer, images': (
        'BEVTTimeSformer',
        dict(arch='tiny', img_size=32, num_frames=4),
        (3, 32, 32),
    ),
}


def build_backbone(name, **given):
    """Build a backbone in evaluation mode, with no parameter at zero."""
    kind, config, _ = BACKBONES[name]
    config = dict(config, **given)
    if 'targets' in config:
        config['targets'] = tuple(config['targets'])
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmaction'):
        model = MODELS.build(dict(type=kind, **config)).eval()
    for param in model.parameters():
        torch.nn.init.normal_(param, std=0.1)
    return model


def batch_for(name, size):
    """Draw a batch of clips or images."""
    return torch.randn(size, *BACKBONES[name][2])
