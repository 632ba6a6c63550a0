"""DualPath: adapt one frozen ViT by a spatial and a temporal path.

- ``block.py``: the block, adapted in series and in parallel
- ``lean.py``: the same in less memory and time
- ``framesets.py``: grids of shrunk frames, and the code that numbers them
- ``backbone.py``, ``head.py``, ``recognizer.py``
- ``names.py``: names in official checkpoints
- ``transforms_sampling.py``, ``transforms_crops.py``: the recipe's clips
- ``transforms_framesets.py``: framesets made by the pipeline
"""
