"""EVL: decode the features of a frozen ViT.

- ``block.py``: the trunk block that also yields attention between frames
- ``decoder.py``: the decoder: temporal modules, attention of one query, MLP
- ``lean.py``, ``lean_motion.py``: the same in less memory and time
- ``backbone.py``, ``head.py``, ``recognizer.py``
- ``names.py``: names in released checkpoints
- ``transforms.py``: frame sampling of the recipe
"""
