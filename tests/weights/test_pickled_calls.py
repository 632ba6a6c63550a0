"""Calls in a pickle that make much of little, of whatever torch may call."""

import io
import pickle

import numpy as np
import pytest
import torch

from mmvidadapt.weights.files.pickles import check_pickle
from mmvidadapt.weights.files.readers import load_checkpoint_file

from .test_bombs import PROTO, long1, text

HUGE = long1(10**9)
NUMPY = b'cnumpy._core.multiarray\n'
WIDE = b'cnumpy\ndtype\n' + text('S2000000000') + b'\x85R'
INDEX = NUMPY + b'scalar\ncnumpy\ndtype\n' + text('<i8') + b'\x85R'
TYPED = b'ctorch._tensor\n_rebuild_from_type_v2\n'
SPREAD = (
    b'ctorch._utils\n_rebuild_tensor_v2\nctorch\nTensor\n(('
    + text('storage')
    + b'ctorch\nFloatStorage\n'
    + text('0')
    + text('cpu')
    + b'K\x01tQK\x00'
    + HUGE
    + b'\x85K\x00\x85\x89NtN'  # a billion numbers, each the same
)
CALLS = {
    'sizes': b'ctorch\nHalfTensor\n' + HUGE + b'\x85R',
    'size': b'ctorch\nFloatTensor\nctorch\nSize\n' + HUGE + b'\x85\x85R\x85R',
    'new': b'ctorch\nTensor\n' + HUGE + b'\x85\x81',
    'storage': b'ctorch.storage\nUntypedStorage\n' + HUGE + b'\x85R',
    'inside': TYPED
    + b'(ctorch\nHalfTensor\nctorch\nTensor\n'
    + HUGE
    + b'\x85}tR',
    'spread-inside': TYPED + b'(' + SPREAD + b'tR',
    'spread-inside-twice': TYPED + b'(' + TYPED + b'N(' + SPREAD + b'tNtR',
    'wide-array': b'cnumpy\nndarray\nK\x01\x85'
    + text('S2000000000')
    + b'\x86R',
    'wide-scalar': NUMPY + b'scalar\n' + WIDE + b'\x85R',
    'index': b'cbuiltins\nbytearray\n'
    + INDEX
    + text('12345678')
    + b'\x86R\x85R',
    'punycode': b'cbuiltins\nbytearray\n'
    + text('a' * 10**5)
    + text('punycode')
    + b'\x86R',
    'copies': b'(c_codecs\nencode\nq\x00('
    + text('a' * 10**6)
    + text('latin1')
    + b'tq\x01'
    + b'h\x00h\x01R' * 100
    + b't',
}


@pytest.mark.parametrize('kind', CALLS)
def test_calls_that_make_much_of_little_are_refused(kind):
    data = PROTO + CALLS[kind] + b'.'
    with pytest.raises(pickle.UnpicklingError, match='refusing'):
        check_pickle(io.BytesIO(data), len(data))


def test_honest_calls_are_not(tmp_path):
    """Tensors with attributes, arrays, numbers and bytes beside them."""
    weight = torch.nn.Parameter(torch.ones(3))
    marked = torch.ones(2)
    weight.mark, marked.mark = 1, 2
    content = dict(
        state_dict=dict(weight=weight, marked=marked),
        number=np.float32(2),
        flags=np.array([True, False]),
        names=np.array(['a', 'long' * 50]),
        room=bytearray(b'\xff' * 100),
        raw=b'\xfe' * 100,
    )
    path = tmp_path / 'x.pth'
    torch.save(content, path)
    found = load_checkpoint_file(path)
    assert torch.equal(found['state_dict']['weight'], weight)
    assert found['state_dict']['marked'].mark == 2
    assert found['number'] == 2 and found['names'][1] == 'long' * 50
    assert found['room'] == content['room'] and found['raw'] == content['raw']
