"""Columns of plain text, whatever is in the cells and wherever it goes."""

import pytest

from mmvidadapt.utils.text_table import text_table

ROWS = [['', 'x', 'MB'], ['trained'], ['  [b]w[/]', 3, '1,234'], ['日本', 3]]


@pytest.mark.parametrize('width', ['20', '200'])
def test_columns_line_up_on_any_terminal(monkeypatch, width):
    monkeypatch.setenv('COLUMNS', width)
    monkeypatch.setenv('FORCE_COLOR', '1')
    assert text_table(ROWS).split('\n') == [
        '           x     MB',
        'trained',
        '  [b]w[/]  3  1,234',
        '日本       3',  # two columns a sign
    ]
    long = [['a name' * 100, 1], ['b', 22]]
    assert text_table(long, 'rl', gap=1).split('\n') == [
        'a name' * 100 + ' 1',
        f'{"b":>600} 22',
    ]
