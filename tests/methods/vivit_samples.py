"""Tiny ViViTs, and those of the goldens."""

import pytest
import torch
from mmaction.registry import MODELS

from mmvidadapt.methods.vivit.trunk import DIALECT
from mmvidadapt.models import (
    ImageViT,
    ViViT,
    ViViTFactorisedDotProduct,
    ViViTFactorisedEncoder,
    ViViTFactorisedSelfAttention,
)
from mmvidadapt.weights.load_hooks import renamed

VIDEO = (2, 3, 4, 16, 24)  # (B, 3, T, H, W)
KINDS = {
    'spacetime': ViViT,
    'factorized_encoder': ViViTFactorisedEncoder,
    'factorized_self_attention_block': ViViTFactorisedSelfAttention,
    'factorized_dot_product_attention': ViViTFactorisedDotProduct,
}
every_model = pytest.mark.parametrize('kind', list(KINDS.values()))


def tiny(kind, **kwargs):
    torch.manual_seed(0)
    given = dict(arch='tiny', img_size=VIDEO[-2:], num_frames=4)
    if kind is ViViTFactorisedEncoder:
        given['temporal_num_layers'] = 1
    return kind(**{**given, **kwargs})


def randomize(module, std=0.2):
    for param in module.parameters():
        torch.nn.init.normal_(param, std=std)


def backbone_of(kwargs, num_frames, img_size):
    """Translate the arguments of the official model."""
    attention, encoding = (
        kwargs['attention_config'],
        kwargs['temporal_encoding_config'],
    )
    kind = KINDS[attention['type']]
    own, prefix = {}, ''
    if kind is ViViTFactorisedEncoder:
        prefix = 'spatial_'
        pooled = attention.get('spatial_only_baseline', False)
        own = dict(
            temporal_num_layers=0 if pooled else kwargs['temporal_num_layers'],
            temporal_num_heads=kwargs['temporal_num_heads'],
            temporal_mlp_ratio=kwargs['temporal_mlp_dim']
            / kwargs['hidden_size'],
        )
    if kind is ViViTFactorisedSelfAttention:
        own = dict(attention_order=attention['attention_order'])
    size, sampled = kwargs['patches']['size'], encoding['method'] != '3d_conv'
    return dict(
        type=kind.__name__,
        arch=dict(
            embed_dims=kwargs['hidden_size'],
            num_layers=kwargs[f'{prefix}num_layers'],
            num_heads=kwargs[f'{prefix}num_heads'],
            patch_size=size[0],
            mlp_ratio=kwargs[f'{prefix}mlp_dim'] / kwargs['hidden_size'],
        ),
        img_size=tuple(img_size),
        num_frames=num_frames,
        tubelet_size=1 if sampled else size[2],
        sampled_frames=encoding['n_sampled_frames'] if sampled else None,
        out_type=dict(token='cls_token', gap='avg_featmap')[
            kwargs['classifier']
        ],
        **own,
    )


def recognizer(golden, **overrides):
    """Build the whole model of a golden, as a config would."""
    kwargs = golden['meta']['kwargs']
    _, frames, *size, _ = golden['input'].shape
    backbone = {**backbone_of(kwargs, frames, size), **overrides}
    head = dict(
        type='ViViTHead',
        num_classes=kwargs['num_classes'],
        in_channels=kwargs['hidden_size'],
        representation_size=kwargs['representation_size'],
        dropout_ratio=0.0,
    )
    model = dict(
        type='ViViTRecognizer',
        backbone=backbone,
        cls_head=head,
        data_preprocessor=dict(type='ActionDataPreprocessor'),
    )
    model = MODELS.build(model).eval()
    return model.double() if golden['input'].dtype == torch.float64 else model


def clips(golden):
    """Put the channels first, and one view before them."""
    video = golden['input']
    frames_first = video.shape[2] == 3
    order = (0, 2, 1, 3, 4) if frames_first else (0, 4, 1, 2, 3)
    return video.permute(order).unsqueeze(1)


def as_ours(model, official):
    """Rename as the model does when it loads."""
    return renamed(model, official)


def image_model(tmp_path):
    """Save an image ViT of the same size; give it and its path."""
    torch.manual_seed(1)
    vit = ImageViT(arch='tiny', dialect=DIALECT, img_size=VIDEO[-2:]).eval()
    randomize(vit)
    torch.save(vit.state_dict(), tmp_path / 'vit.pth')
    return vit, str(tmp_path / 'vit.pth')


def recognizer_of_hub(golden):
    kwargs = golden['meta']['kwargs']
    tubelet = kwargs['tubelet_size']
    official = dict(
        attention_config=dict(type='spacetime'),
        temporal_encoding_config=dict(method='3d_conv'),
        hidden_size=kwargs['hidden_size'],
        num_layers=kwargs['num_hidden_layers'],
        num_heads=kwargs['num_attention_heads'],
        mlp_dim=kwargs['intermediate_size'],
        patches=dict(size=[tubelet[1], tubelet[2], tubelet[0]]),
        num_classes=kwargs['num_labels'],
        representation_size=None,
        classifier='token',
    )
    shape = (1, kwargs['num_frames'], *[kwargs['image_size']] * 2, 3)
    return recognizer(
        dict(meta=dict(kwargs=official), input=torch.empty(shape))
    )
