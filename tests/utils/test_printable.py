"""What names say is shown, and neither terminal nor page obeys it."""

import ast
from pathlib import Path

import pytest

from mmvidadapt.apis.use.adapters import describe_adapter
from mmvidadapt.apis.use.convert_weights import describe, read_conversion
from mmvidadapt.apis.use.inference import Prediction, load_strictly
from mmvidadapt.apis.use.prediction_files import table
from mmvidadapt.datasets.prepare.own_videos import OwnData, report
from mmvidadapt.datasets.prepare.video_facts import VideoFacts
from mmvidadapt.models import ImageViT
from mmvidadapt.utils.printable import (
    fail,
    in_code,
    in_markdown,
    printable,
    printable_lines,
    say,
)
from tests.weights.loaders import ARCH, saved
from tests.weights.samples import vit
from tests.weights.test_adapter_file import CONFIG, adapter

ROOT = Path(__file__).resolve().parents[2] / 'tools'
TOOLS = sorted(
    path
    for path in (*ROOT.glob('*.py'), *ROOT.glob('analysis/*.py'))
    if path.name != 'model_zoo.py'  # of this repository's own files
)
EVIL = '\x1b[2J\x1b]0;t\x07x\r\u202egnp.\x9b1m'
NAMES = ('run', '跑步', 'हिन्दी', 'می‌خواهم', '👩‍👧', 'a b', 'é')


def assert_harmless(text):
    """A terminal obeys nothing in it."""
    for line in text.split('\n'):
        assert printable(line) == line, ascii(line)


@pytest.mark.parametrize('name', NAMES)
def test_names_of_all_languages_stay(name):
    assert printable(name) == name == printable_lines(name)
    assert in_markdown(name) == name


def test_what_a_terminal_obeys_is_shown(capsys):
    assert printable('a\x1b[0m\nb\udcff') == r'a\x1b[0m\nb\udcff'
    assert printable_lines('a\tb\nc\rd') == 'a\tb\nc' + r'\rd'
    say('\rone', EVIL, 3, end='!')
    out = capsys.readouterr().out
    assert out.startswith('\rone ') and out.endswith(' 3!')
    assert_harmless(out[1:])
    say()
    assert capsys.readouterr().out == '\n'
    with pytest.raises(SystemExit) as end:
        fail(ValueError(f'{EVIL} is damaged'))
    assert str(end.value).startswith(r'error: \x1b[2J')
    assert_harmless(str(end.value))


def test_what_a_page_would_run_is_shown():
    assert in_markdown('<img src=x>') == '&lt;img src=x&gt;'
    assert in_markdown('a|b\n# c') == r'a\|b\\n# c'
    assert in_markdown('[a](http://b)') == r'\[a\](http://b)'
    assert in_code('a`<b>`') == r'`a\x60<b>\x60`'


def test_adapter_files(tmp_path):
    path = tmp_path / 'x'
    facts = dict(classes=[EVIL, 'b\nmetrics: acc 1.0'], metrics={EVIL: 1.0})
    facts.update(version=EVIL, trunk=dict(source=EVIL, sha256='0' * 64))
    facts['config'] = dict(CONFIG, model=dict(type=EVIL))
    adapter(**facts).write(path)
    text = describe_adapter(path)
    assert len(text.splitlines()) == 6
    assert_harmless(text)


def test_predictions():
    text = table(Prediction(EVIL, 0.0, 1.0, [(EVIL, 0.9), ('a\nb', 0.1)]))
    assert len(text.splitlines()) == 3
    assert_harmless(text)


def test_names_of_tensors(tmp_path):
    path = str(tmp_path / 'x.pth')
    saved({**vit(), EVIL: vit()['ln_pre.weight']}, path)
    with pytest.raises(ValueError, match='unknown to the model') as error:
        load_strictly(ImageViT(arch=ARCH, img_size=12), path)
    assert_harmless(str(error.value))
    saved({**vit(), f'proj.{EVIL}': vit()['ln_pre.weight']}, path)
    try:
        text = describe(read_conversion(path), path)
    except ValueError as error:
        text = str(error)
    assert_harmless(text)


def test_reports_of_videos():
    facts = VideoFacts(**dict.fromkeys(VideoFacts._fields, 1))
    evil = f'<script>|`{EVIL}'
    lists = ([evil, 'b'], dict(train=[]), {'a.mp4': facts}, [(evil, evil)])
    data = OwnData('videos', *lists, notes=[evil])
    text = report(data, data.notes)
    assert_harmless(text)
    assert '<script>' not in ''.join(text.split('`')[::2])
    rows = [row for row in text.splitlines() if row.startswith('| &lt;')]
    assert len(rows) == 1


@pytest.mark.parametrize('tool', TOOLS, ids=lambda path: path.name)
def test_tools_print_through_it(tool):
    """Whatever a tool prints may have names of others in it."""
    called = {
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(tool.read_text()))
        if isinstance(node, ast.Call)
    }
    assert 'print' not in called
    ends = tool.read_text().split('sys.exit(')[1:]
    assert not any(text.startswith("f'") for text in ends)
