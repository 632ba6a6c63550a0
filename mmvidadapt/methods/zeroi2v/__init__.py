"""ZeroI2V: adapt a frozen image ViT at no cost after training.

- ``block.py``: heads that read other frames, linear adapters
- ``lean.py``: the same in less memory and time
- ``merge.py``: the adapters multiplied into the frozen layers
- ``backbone.py``: the model, and what it is merged into
- ``names.py``: names in released checkpoints
"""
