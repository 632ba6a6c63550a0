"""Small tokenizers and pictures for their tests."""

import torch
from mmaction.registry import MODELS
from torch.nn import functional as F

from mmvidadapt.methods.bevt.tokenizers.precomputed import ids_to_picture

VIT = dict(embed_dims=32, num_layers=2, num_heads=2, feedforward_channels=64)
VQ = dict(dims=8, factors=(1, 2, 2), code_dims=8)
TINY = dict(latent_dims=4, dims=8)
TOKENIZERS = dict(
    dalle=dict(type='DALLETokenizer', n_hid=8, input_size=32),
    vqkd=dict(type='VQKDTokenizer', arch=VIT, input_size=64),
    vqvae=dict(type='VQVAETokenizer', input_size=16, **VQ),
    pixels=dict(type='KMeansTokenizer', input_size=32),
    latents=dict(
        type='KMeansTokenizer',
        input_size=32,
        encoder=dict(type='TinyEncoder', **TINY),
        dims=4,
    ),
    precomputed=dict(type='PrecomputedTokens', input_size=4),
)


def build(name, **changes):
    """Build a tokenizer with 512 ids, the same each time."""
    torch.manual_seed(0)
    config = dict(TOKENIZERS[name], vocab_size=512, **changes)
    tokenizer = MODELS.build(config)
    if name == 'latents':  # centres among the features of its pictures
        noise = torch.rand(32, 3, 32, 32) * 255
        tokenizer.centres.copy_(tokenizer.features(noise).flatten(0, 2))
    return tokenizer


def pictures(tokenizer, number=3):
    """Draw pictures of noise, or of ids."""
    torch.manual_seed(1)
    if type(tokenizer).__name__ == 'PrecomputedTokens':
        ids = torch.randint(tokenizer.vocab_size, (number, *tokenizer.grid))
        return ids_to_picture(ids).float()
    coarse = torch.rand(number, 3, 8, 8) * 255
    return F.interpolate(coarse, (tokenizer.input_size,) * 2)
