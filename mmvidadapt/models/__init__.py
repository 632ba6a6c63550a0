"""Import any model class of the package by its name, on demand.

The classes live in :mod:`mmvidadapt.trunks`, :mod:`mmvidadapt.methods` and
:mod:`mmvidadapt.heads`; ``mmaction.registry.MODELS`` has them, too.
"""

from mmvidadapt.utils.registration import lazy_attributes

__getattr__ = lazy_attributes(__name__, 'mmaction.models')
