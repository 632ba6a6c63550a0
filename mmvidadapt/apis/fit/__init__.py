"""Fit a recognizer to own videos, and measure how far it can be trusted.

Find what can be classified (``clips``) and what must stay together
(``groups``: given, by parts of names, ``path_groups``, or by looks,
``scenes``); divide it (``folds``); bound an accuracy (``intervals``); describe
it all (``sentences``) and what would help (``advice``).
"""
