"""Import data sets and transforms on demand; registered with the host."""

from mmvidadapt.utils.registration import lazy_attributes

__getattr__ = lazy_attributes(__name__, 'mmaction.datasets')
