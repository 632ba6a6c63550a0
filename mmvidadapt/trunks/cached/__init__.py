"""Features of frozen trunks that are computed once and read many times.

- ``rows.py``: the features of a clip as one row of numbers
- ``backbone.py``: what a backbone has whose features can be cached
"""
