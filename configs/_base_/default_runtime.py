# The name that `runtime.py` had in the first edition.
_base_ = './runtime.py'
