"""Side4Video: a side network for video beside a frozen image ViT.

- ``block.py``: a layer of the side network
- ``lean.py``: the same in less memory and time
- ``batch_norm.py``: batch norms, over all processes where asked for
- ``backbone.py``: the side network and the model
"""
