"""Recognize layouts of weights and rename them.

Image models have their tables in ``vit.py`` and ``swin.py``, one row of
``LAYOUTS`` each; a method's are in its own folder, where ``names.py`` calls
:func:`.registry.register_names`.
"""
