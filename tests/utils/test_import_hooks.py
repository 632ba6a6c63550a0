"""Modules are acted upon when they are imported, and not before."""

import importlib
import inspect
import json
import os
import subprocess
import sys

import pytest

from mmvidadapt.utils import import_hooks
from mmvidadapt.utils.import_hooks import (
    after_import,
    import_through,
    is_imported,
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Forget in the end what a test has imported and waits for."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))
    for table in ('after', 'through'):
        kept = dict(getattr(import_hooks.FINDER, table))
        monkeypatch.setattr(import_hooks.FINDER, table, kept)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]
        import_hooks.FINDER.executed.discard(name)


def test_an_action_follows_the_import(folder):
    (folder / 'late.py').write_text('value = 1\n')
    seen = []
    after_import(['late'], lambda: seen.append(sys.modules['late'].value))
    assert importlib.util.find_spec('late').origin and seen == []
    import late

    assert seen == [1] and is_imported('late')
    # Nothing of ours is left on the module.
    assert type(late.__loader__).__module__ == '_frozen_importlib_external'
    assert late.__spec__.loader is late.__loader__
    assert inspect.getsource(late) == 'value = 1\n'
    after_import(['late'], lambda: seen.append(2))
    assert seen == [1, 2], 'what is there already is acted upon at once'


def test_a_half_imported_module_is_waited_for(folder):
    """The action needs both, and one imports the other."""
    (folder / 'outer.py').write_text('import inner\nready = True\n')
    (folder / 'inner.py').write_text('')
    seen = []

    def action():
        import inner  # noqa: F401

        seen.append(sys.modules['outer'].ready)

    after_import(['outer', 'inner'], action)
    import outer  # noqa: F401

    assert seen == [True]


def test_an_action_that_imports_what_it_waits_for_runs_once(folder):
    (folder / 'first.py').write_text('')
    (folder / 'second.py').write_text('')
    seen = []

    def action():
        import second  # noqa: F401

        seen.append(sorted({'first', 'second'} & set(sys.modules)))

    after_import(['first', 'second'], action)
    import first  # noqa: F401

    assert seen == [['first', 'second']]


def test_a_module_is_loaded_through_a_function(folder):
    """As often as that function likes."""
    (folder / 'moody.py').write_text(
        "tries = globals().get('tries', 0) + 1\n"
        "if tries < 2: raise RuntimeError('not yet')\n"
    )

    def load(run):
        with pytest.raises(RuntimeError, match='not yet'):
            run()
        run()

    import_through('moody', load)
    import moody

    assert moody.tries == 2


def test_an_error_of_a_module_stays_its_own(folder):
    (folder / 'broken.py').write_text("raise OSError('no library')\n")
    seen = []
    after_import(['broken'], lambda: seen.append(1))
    with pytest.raises(OSError, match='no library'):
        importlib.import_module('broken')
    assert not is_imported('broken') and seen == []
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module('not_there')


FIRST = """
import json, os, pkgutil, sys
import torch
import mmvidadapt
import mmengine
failed = []
for part in pkgutil.iter_modules(mmengine.__path__, 'mmengine.'):
    if part.ispkg and not os.fork():
        try:
            __import__(part.name)
        except BaseException as error:
            print(part.name, error, file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    elif part.ispkg and os.wait()[1]:
        failed.append(part.name)
print(json.dumps(failed))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, 'fork'), reason='no fork here')
def test_every_package_of_mmengine_may_be_the_first_import():
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', FIRST],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert json.loads(done.stdout) == [], done.stderr
