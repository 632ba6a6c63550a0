"""Child registries, one for each of mmaction2's.

What we write is registered in ``mmaction.registry`` itself. These exist
because mmengine gives everything that a config inherits through
``_base_ = ['mmvidadapt::...']`` the scope ``mmvidadapt``, and then looks for
registries of that scope.
"""

import mmaction.registry as _host
from mmengine.registry import Registry

for _name, _parent in list(vars(_host).items()):
    if isinstance(_parent, Registry):
        globals()[_name] = Registry(
            _parent.name,
            parent=_parent,
            scope='mmvidadapt',
            locations=['mmvidadapt.utils.register_all'],
        )
