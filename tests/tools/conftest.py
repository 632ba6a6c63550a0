"""Clips that every run reads."""

from tests.runs import listing

__all__ = ['listing']
