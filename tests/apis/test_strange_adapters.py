"""Adapter files with wrong descriptions: one sentence from every door."""

import ast
import json
import struct
from functools import partial

import pytest
from mmengine.registry import init_default_scope

from mmvidadapt.apis import MultiAdapter, load_adapter
from mmvidadapt.apis.use.adapters import (
    describe_adapter,
    merge_adapter,
    verify_adapter,
)
from mmvidadapt.weights.adapter_file import KEY, digest, read_adapter
from tests.adapters import config_of, write_adapter, write_trunk
from tests.soon import soon

SHA = '0' * 64
DICTS = [{}, {'a': 1}]
LISTS = [[], [1], [None], [[]]]
TEXTS = ['', 'x', SHA]
NUMBERS = [True, 3, -1.5]
TINY = dict(type='ImageViT', arch='tiny')
# Field of the description -> what it may not be.
FIELDS = dict(
    format=[None, 0, -1, 2, 1 << 70, 1.5, True, *TEXTS, *LISTS, *DICTS],
    version=[None, *NUMBERS, *LISTS, *DICTS],
    config=[None, *NUMBERS, *TEXTS, *LISTS, *DICTS, '[]', '3', '{"model": 1}'],
    trunk=[
        *(None, *NUMBERS, *TEXTS, *LISTS, *DICTS),
        *(dict(source='x'), dict(sha256=SHA)),
        *(dict(source=source, sha256=SHA) for source in (3, ['x'])),
        *(dict(source='x', sha256=sha) for sha in (3, SHA[1:])),
        dict(source='x', sha256=SHA, more=1),
    ],
    classes=[*NUMBERS, *TEXTS, *LISTS[1:], *DICTS, ['a'], list('abcde')],
    metrics=[
        *(None, *NUMBERS, *TEXTS, *LISTS),
        *({'a': value} for value in (None, True, 'x', [], {})),
    ],
    sha256=[None, *NUMBERS, *TEXTS, *LISTS, *DICTS],
)
# Entry of the config -> what it may not be.
WRONG = [None, 3, 'x', {}, dict(type=3)]
BACKBONE, HEAD = ('model', 'backbone'), ('model', 'cls_head')
ENTRIES = {
    ('model',): [*WRONG, [], TINY, dict(backbone=TINY)],
    ('model', 'type'): [None, 3, '', 'Recognizer9D', ['Recognizer3D'], {}],
    BACKBONE: [*WRONG, [1], dict(arch='tiny'), TINY],
    (*BACKBONE, 'type'): [None, 3, '', 'TSM', 'os.system', 'Recognizer3D'],
    (*BACKBONE, 'arch'): [None, 3, 'huge', ['tiny'], {}, dict(embed_dims='x')],
    (*BACKBONE, 'num_frames'): [None, 'four', -4, 1.5, [], {}, 10**7, 10**30],
    (*BACKBONE, 'img_size'): ['x', {}, 10**7],
    (*BACKBONE, 'strange'): [None, 1],
    HEAD: [3, 'x', [1], dict(type=3), TINY],
    (*HEAD, 'num_classes'): [None, 5, -1, '4', [], 10**9],
    ('model', 'data_preprocessor'): [3, 'x', [1], dict(type=3)],
    ('model', 'data_preprocessor', 'mean'): ['x', [1, 2, None], [[1], 2, 3]],
    ('test_pipeline',): [None, 3, 'x', {}, ['x'], [dict(type=3)], [{}]],
    ('default_scope',): [None, 3, '', 'strange', []],
    ('filename',): ['x'],
    ('_base_',): ['x.py'],
}


@pytest.fixture(scope='module')
def sound(tmp_path_factory):
    """Write a sound file; give its path and bytes."""
    init_default_scope('mmaction')
    folder = tmp_path_factory.mktemp('sound')
    trunk = write_trunk(folder / 'trunk.pth')
    config = config_of('aim', trunk)
    path, _ = write_adapter(folder, 'aim', config, classes=list('abcd'))
    return path, open(path, 'rb').read()


def described(sound, path, change):
    """Write a sound file with another description, under a fitting hash."""
    whole, data = sound
    (length,) = struct.unpack('<Q', data[:8])
    head, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    said = json.loads(head['__metadata__'][KEY])
    del said['sha256']
    said = change(said) or said
    if isinstance(said, dict):
        hashed = digest(read_adapter(whole).tensors, said)
        said.setdefault('sha256', hashed)
    head['__metadata__'][KEY] = json.dumps(said)
    text = json.dumps(head).encode()
    path.write_bytes(struct.pack('<Q', len(text)) + text + body)
    return str(path)


def configured(said, entry, value):
    """Change an entry of the config in a description."""
    config = ast.literal_eval(said['config'])
    inner = config
    for name in entry[:-1]:
        inner = inner[name]
    inner[entry[-1]] = value
    said['config'] = repr(config)


def assert_refused(path):
    """Every door says one sentence that names the file."""
    for door in (
        verify_adapter,
        load_adapter,
        lambda path: MultiAdapter([path]),
        lambda path: merge_adapter(path, f'{path}.pth'),
    ):
        with pytest.raises(ValueError) as error:
            door(path)
        assert type(error.value) is ValueError
        assert path in str(error.value), str(error.value)
    try:  # which builds no model
        assert 'tensors:' in describe_adapter(path)
    except ValueError as error:
        assert path in str(error)


@pytest.mark.parametrize('field', FIELDS)
def test_a_field_of_another_type_is_named(tmp_path, sound, field):
    path = tmp_path / 'x.adapter.safetensors'
    for value in FIELDS[field]:
        change = {field: value}
        assert_refused(described(sound, path, lambda s, c=change: {**s, **c}))
        with pytest.raises(ValueError):
            describe_adapter(path)
    if field != 'sha256':
        assert_refused(described(sound, path, lambda s: s.pop(field) and None))


@pytest.mark.parametrize('said', [None, 3, 'x', [], [1], {}, {'a': 1}])
def test_a_description_that_is_none_is_refused(tmp_path, sound, said):
    path = tmp_path / 'x.adapter.safetensors'
    assert_refused(described(sound, path, lambda _: said or [said]))
    described(sound, path, lambda s: {**s, 'more': 1})
    with pytest.raises(ValueError, match=r"has unknown \['more'\]"):
        describe_adapter(path)


@pytest.mark.parametrize('entry', ENTRIES, ids='.'.join)
def test_a_config_that_builds_no_such_model_is_refused(tmp_path, sound, entry):
    path = tmp_path / 'x.adapter.safetensors'
    for value in ENTRIES[entry]:
        change = partial(configured, entry=entry, value=value)
        assert_refused(described(sound, path, change))


def test_what_is_right_stays_right(tmp_path, sound):
    path = tmp_path / 'x.adapter.safetensors'
    for field, value in (
        ('classes', None),
        ('classes', []),
        ('metrics', {'a': 1, 'b': float('nan')}),
        ('version', ''),
    ):
        described(sound, path, lambda s, f=field, v=value: {**s, f: v})
        assert len(verify_adapter(path, '')) == 3
        assert 'tensors:' in describe_adapter(path)


def built(value):
    """Give a model that builds, for another trunk than the file names."""
    return partial(configured, entry=(*BACKBONE, 'img_size'), value=value)


def test_a_trunk_of_another_size_is_refused(tmp_path, sound):
    """A file alone does not tell, so ``verify`` needs the trunk for it."""
    path = tmp_path / 'x.adapter.safetensors'
    for size, reason in ((10**5, 'MiB of parameters'), (32, 'another one')):
        described(sound, path, built(size))
        assert len(verify_adapter(path)) == 2
        for door in (load_adapter, lambda path: verify_adapter(path, '')):
            with soon(), pytest.raises(ValueError, match=reason):
                door(path)


LAYERS = dict(embed_dims=8, num_layers=10**7, num_heads=2, patch_size=8)


@pytest.mark.parametrize('layers', [10**7, 2**18, 10**5])
def test_a_model_without_end_is_refused_soon(tmp_path, sound, layers):
    path = tmp_path / 'x.adapter.safetensors'
    arch = dict(LAYERS, num_layers=layers)
    described(sound, path, lambda s: configured(s, (*BACKBONE, 'arch'), arch))
    for door in (verify_adapter, load_adapter):
        with soon(), pytest.raises(ValueError, match='beyond|more than'):
            door(path)
