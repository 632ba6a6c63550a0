"""The tool prints the published counts of the main row."""

import pytest

from tests import runs

from .processes import call


def flops(monkeypatch, capsys, *args):
    """Run tools/get_flops.py in this process; return what it prints."""
    call(monkeypatch, 'get_flops.py', *args)
    return capsys.readouterr().out


def test_the_main_row(monkeypatch, capsys):
    out = flops(monkeypatch, capsys, 'aim/vitb16_k400')
    assert 'input shape: (1, 3, 8, 224, 224)' in out
    assert 'parameters: 96,764,560, trained: 10,966,672' in out
    published = float(out.split(' G as the paper')[0].split()[-1])
    assert published == pytest.approx(202.1, rel=0.01)
    assert float(out.split(' G as it runs')[0].split()[-1]) < 0.92 * published
    words = ('aim/vitb16_k400', '--trunk', 'openai/ViT-B-32')
    out = flops(monkeypatch, capsys, *words)
    assert 'parameters: 98,' in out and 'trained: 10,966,672' in out


def test_shapes(monkeypatch, capsys, tmp_path):
    path = tmp_path / 'tiny.py'
    runs.recipe(tmp_path / 'list.txt', tmp_path).dump(path)
    for shape, expected in (
        ([], '(1, 3, 4, 16, 16)'),
        (['16'], '(1, 3, 4, 16, 16)'),
        (['2', '3', '4', '16', '16'], '(2, 3, 4, 16, 16)'),
    ):
        args = ['--shape', *shape] if shape else []
        assert expected in flops(monkeypatch, capsys, str(path), *args)
    with pytest.raises(ValueError, match='--shape 1 2 3: give 1, 2 or 5'):
        flops(monkeypatch, capsys, str(path), '--shape', '1', '2', '3')
