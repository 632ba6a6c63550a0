"""Imported by the registries of our scope: registers host and plugin."""

from importlib import import_module

from mmaction.utils import register_all_modules

from .registration import ROOMS

register_all_modules(init_default_scope=False)
for _rooms in ROOMS.values():
    for _room in _rooms:
        import_module(_room)
