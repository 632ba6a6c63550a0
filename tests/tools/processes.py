"""Tools in this process, and commands in processes of their own."""

import os
import runpy
import subprocess
import sys

from tests import runs


def call(monkeypatch, tool, *args):
    """Run a tool in this process."""
    monkeypatch.setattr(sys, 'argv', [tool, *map(str, args)])
    runpy.run_path(str(runs.ROOT / 'tools' / tool), run_name='__main__')


def run(*command, cwd=None, **env):
    """Run a command; return its status and all that it wrote."""
    env = {'PYTHON': sys.executable, 'OMP_NUM_THREADS': '1', **env}
    env = {**os.environ, **env}
    done = subprocess.run(
        [str(c) for c in command],
        env=env,
        cwd=cwd,
        text=True,
        timeout=300,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return done.returncode, done.stdout
