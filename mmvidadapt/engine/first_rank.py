"""Decide once what all processes of a run have to agree on."""

from typing import Any, Callable

from mmengine.dist import broadcast_object_list, is_main_process


def on_first_rank(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function on the first rank, for all.

    Args:
        function (Callable[..., Any]): What it returns can be pickled.
        *args: Its arguments.

    Returns:
        Any: What it returned. An error is raised on every rank: the others
        would wait for ever.
    """
    outcome = [None, None]
    if is_main_process():
        try:
            outcome[0] = function(*args)
        except Exception as error:
            outcome[1] = error
    broadcast_object_list(outcome)
    if outcome[1] is not None:
        raise outcome[1]
    return outcome[0]
