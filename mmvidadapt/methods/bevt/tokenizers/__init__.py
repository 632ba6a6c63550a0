"""Discrete visual tokenizers behind one interface."""

from .base import Tokenizer
from .dalle import DALLETokenizer
from .kmeans import KMeansTokenizer
from .precomputed import PrecomputedTokens
from .tiny_autoencoder import TinyDecoder, TinyEncoder
from .vqkd import VQKDTokenizer
from .vqvae import VQVAETokenizer

__all__ = [
    'DALLETokenizer',
    'KMeansTokenizer',
    'PrecomputedTokens',
    'TinyDecoder',
    'TinyEncoder',
    'Tokenizer',
    'VQKDTokenizer',
    'VQVAETokenizer',
]
