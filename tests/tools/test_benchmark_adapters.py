"""The tool that measures adapters on one trunk, at small size."""

import re

import pytest

from tests import runs
from tests.adapters import config_of

from .processes import call


@pytest.mark.slow
def test_it_says_what_one_and_several_take(monkeypatch, tmp_path, capsys):
    path = tmp_path / 'tiny.py'
    config_of('aim', None).dump(path)
    assert (runs.ROOT / 'tools/benchmark/adapters.py').is_file()
    call(monkeypatch, 'benchmark/adapters.py', path, '--adapters', '3')
    out = capsys.readouterr().out
    words = r'resident: (-?\d+) MB with one adapter, (-?\d+) MB with 3 on one'
    found = re.search(words, out)
    assert found and 0 <= int(found[1]) < 100 and 0 <= int(found[2]) < 100
