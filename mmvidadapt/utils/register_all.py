"""Imported by the registries of our scope: registers host and plugin."""

from mmaction.utils import register_all_modules

import mmvidadapt.datasets
import mmvidadapt.engine
import mmvidadapt.models  # noqa: F401

register_all_modules(init_default_scope=False)
