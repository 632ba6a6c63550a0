"""Small files that ask for much: refused soon, in little memory."""

import io
import resource
import struct
import zipfile

import numpy as np
import pytest
import torch

from mmvidadapt.methods.bevt.tokenizers.dalle_files import read_pickled_module
from mmvidadapt.weights.adapter_file import is_adapter, read_adapter
from mmvidadapt.weights.files.readers import load_checkpoint_file
from tests.soon import soon

from .loaders import load_as_pretrained, repack
from .samples import Node
from .test_adapter_file import adapter

HUGE = 3_000_000_000
PROTO = b'\x80\x02'


def long1(number):
    """Write a whole number into a pickle."""
    data = number.to_bytes(16, 'little', signed=True)
    return b'\x8a' + bytes([len(data)]) + data


def text(word):
    """Write a text into a pickle."""
    return b'X' + struct.pack('<I', len(word)) + word.encode()


def sharing(levels=120):
    """Write tuples that hold the one before twice."""
    steps = [b')q\x00']
    for i in range(levels):
        get = b'h' + bytes([i])
        steps.append(get + get + b'\x86q' + bytes([i + 1]))
    return b''.join(steps)


PICKLES = {
    'sharing': PROTO + b'}' + sharing() + b'K\x01s.',
    'sharing-name': PROTO + b'(' + text('storage') + sharing() + b'tQ.',
    'deep': PROTO + b')' + b'\x85' * 5_000_000 + b'.',
    'marks': PROTO + b'(' * 1_000_000 + b't' * 1_000_000 + b'.',
    'wide': PROTO + b'](' + b')\x85' * 500_000 + b'e.',
    'classes': PROTO
    + b''.join(b'c__torch__\nA%d\n0' % i for i in range(500_000))
    + b'.',
    'calls': PROTO
    + b'ccollections\nOrderedDict\nq\x00)R'
    + b'h\x00)R\x86' * 500_000
    + b'.',
    'memo': PROTO + b']r\xff\xff\xff\xff.',
    'colliding': PROTO
    + b'}('
    + b''.join(long1(i * (2**61 - 1)) + b'K\x01' for i in range(100_000))
    + b'u.',
    'bytearray': PROTO + b'cbuiltins\nbytearray\n' + long1(10**12) + b'\x85R.',
    'punycode': PROTO
    + b'c_codecs\nencode\n'
    + text('a' * 10**6)
    + text('punycode')
    + b'\x86R.',
    'array': PROTO
    + b'cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n'
    + long1(10**12)
    + b'\x85C\x01b\x87R.',
    'itself': PROTO + b']q\x00' + b'h\x00a' * 100 + b'.',
    'number': PROTO
    + b'\x8b'
    + struct.pack('<I', 10**6)
    + b'\x7f' * 10**6
    + b'.',
    'unfinished': PROTO + b'\x8d' + b'\xff' * 8 + b'.',
}


def torch_zip(path, data, method=zipfile.ZIP_STORED, **more):
    """Write an archive of torch.save around a pickle."""
    with zipfile.ZipFile(path, 'w', method) as file:
        file.writestr('archive/data.pkl', data)
        file.writestr('archive/version', '3\n')
        for name, content in more.items():
            file.writestr(f'archive/{name}', content)


def script_zip(path, data, method=zipfile.ZIP_STORED):
    """Write a TorchScript archive around a pickle."""
    torch_zip(path, data, method, **{'constants.pkl': PROTO + b').'})


def every_pickle(write, *names):
    """Give writers of these pickles, or of all."""
    return {
        f'{write.__name__}-{name}': lambda path, d=PICKLES[name]: write(
            path, d
        )
        for name in names or PICKLES
    }


def bare(path, data):
    """Write a pickle as it is."""
    path.write_bytes(data)


def packed(write):
    """Pack a pickle of 80 MB into 0.1 MB."""
    return lambda path: write(
        path,
        PROTO + b']' + b'(e' * 40_000_000 + b'.',
        zipfile.ZIP_DEFLATED,
    )


def spread(path, numel=HUGE, names=1):
    """Spread one number over gigabytes."""
    one = torch.zeros(1).expand(numel)
    torch.save({f'x{i}': one for i in range(names)}, path)


def spread_script(path):
    """Do so in TorchScript."""
    module = Node({'x': torch.zeros(1)})
    torch.jit.save(torch.jit.script(module), str(path))

    def change(name, data):
        before = b'(K\x01t'  # size and stride, (1,)
        assert data.count(before) == 2 * name.endswith('/data.pkl')
        data = data.replace(before, b'(' + long1(HUGE) + b't', 1)
        return name, data.replace(before, b'(K\x00t', 1)

    repack(path, change)


def spread_sparse(path):
    """Do so in what checks every index of a sparse tensor."""
    index = torch.zeros(1, dtype=torch.int64).expand(1, HUGE)
    values = torch.zeros(1).expand(HUGE)
    sparse = torch.sparse_coo_tensor(
        index, values, (5,), check_invariants=False, is_coalesced=True
    )
    torch.save({'x': sparse}, path)


def iterated(path):
    """Make a set of the numbers of a tensor, one by one."""
    buffer = io.BytesIO()
    torch.save(torch.zeros(1).expand(10**7), buffer)
    with zipfile.ZipFile(buffer) as old:
        data = old.read('archive/data.pkl')
        data = PROTO + b'cbuiltins\nset\n' + data[2:-1] + b'\x85R.'
        torch_zip(path, data, **{'data/0': bytes(4)})


def msgpack_many(item):
    """Write half a million values in a list."""
    head = b'\x81\xa1a\xdd' + struct.pack('>I', 500_000)
    return lambda path: path.write_bytes(head + item * 500_000)


def msgpack_dimensions(count, sizes, data):
    """Write an array of many dimensions, some more than torch has."""
    shape = b'\xdd' + struct.pack('>I', count) + sizes * count
    body = b'\x01\x93' + shape + b'\xa5uint8' + data
    head = b'\x81\xa1a\xc9' + struct.pack('>I', len(body) - 1)
    return lambda path: path.write_bytes(head + body)


def npz(path):
    """Pack 100 MB of zeros into 0.1 MB."""
    with path.open('wb') as file:
        np.savez_compressed(file, a=np.zeros(100_000_000, np.uint8))


def npz_lzma(path):
    """Pack them in a way that asks for memory."""
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_LZMA) as file:
        file.writestr('a.npy', bytes(1000))


def overlapping(path):
    """Let many entries share the same bytes."""
    torch_zip(path, PROTO + b'}.')
    data = path.read_bytes()
    start = data.index(b'PK\1\2')
    end = data.index(b'PK\5\6')
    size = data.index(b'PK\1\2', start + 1) - start
    entry = data[start : start + size].replace(b'data.pkl', b'data.pk%c')
    more = b''.join(entry % (48 + i) for i in range(9))
    directory = data[start:end] + more
    tail = struct.pack(
        '<4s4H2LH', b'PK\5\6', 0, 0, 11, 11, len(directory), start, 0
    )
    path.write_bytes(data[:start] + directory + tail)


def two_directories(path):
    """Show one reader another list of entries than the other."""
    torch_zip(path, PROTO + b'}.')
    data = path.read_bytes()
    end = data.index(b'PK\5\6')
    path.write_bytes(data[:end] + bytes(30) + data[end:])


def commented(path):
    """Hide something behind the end."""
    torch_zip(path, PROTO + b'}.')
    with zipfile.ZipFile(path, 'a') as file:
        file.comment = b'x' * 100


def long_directory(path):
    """List a hundred thousand entries."""
    with zipfile.ZipFile(path, 'w') as file:
        for i in range(100_000):
            file.writestr(zipfile.ZipInfo(f'{i}.npy'), b'')


def with_header(header):
    """Write a safetensors file of a header alone."""
    return lambda path: path.write_bytes(
        struct.pack('<Q', len(header)) + header
    )


def beyond(path):
    """Promise more numbers than an entry has."""
    torch.save({'a': torch.zeros(4)}, path)
    repack(path, lambda name, data: (name, data.replace(b'K\x04', b'K\x40')))


BOMBS = {
    **every_pickle(bare),
    **every_pickle(torch_zip, 'sharing', 'sharing-name', 'deep'),
    **every_pickle(script_zip, 'sharing', 'sharing-name', 'deep', 'classes'),
    'packed-zip': packed(torch_zip),
    'packed-script': packed(script_zip),
    'spread': spread,
    'spread-often': lambda path: spread(path, 10_000_000, 100),
    'spread-script': spread_script,
    'spread-sparse': spread_sparse,
    'iterated': iterated,
    'beyond': beyond,
    'msgpack-list': msgpack_many(b'\x90'),
    'msgpack-map': msgpack_many(b'\x81\x00\x80'),
    'msgpack-dimensions': msgpack_dimensions(10**6, b'\x02', b'\xc4\x00'),
    'msgpack-some-dimensions': msgpack_dimensions(
        100, b'\x01', b'\xc4\x01\x00'
    ),
    'npz': npz,
    'npz-lzma': npz_lzma,
    'overlapping': overlapping,
    'two-directories': two_directories,
    'commented': commented,
    'long-directory': long_directory,
    'header-deep': with_header(b'{"a":' * 100_000 + b'1' + b'}' * 100_000),
    'header-list': with_header(b'{"a":' + b'[' * 10_000_000),
    'header-long': with_header(b'{"a":"' + b'x' * 60_000_000 + b'"}'),
    'header-dimensions': with_header(
        b'{"a":{"dtype":"U8","shape":['
        + b'1,' * 1_000_000
        + b'0],"data_offsets":[0,0]}}'
    ),
}


@pytest.mark.parametrize('kind', BOMBS)
def test_bombs_are_refused_soon_in_little_memory(tmp_path, kind):
    path = tmp_path / 'x.pth'
    BOMBS[kind](path)
    before = peak()
    with soon(), pytest.raises(ValueError) as error:
        load_as_pretrained(path)
    assert peak() - before < 300 << 20
    assert str(path) in str(error.value)
    assert len(str(error.value)) < 600


def test_bombs_in_the_place_of_dalles_module(tmp_path):
    """Which another unpickler reads."""
    path = tmp_path / 'encoder.pkl'
    for write, name in (
        (bare, 'deep'),
        (bare, 'memo'),
        (torch_zip, 'sharing-name'),
        (torch_zip, 'colliding'),
    ):
        write(path, PICKLES[name])
        with soon(), pytest.raises(ValueError, match='refusing a pickle'):
            read_pickled_module(path)
    bare(path, PICKLES['memo'])
    with zipfile.ZipFile(path, 'a') as file:  # what torch does not look at
        file.writestr('archive/data.pkl', PROTO + b'}.')
    with pytest.raises(ValueError, match='refusing a pickle'):
        read_pickled_module(path)


def test_headers_in_the_place_of_adapters(tmp_path):
    path = tmp_path / 'x.adapter.safetensors'
    for kind in ('header-deep', 'header-list', 'header-dimensions'):
        BOMBS[kind](path)
        with soon():
            assert not is_adapter(path)
            with pytest.raises(ValueError, match=str(path)):
                read_adapter(path)


def test_dimensions_in_a_real_adapter(tmp_path):
    """Which would be read before anything is compared."""
    path = tmp_path / 'x.adapter.safetensors'
    adapter(tensors=dict(x=torch.zeros(1, 0))).write(path)
    data = path.read_bytes()
    head, (length,) = data[8:], struct.unpack('<Q', data[:8])
    many = head[:length].replace(b'[1,0]', b'[' + b'1,' * 10**6 + b'0]')
    assert len(many) > length
    path.write_bytes(struct.pack('<Q', len(many)) + many + head[length:])
    assert not is_adapter(path)
    with pytest.raises(ValueError, match='its header is damaged'):
        read_adapter(path)


def test_large_honest_states_are_read(tmp_path):
    """Thousands of parameters, one group of the optimizer for each."""
    layers = torch.nn.ModuleList(torch.nn.Linear(1, 1) for _ in range(500))
    groups = [dict(params=[param]) for param in layers.parameters()]
    optimizer = torch.optim.AdamW(groups)
    for param in layers.parameters():
        param.grad = torch.zeros_like(param)
    optimizer.step()
    path = tmp_path / 'x.pth'
    state = dict(
        state_dict=layers.state_dict(), optimizer=optimizer.state_dict()
    )
    torch.save(state, path)
    found = load_checkpoint_file(path)
    assert len(found['optimizer']['param_groups']) == 1000
    expanded = dict(state_dict=dict(x=torch.arange(9).expand(1000, -1)))
    torch.save(expanded, path)
    assert load_checkpoint_file(path)['state_dict']['x'].shape == (1000, 9)


def peak():
    """Give the most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
