"""Use trained models: load, classify, merge, convert.

Load models by name (``models``) and adapter files (``adapters``), many of them
on one trunk (``multi_adapter``); classify videos, folders and cameras
(``inference``) and write predictions (``prediction_files``); merge adapters
into their trunk (``merge``), convert weights files (``convert_weights``).
"""
