"""Check the description of an adapter file."""

import re
from numbers import Real
from typing import Any, Callable, Dict, NamedTuple, Optional

from mmvidadapt.utils.config_data import check_config

FORMAT = 1
# Metrics that say when a class `other` is named, and its number.
THRESHOLD, NUMBER = 'other/threshold', 'other/class'


class Field(NamedTuple):
    """One entry of a description: its test, and what passes it in words."""

    fits: Callable[[Any], bool]
    words: str


def is_texts(value: Any) -> bool:
    """Check whether a value is a list of texts."""
    return isinstance(value, list) and all(
        isinstance(text, str) for text in value
    )


def is_trunk(value: Any) -> bool:
    """Check whether a value says where a trunk is from, and its hash."""
    return (
        isinstance(value, dict)
        and set(value) == {'source', 'sha256'}
        and (value['source'] is None or isinstance(value['source'], str))
        and is_sha256(value['sha256'])
    )


def is_sha256(value: Any) -> bool:
    """Check whether a value is the text of a hash."""
    return isinstance(value, str) and bool(re.fullmatch('[0-9a-f]{64}', value))


def is_metrics(value: Any) -> bool:
    """Check whether a value is a dict of numbers by their names."""
    return isinstance(value, dict) and all(
        isinstance(name, str)
        and isinstance(number, Real)
        and not isinstance(number, bool)
        for name, number in value.items()
    )


def is_steps(value: Any) -> bool:
    """Check whether a value is a list of steps of a pipeline."""
    return isinstance(value, (list, tuple)) and all(map(has_type, value))


def has_type(value: Any) -> bool:
    """Check whether a value is a dict that says of what class it is."""
    return isinstance(value, dict) and isinstance(value.get('type'), str)


FIELDS: Dict[str, Field] = dict(
    format=Field(
        lambda value: type(value) is int and value >= 1, 'a whole number'
    ),
    version=Field(lambda value: isinstance(value, str), 'a text'),
    config=Field(lambda value: isinstance(value, str), 'a text'),
    trunk=Field(is_trunk, 'a dict of `source` and `sha256`'),
    classes=Field(
        lambda value: value is None or is_texts(value),
        'a list of texts, or null',
    ),
    metrics=Field(is_metrics, 'a dict of numbers'),
    sha256=Field(is_sha256, '64 hexadecimal digits'),
)
ENTRIES: Dict[str, Field] = dict(
    model=Field(has_type, 'a dict with a `type`'),
    test_pipeline=Field(is_steps, 'a list of dicts with a `type`'),
    default_scope=Field(lambda value: isinstance(value, str), 'a text'),
)
NEEDED = 'model'


def check_description(said: Any) -> None:
    """Refuse a description whose fields are not as they are written.

    Args:
        said (Any): What the JSON text of a file says.

    Raises:
        ValueError: If it is written by a newer version, or damaged; the
            field is named.
    """
    if not isinstance(said, dict):
        raise ValueError(_damaged(f'it is a {type(said).__name__}, no dict'))
    form, version = said.get('format'), said.get('version')
    if type(form) is int and form > FORMAT:
        raise ValueError(
            f'its format {form} is newer than {FORMAT}; it was written by '
            f'mmvidadapt {version!r}, so update yours'
        )
    for names, reason in (
        (set(FIELDS) - set(said), 'lacks'),
        (set(said) - set(FIELDS), 'has unknown'),
    ):
        if names:
            raise ValueError(_damaged(f'it {reason} {sorted(names)[:5]}'))
    _check(said, FIELDS)


def check_adapter_config(config: Any, classes: Optional[list] = None) -> None:
    """Refuse a config that describes no model of an adapter.

    Args:
        config (Any): What the config's text says.
        classes (list, optional): Names of the classes. Defaults to None.

    Raises:
        ValueError: If it is no dict of plain values with a model that has a
            head for the classes; the entry is named.
    """
    try:
        check_config(config)
    except ValueError as error:
        raise ValueError(_damaged(f'in `config`, {error}')) from error
    if NEEDED not in config:
        raise ValueError(_damaged(f'`config` lacks `{NEEDED}`'))
    _check({k: v for k, v in config.items() if k in ENTRIES}, ENTRIES)
    model = config['model']
    if model.get('backbone') and not has_type(model['backbone']):
        raise ValueError(_damaged('`model.backbone` is no dict with a `type`'))
    number = num_classes(config)
    if classes and number not in (None, len(classes)):
        raise ValueError(
            f'it names {len(classes)} classes, but its model tells {number} '
            'apart; extract it again with the names of all'
        )


def num_classes(config: Dict[str, Any]) -> Optional[int]:
    """Count the classes that the model of a config tells apart, if any.

    Those of all tasks, where there are several.
    """
    head = config['model'].get('cls_head')
    number = head.get('num_classes') if isinstance(head, dict) else None
    numbers = [*number.values()] if isinstance(number, dict) else [number]
    whole = all(type(number) is int for number in numbers)
    return sum(numbers) if whole and numbers else None


def _check(values: Dict[str, Any], fields: Dict[str, Field]) -> None:
    """Raise where a value does not fit its field."""
    for name, value in values.items():
        if not fields[name].fits(value):
            shown = repr(value)
            shown = shown if len(shown) < 60 else f'{shown[:60]}...'
            raise ValueError(
                _damaged(f'`{name}` is {shown}, not {fields[name].words}')
            )


def _damaged(reason: str) -> str:
    """Word the complaint."""
    return f'its description is damaged: {reason}'
