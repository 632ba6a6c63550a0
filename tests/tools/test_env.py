"""The shell functions that quickstart.sh and run_tests.sh set up with."""

import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / 'tools'


def shell(command, **environment):
    script = f'set -euo pipefail; source "{TOOLS}/_env.sh"; {command}'
    return subprocess.run(
        ['bash', '-c', script],
        env=dict(PATH='/usr/bin:/bin', **environment),
        capture_output=True,
        text=True,
    )


@pytest.fixture
def python(tmp_path):
    """Imitate a Python: a script that notes what it is asked to do."""
    path = tmp_path / 'some python' / 'python'
    path.parent.mkdir()
    path.write_text(
        '#!/bin/sh\n'
        f'echo "$@" >> "{tmp_path}/calls"\n'
        'case "$1 $2" in "-V "*) echo Python 3.11.0;;\n'
        '"-m venv") mkdir -p "$4/bin"; cp "$0" "$4/bin/python";;\n'
        '"-m pip") [ ! -e "$0.broken" ] ;; esac\n'
    )
    path.chmod(0o755)
    return path


def test_a_python_is_found():
    done = shell('find_python', PYTHON=sys.executable)
    assert Path(done.stdout.strip()) == Path(sys.executable)


def test_no_python_is_said_with_the_way_out():
    done = shell('find_python', PYTHON='/no/such/python')
    assert done.returncode == 1 and not done.stdout
    assert "none of '/no/such/python' is a Python 3.10 to 3.12" in done.stderr
    assert 'set PYTHON=/path/to/python' in done.stderr


def test_an_environment_is_made_once(python, tmp_path):
    listing = tmp_path / 'needs.txt'
    listing.write_text('some-package\n')
    command = f'make_venv "{tmp_path}/my venv" "{listing}"'

    def calls():
        done = shell(command, PYTHON=str(python))
        assert done.returncode == 0, done.stderr
        text = (tmp_path / 'calls').read_text()
        (tmp_path / 'calls').unlink()
        return text

    first = calls()
    assert '-m venv --clear' in first
    assert f'-r {listing}' in first and '--no-deps' in first
    assert '-m pip' not in calls()
    listing.write_text('another-package\n')
    again = calls()
    assert f'-r {listing}' in again and '-m venv' not in again


def test_an_interrupted_installation_is_no_environment(python, tmp_path):
    listing = tmp_path / 'needs.txt'
    listing.write_text('some-package\n')
    folder = tmp_path / 'venv'
    (folder / 'bin').mkdir(parents=True)
    broken = folder / 'bin' / 'python'
    broken.write_text('#!/bin/sh\nexit 1\n')
    broken.chmod(0o755)
    done = shell(f'make_venv "{folder}" "{listing}"', PYTHON=str(python))
    assert done.returncode == 0, done.stderr
    assert 'venv --clear' in (tmp_path / 'calls').read_text()
    (folder / 'stamp').unlink()
    (folder / 'bin' / 'python.broken').touch()
    broken.chmod(0o755)
    python.with_name('python.broken').touch()
    done = shell(
        f'make_venv "{folder}" "{listing}" || echo failed', PYTHON=str(python)
    )
    assert 'failed' in done.stdout and not (folder / 'stamp').exists()
