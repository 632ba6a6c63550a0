"""Features of a frozen trunk on disk, in place of videos.

- ``files.py``: what a cache consists of, and whether it is whole
- ``dataset.py``: the data set that reads it
- ``preprocessor.py``: the data preprocessor that takes videos and features
"""
