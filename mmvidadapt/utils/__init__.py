"""Remedies for the hosts, and what mmengine expects to find here."""


def register_all_modules(init_default_scope: bool = True) -> None:
    """Register mmaction2 and this plugin; ``mmengine.hub`` calls it.

    Args:
        init_default_scope (bool): Whether to make ``mmaction`` the default
            scope. Defaults to True.
    """
    from mmaction.utils import register_all_modules as register_host

    register_host(init_default_scope)
    from . import register_all  # noqa: F401
