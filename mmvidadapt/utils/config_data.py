"""Configs as data: read without running them, written so that none runs.

A config file is a program, and mmengine runs it as one. What a checkpoint or
an adapter file brings along is by somebody else, so it is read as literals
here, and what is written for others to read holds nothing but literals.
"""

import ast
import math
import pprint
from typing import Any, Dict, Iterator, Tuple

LEAVES = (str, bytes, int, float, complex, bool, type(None))
MOST_TEXT = 1 << 18  # characters of a config; those here have up to 20,000
DEEPEST = 64  # levels; those here have up to 9
LARGEST = 1 << 64  # larger whole numbers can be made to share one hash
# What mmengine fills in wherever it reads a text: paths, the environment.
TEMPLATE = '{{'
# What printed text would end a key with.
ENDS_KEY = ('"', "'", '\\')
# The one package that a printed config may import: what reads it is it.
OWN_IMPORTS = dict(imports=['mmvidadapt'], allow_failed_imports=False)
# Entries by which mmengine reads or hides more than the config.
RESERVED = ('_base_', 'env_variables', 'filename', 'pretty_text', 'text')


def read_config_text(text: str) -> Dict[str, Any]:
    """Read the text of a config as data, as mmengine prints it.

    Args:
        text (str): Assignments of literals, ``dict(...)`` among them.

    Returns:
        Dict[str, Any]: The config.

    Raises:
        ValueError: If it is more than that, or too long.
    """
    config = {}
    for statement in _parse(text, 'exec').body:
        names = getattr(statement, 'targets', [])
        if [type(name) for name in names] != [ast.Name]:
            raise ValueError(
                f'line {statement.lineno} is no assignment of a plain value'
            )
        config[names[0].id] = _value(statement.value)
    check_config(config)
    return config


def read_literal(text: str) -> Any:
    """Read a plain value, as ``repr`` writes it, without running it.

    Args:
        text (str): A Python literal.

    Returns:
        Any: Texts, numbers, lists, tuples and dicts.

    Raises:
        ValueError: If it is more than that, or too long.
    """
    return _value(_parse(text, 'eval').body)


def write_config_text(config: Dict[str, Any]) -> str:
    """Write a config as assignments of literals, which nobody need run.

    mmengine reads it like any other text; its own way of printing takes what
    stands in a key for a piece of the program.

    Args:
        config (Dict[str, Any]): Plain values, nested.

    Returns:
        str: What :func:`read_config_text` turns back into an equal dict.

    Raises:
        ValueError: If it holds anything but plain values.
    """
    check_config(config)
    foreign = [name for name in config if not str(name).isidentifier()]
    if foreign:
        raise ValueError(f'{foreign[:5]} cannot be names of a config file')
    lines = (
        f'{name} = {pprint.pformat(value, width=79, sort_dicts=False)}\n'
        for name, value in config.items()
    )
    return ''.join(lines)


def check_config(config: Any) -> None:
    """Raise unless a config is a dict of plain values under plain names.

    Args:
        config (Any): What is to be a config.

    Raises:
        ValueError: If it is no dict, or holds other values or names than a
            config of texts, finite numbers, lists, tuples and dicts.
    """
    if type(config) is not dict:
        raise ValueError(f'it is a {type(config).__name__}, not a dict')
    reserved = [name for name in RESERVED if name in config]
    if reserved:
        raise ValueError(f'it has the reserved entry {reserved[0]}')
    for name, reason in _faults(config, 'config', 0):
        raise ValueError(f'{name} {reason}')


def own_imports(config: Dict[str, Any]) -> Dict[str, Any]:
    """Leave out what a config would import, but for this package.

    Args:
        config (Dict[str, Any]): Of a file. It stays as it is.

    Returns:
        Dict[str, Any]: The same, its ``custom_imports`` ours or gone.
    """
    asked = repr(config.get('custom_imports'))
    return {
        name: OWN_IMPORTS if name == 'custom_imports' else value
        for name, value in config.items()
        if name != 'custom_imports' or "'mmvidadapt'" in asked
    }


def _parse(text: str, mode: str) -> Any:
    """Parse what is to be data."""
    if not isinstance(text, str):
        raise ValueError(f'it is a {type(text).__name__}, not a text')
    if len(text) > MOST_TEXT:
        raise ValueError(
            f'it has {len(text):,} characters, more than {MOST_TEXT:,}'
        )
    try:
        return ast.parse(text, mode=mode)
    except (MemoryError, RecursionError, SyntaxError, ValueError) as error:
        reason = getattr(error, 'msg', None) or type(error).__name__
        raise ValueError(f'it is no Python literal ({reason})') from error


def _value(node: ast.AST, depth: int = 0) -> Any:
    """Evaluate a literal, or ``dict(...)`` around literals."""
    if depth > DEEPEST:
        raise ValueError(f'it is nested deeper than {DEEPEST} levels')
    if isinstance(node, ast.Constant) and type(node.value) in LEAVES:
        return node.value
    if isinstance(node, (ast.List, ast.Tuple)):
        items = [_value(item, depth + 1) for item in node.elts]
        return items if isinstance(node, ast.List) else tuple(items)
    if isinstance(node, ast.Dict) and None not in node.keys:
        return {
            _key(key): _value(item, depth + 1)
            for key, item in zip(node.keys, node.values)
        }
    if isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'dict':
        return _called(node, depth)
    return _number(node)


def _called(node: ast.Call, depth: int) -> Dict[Any, Any]:
    """Evaluate ``dict(a=1)`` or ``dict({4: 5})``."""
    named = {w.arg: _value(w.value, depth + 1) for w in node.keywords}
    given = [_value(arg, depth + 1) for arg in node.args]
    if None in named or [type(arg) for arg in given] not in ([], [dict]):
        raise ValueError(f'line {node.lineno} calls dict as no config does')
    return {**dict(*given), **named}


def _key(node: ast.AST) -> Any:
    """Evaluate the key of a dict: a text or a number, maybe below 0."""
    if not isinstance(node, ast.Constant):
        return _number(node)
    if isinstance(node.value, int) and node.value > LARGEST:
        raise ValueError('it has a larger whole number than 64 bits hold')
    return node.value


def _number(node: ast.AST) -> Any:
    """Evaluate a number with a sign, or a complex one."""
    if isinstance(node, ast.UnaryOp) and isinstance(
        node.op, (ast.UAdd, ast.USub)
    ):
        value = getattr(node.operand, 'value', None)
        if type(value) in (int, float, complex):
            return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        real, imaginary = _number_part(node.left), _number_part(node.right)
        if type(real) in (int, float) and type(imaginary) is complex:
            sign = 1 if isinstance(node.op, ast.Add) else -1
            return complex(real, sign * imaginary.imag)
    line = getattr(node, 'lineno', 1)
    raise ValueError(
        f'line {line} holds a {type(node).__name__}, which is no plain value'
    )


def _number_part(node: ast.AST) -> Any:
    """Evaluate one of the two parts of a complex number."""
    return node.value if isinstance(node, ast.Constant) else _number(node)


def _faults(value: Any, name: str, depth: int) -> Iterator[Tuple[str, str]]:
    """Yield what is no plain value, with its dotted name and the reason."""
    if depth > DEEPEST:
        yield name, f'is nested deeper than {DEEPEST} levels'
    elif type(value) is dict:
        for key, item in value.items():
            fault = _key_fault(key)
            if fault:
                yield name, f'has the key {key!r}, {fault}'
            yield from _faults(item, f'{name}.{key}', depth + 1)
    elif type(value) in (list, tuple):
        for i, item in enumerate(value):
            yield from _faults(item, f'{name}.{i}', depth + 1)
    elif type(value) not in LEAVES:
        yield name, f'is {value!r}, which is no plain value'
    elif isinstance(value, (float, complex)) and not math.isfinite(abs(value)):
        yield name, f'is {value!r}, which is no finite number'
    elif isinstance(value, int) and abs(value) > LARGEST:
        yield name, 'is a larger whole number than 64 bits hold'
    elif isinstance(value, str) and TEMPLATE in value:
        yield name, f'is {value!r}, which mmengine would fill in'


def _key_fault(key: Any) -> str:
    """Explain why something cannot be a key of a config; '' if it can."""
    if type(key) is int:
        return 'which is too large' if abs(key) > LARGEST else ''
    if type(key) is not str:
        return 'which is neither a text nor a whole number'
    if not key.isprintable() or TEMPLATE in key:
        return 'which does not print as it is'
    if any(sign in key for sign in ENDS_KEY):
        return 'which would end a text of Python'
    return ''
