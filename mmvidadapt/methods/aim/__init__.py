"""AIM: adapt image models by spatial, temporal and joint adapters.

``block.py``
    The equation on a ViT; ``lean.py`` is its lean twin.
``backbone.py``
    ``AIM``: a frozen ViT of these blocks.
``swin_block.py``
    The equation on a Swin; ``lean_swin.py`` is its lean twin.
``swin.py``
    ``AIMSwin``: a frozen Swin of these blocks.
``names.py``
    How released checkpoints name their parameters.
"""
