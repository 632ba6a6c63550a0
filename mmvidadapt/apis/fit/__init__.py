"""Fit a recognizer to own videos, and measure how far it can be trusted.

Find what can be classified (``clips``), what must stay together (``groups``:
given, in names (``path_groups``), by looks (``scenes``)), what is tested on what
(``folds``), how sure an accuracy is (``intervals``), what would help
(``advice``).
"""
