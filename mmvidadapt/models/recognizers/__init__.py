"""Recognisers that mmaction2 lacks."""

from .evl_recognizer import EVLRecognizer

__all__ = ['EVLRecognizer']
