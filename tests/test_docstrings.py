"""Docstrings name the arguments that there are, with their defaults."""

import importlib
import inspect
import pkgutil
import re
from typing import Any, Iterator, Tuple

import pytest

import mmvidadapt


def public_objects() -> Iterator[Tuple[str, Any]]:
    """Yield every public class and function of the package."""
    modules = pkgutil.walk_packages(mmvidadapt.__path__, 'mmvidadapt.')
    for info in modules:
        if info.name.endswith('__main__') or '.mim' in info.name:
            continue
        module = importlib.import_module(info.name)
        for name, obj in vars(module).items():
            own = getattr(obj, '__module__', None) == info.name
            if own and not name.startswith('_') and inspect.isroutine(obj):
                yield f'{info.name}.{name}', obj
            if own and not name.startswith('_') and inspect.isclass(obj):
                yield f'{info.name}.{name}', obj
                for method, function in vars(obj).items():
                    if inspect.isfunction(function) and method[0] != '_':
                        yield f'{info.name}.{name}.{method}', function


def documented_arguments(doc: str) -> dict:
    """Read the ``Args:`` section: name to text."""
    lines = doc.splitlines()
    if 'Args:' not in lines:
        return {}
    arguments = {}
    for line in lines[lines.index('Args:') + 1 :]:
        if line and not line.startswith('    '):
            break  # the next section
        entry = re.match(r' {4}(\*{0,2}\w+)(?: \(.*\))?:(.*)', line)
        if entry:
            name = entry.group(1)
            arguments[name] = entry.group(2)
        elif line:
            assert line.startswith(' ' * 8), f'not an argument: {line!r}'
            arguments[name] += line
    return arguments


def documented_default(text: str) -> Any:
    """Evaluate what follows 'Defaults to', or give a marker."""
    text = ' '.join(text.split())
    if 'Defaults to ' not in text:
        return inspect.Parameter.empty
    said = text.split('Defaults to ')[1].split(': ')[0].split('. ')[0]
    said = said.rstrip('.').strip('`')
    try:
        return eval(said, {'__builtins__': {}})
    except (NameError, SyntaxError):
        return said


OBJECTS = dict(public_objects())


def test_there_is_something_to_check():
    assert len(OBJECTS) > 100
    aim = inspect.getdoc(OBJECTS['mmvidadapt.methods.aim.backbone.AIM'])
    assert len(documented_arguments(aim)) == 7


@pytest.mark.parametrize('name', sorted(OBJECTS))
def test_docstring(name):
    obj = OBJECTS[name]
    doc = inspect.getdoc(obj)
    assert doc, f'{name} says nothing'
    documented = documented_arguments(doc)
    if not documented:
        return
    signature = inspect.signature(obj)
    prefix = {
        inspect.Parameter.VAR_KEYWORD: '**',
        inspect.Parameter.VAR_POSITIONAL: '*',
    }
    parameters = {
        prefix.get(p.kind, '') + p.name: p
        for p in signature.parameters.values()
        if p.name not in ('self', 'cls')
    }
    assert list(documented) == list(parameters)
    for argument, text in documented.items():
        default = parameters[argument].default
        said = documented_default(text)
        if default is inspect.Parameter.empty:
            assert said is inspect.Parameter.empty, argument
        else:
            same = said == default or str(said) in (
                str(default),
                f':class:`{getattr(default, "__name__", "")}',
            )
            assert same or tuple_like(said, default), (argument, said)


def tuple_like(said: Any, default: Any) -> bool:
    """Whether a sequence was written with other brackets."""
    return (
        isinstance(said, (list, tuple))
        and isinstance(default, (list, tuple))
        and tuple(said) == tuple(default)
    )
