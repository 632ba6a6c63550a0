"""Configs of strangers are data, whatever their text tries."""

import pytest

from mmvidadapt.apis.train.config import list_configs, load_config
from mmvidadapt.utils.config_data import (
    MOST_TEXT,
    OWN_IMPORTS,
    check_config,
    own_imports,
    read_config_text,
    read_literal,
    write_config_text,
)
from tests.soon import soon

PROGRAM = '__import__("os").abort()'
PLAIN = dict(
    model=dict(type='X', rates=(0.1, -2, 1 - 2j), name="it's", none=None),
    flip_label_map={4: 5, -1: 'a'},
    data=[dict(raw=b'\x00', empty=()), [], {}],
)


@pytest.mark.parametrize('name', list_configs()[::6])
def test_configs_survive_as_data(name):
    """As we print them, as mmengine does, and as adapter files hold them."""
    config = load_config(name)
    wanted = config.to_dict()
    assert read_config_text(write_config_text(wanted)) == wanted
    assert read_config_text(config.pretty_text) == wanted
    assert read_literal(repr(wanted)) == wanted


def test_what_is_written_is_read_and_evaluates_to_itself():
    text = write_config_text(PLAIN)
    assert read_config_text(text) == PLAIN
    space = {}
    exec(text, {'__builtins__': {}}, space)
    assert space == PLAIN
    assert type(read_config_text(text)['model']['rates']) is tuple


# One a line; PROGRAM stands for a call that would end this process.
MORE_THAN_DATA = (
    r"""
PROGRAM ; a = PROGRAM ; a = dict(b=[PROGRAM]) ; a = dict(**PROGRAM)
a = {PROGRAM: 1} ; a = {**PROGRAM} ; a = f"{PROGRAM}" ; a = 1 if PROGRAM else 2
def a(b=PROGRAM): pass ; class a: PROGRAM ; import os
from os import abort as a ; a.b = 1 ; a[0] = 1 ; a, b = 1, 2 ; a = b = 1
a = b ; a = [i for i in (1, 2)] ; a = dict([(1, 2)]) ; a = "x" * 1000000000
a = 9 ** 9999999 ; _base_ = "evil.py" ; a = "{{ $HOME:x }}"
a = {"{{ fileDirname }}": 1} ; a = 1e999 ; a = {"\x1b[2J": 1} ; a = ...
""".strip()
    .replace('\n', ' ; ')
    .replace('PROGRAM', PROGRAM)
    .split(' ; ')
)


@pytest.mark.parametrize('text', MORE_THAN_DATA)
def test_what_is_more_than_data_is_refused(text):
    with pytest.raises(ValueError):
        read_config_text(text)


@pytest.mark.parametrize(
    'bomb',
    [
        '[' * 9000,
        '[0,' * 80 + ']' * 80,
        '-' * 90_000 + '1',
        '1+' * 90_000 + '1',
        'lambda:' * 9000 + '1',
        '9' * 90_000,
        '0,' * MOST_TEXT,
        '0,' * (MOST_TEXT // 2 - 1) + '...',
        '"a"\0',
        '{' + ''.join(f'{i * (2**61 - 1)}:0,' for i in range(9000)) + '}',
    ],
)
def test_bombs_of_texts_are_refused_soon(bomb):
    with soon(), pytest.raises(ValueError):
        read_literal(bomb)


@pytest.mark.parametrize(
    'config, named',
    [
        ([], 'a list, not a dict'),
        (dict(_base_='x'), '_base_'),
        (dict(filename='x'), 'filename'),
        ({'a': {"x': 1}, evil(), {'y": 1}}, "'y"),
        ({'a': {'x\\': 1}}, 'key'),
        ({'a': {'x\n': 1}}, 'key'),
        ({'a': {(1, 2): 1}}, 'neither a text nor a whole number'),
        ({'a': {1 << 65: 1}}, 'too large'),
        (dict(a=[{1, 2}]), r'config\.a\.0'),
        (dict(a=dict(b=float('nan'))), r'config\.a\.b'),
        (dict(a=1 << 65), '64 bits'),
        (dict(a=check_config), r'config\.a'),
    ],
)
def test_what_no_config_holds_is_named(config, named):
    with pytest.raises(ValueError, match=named):
        check_config(config)
    with pytest.raises(ValueError, match=named):
        write_config_text(config)


def test_only_this_package_is_imported():
    for asked in (['mmvidadapt', 'evil'], ['mmvidadapt']):
        config = dict(custom_imports=dict(imports=asked), a=1)
        found = own_imports(config)
        assert found == dict(custom_imports=OWN_IMPORTS, a=1)
    assert own_imports(dict(custom_imports=dict(imports='evil'))) == {}
    assert own_imports(dict(a=1)) == dict(a=1)
