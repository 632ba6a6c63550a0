"""Malicious files: every one is refused, and nothing runs."""

import os
import pickle
import re
from typing import Tuple

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from torch import Tensor, nn

from .loaders import (
    every_loader,
    load_as_pretrained,
    repack,
    saved,
    with_pickle,
)
from .samples import Node, vit


class Malice:
    """Ask an unpickler to create a file.

    Args:
        trace (str): The file.
        how (str): Which function is to do it.
    """

    def __init__(self, trace, how):
        self.trace, self.how = str(trace), how

    def __reduce__(self):
        """Name the function and its arguments."""
        touch = f'open({self.trace!r}, "w").close()'
        return {
            'system': (os.system, (f'touch {self.trace}',)),
            'exec': (exec, (touch,)),
            'open': (open, (self.trace, 'w')),
            'numpy': (np.save, (self.trace, np.zeros(1))),
            'getattr': (getattr, (HistoryBuffer, '__init__')),
            'torch': (torch.save, (0, self.trace)),
        }[self.how]


class Evil(nn.Module):
    """TorchScript that creates a file as soon as it is loaded.

    Args:
        trace (str): The file.
    """

    def __init__(self, trace: str) -> None:
        super().__init__()
        self.trace = trace
        self.weight = nn.Parameter(torch.ones(2))

    @torch.jit.export
    def __getstate__(self) -> Tuple[Tensor, str, bool]:
        """Hand on what the trap needs."""
        return self.weight, self.trace, self.training

    @torch.jit.export
    def __setstate__(self, state: Tuple[Tensor, str, bool]) -> None:
        """Spring the trap."""
        self.weight = state[0]
        self.training = state[2]
        self.trace = state[1]
        torch.save(state[0], state[1])

    def forward(self, x: Tensor) -> Tensor:
        """Look harmless."""
        return x * self.weight


def malicious(how, place, zipped):
    def write(path, trace):
        content = {'state_dict': vit(), place: Malice(trace, how)}
        saved(content, path, zipped)

    return write


def bare(protocol):
    """Write a pickle that no torch.save wrote."""

    def write(path, trace):
        content = {'state_dict': Malice(trace, 'system')}
        path.write_bytes(pickle.dumps(content, protocol))

    return write


def evil_script(path, trace):
    torch.jit.save(torch.jit.script(Evil(str(trace))), str(path))


def npz(path, trace):
    objects = np.array([Malice(trace, 'system')], dtype=object)
    with path.open('wb') as file:
        np.savez(file, **{'Transformer/encoder_norm/scale': objects})


MALICIOUS = {
    **{
        f'{how}-{place}-{"zip" if zipped else "legacy"}': malicious(
            how, place, zipped
        )
        for how in ('system', 'exec', 'open', 'numpy', 'getattr', 'torch')
        for place, zipped in (('meta', True), ('optimizer', False))
    },
    **{f'bare-{p}': bare(p) for p in range(2, pickle.HIGHEST_PROTOCOL + 1)},
    'script': evil_script,
    'npz': npz,
}


@every_loader
@pytest.mark.filterwarnings('ignore:Detected pickle protocol')
@pytest.mark.parametrize('kind', MALICIOUS)
def test_malice_is_refused_and_does_nothing(tmp_path, kind, load):
    trace, path = tmp_path / 'trace', tmp_path / 'evil.pth'
    MALICIOUS[kind](path, trace)
    with pytest.raises(ValueError) as error:
        load(path)
    assert str(path) in str(error.value)
    reason = str(error.value).replace(str(path), '')
    assert re.search('is refused, because', reason), reason
    assert 'weights_only' not in reason  # torch's way to switch it off
    assert 'system' in reason or 'system' not in kind
    assert not list(tmp_path.glob('trace*'))


def test_the_traps_work(tmp_path):
    """Without protection every one of them would spring."""
    for how in ('system', 'exec', 'open', 'torch'):
        trace = tmp_path / how
        pickle.loads(pickle.dumps(Malice(trace, how)))
        assert trace.exists(), how
    evil_script(tmp_path / 'evil.pt', tmp_path / 'script')
    torch.jit.load(str(tmp_path / 'evil.pt'))
    assert (tmp_path / 'script').exists()


@pytest.mark.parametrize(
    'asked', ['os system', 'builtins eval', 'torch.jit load', 'nt system']
)
def test_scripts_cannot_ask_for_functions(tmp_path, asked):
    path = tmp_path / 'evil.pt'
    torch.jit.save(torch.jit.script(Node({'w': torch.ones(2)})), str(path))
    rogue = b'\x80\x02c' + asked.replace(' ', '\n').encode() + b'\n.'
    repack(path, with_pickle(rogue))
    with pytest.raises(ValueError, match='refused') as error:
        load_as_pretrained(path)
    assert asked.replace(' ', '.') in str(error.value)
