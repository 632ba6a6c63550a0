"""Reject arguments that are not among the choices."""

from typing import Sequence


def check_choices(name: str, values: Sequence, choices: Sequence) -> None:
    """Raise unless every value is one of the choices."""
    if isinstance(values, str):
        raise ValueError(f'{name}={values!r} is a string; give a tuple.')
    unknown = [value for value in values if value not in choices]
    if unknown:
        raise ValueError(
            f'{name}={values!r}: {unknown} is not among {tuple(choices)}.'
        )
