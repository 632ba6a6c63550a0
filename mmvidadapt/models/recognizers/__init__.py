"""Recognisers that mmaction2 lacks."""

from .bevt import BEVTPretrainer
from .dualpath_recognizer import DualPathRecognizer
from .evl_recognizer import EVLRecognizer
from .vivit_recognizer import ViViTRecognizer

__all__ = [
    'BEVTPretrainer',
    'DualPathRecognizer',
    'EVLRecognizer',
    'ViViTRecognizer',
]
