"""Fit a recognizer to own videos, and measure how far it can be trusted.

Find what can be classified (``clips``), what must stay together (``groups``)
and how sure a measured accuracy is (``intervals``).
"""
