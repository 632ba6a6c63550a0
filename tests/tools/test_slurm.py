"""Training and testing under Slurm, with stand-ins for its commands."""

import os
import sys

import pytest
import torch

from tests import runs

from .processes import run

TOOLS = runs.ROOT / 'tools'
SRUN = """#!/bin/sh
echo "MASTER_PORT=$MASTER_PORT"
for word in "$@"; do echo "[$word]"; done
"""
# It starts the first of the processes, on the first of the nodes.
SRUN_ONE = """#!/bin/sh
while [ "$1" != "$PYTHON" ]; do shift; done
export SLURM_PROCID=0 SLURM_NTASKS=1 SLURM_LOCALID=0 SLURM_NODELIST='me[1-2]'
exec "$@"
"""
SCONTROL = """#!/bin/sh
[ "$*" = 'show hostname me[1-2]' ] && printf '127.0.0.1\\nnowhere\\n'
"""


def stand_ins(folder, **commands):
    """Write commands; return the PATH that finds them first."""
    for name, text in commands.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return f'{folder}:{os.environ["PATH"]}'


@pytest.mark.parametrize(
    'script, args',
    [('slurm_train.sh', ['c.py']), ('slurm_test.sh', ['c.py', 'a.pth'])],
)
def test_slurm_gets_every_argument(tmp_path, script, args):
    """A stand-in for srun prints what it is given."""
    args = [*args, '--cfg-options', 'a.b=[1, 2]']
    env = dict(PATH=stand_ins(tmp_path, srun=SRUN), GPUS='16')
    command = (TOOLS / script, 'gpu', 'my job', *args)
    status, out = run(*command, SRUN_ARGS='--mem 4G', **env)
    assert status == 0, out[-3000:]
    words = [w[1:-1] for w in out.splitlines()[1:]]
    tool = TOOLS / f'{script.split("_")[1][:-3]}.py'
    asked = '--gres=gpu:8 --ntasks=16 --ntasks-per-node=8 --cpus-per-task=5'
    asked = f'{asked} --kill-on-bad-exit=1 --mem 4G'.split()
    started = [sys.executable, '-u', str(tool), *args, '--launcher', 'slurm']
    assert words == ['-p', 'gpu', '--job-name=my job', *asked, *started]
    assert 12000 <= int(out.splitlines()[0].split('=')[1]) < 32000


def test_slurm_trains_with_or_without_a_gpu(listing, tmp_path):
    """One process of one; it finds the others by scontrol."""
    config = runs.recipe(listing, tmp_path / 'work')
    runs.without_validation(config).dump(tmp_path / 'config.py')
    path = stand_ins(tmp_path, srun=SRUN_ONE, scontrol=SCONTROL)
    command = (TOOLS / 'slurm_train.sh', 'gpu', 'job', tmp_path / 'config.py')
    status, out = run(*command, PATH=path)
    assert status == 0, out[-3000:]
    assert 'Distributed launcher: slurm' in out
    assert 'Distributed training: True' in out and 'GPU number: 1' in out
    saved = torch.load(tmp_path / 'work/epoch_1.pth', weights_only=True)
    assert 'backbone.conv1.weight' in saved['state_dict']
