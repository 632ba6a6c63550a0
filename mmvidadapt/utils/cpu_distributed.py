"""Start and end distributed runs where there is no accelerator."""

import os
import subprocess
from typing import Any, Optional

import mmengine.dist.utils as host
import torch
from mmengine.model import MMDistributedDataParallel

HOST_INIT = host._init_dist_pytorch
HOST_WRAP = MMDistributedDataParallel.__init__


def install() -> None:
    """Put the functions below in the place of mmengine's."""
    host._init_dist_pytorch = init_torch
    host._init_dist_slurm = init_slurm
    MMDistributedDataParallel.__init__ = wrap


def init_torch(
    backend: str, init_backend: str = 'torch', **kwargs: Any
) -> None:
    """Start from the variables of torchrun, with gloo for nccl."""
    if init_backend != 'torch':
        HOST_INIT(backend, init_backend=init_backend, **kwargs)
        return
    backend = 'gloo' if backend == 'nccl' else backend
    torch.distributed.init_process_group(backend=backend, **kwargs)


def init_slurm(
    backend: str,
    port: Optional[int] = None,
    init_backend: str = 'torch',
    **kwargs: Any,
) -> None:
    """Start from the variables of srun, turned into those of torchrun."""
    env = os.environ
    if port is not None:
        env['MASTER_PORT'] = str(port)
    env.setdefault('MASTER_PORT', '29500')
    if 'MASTER_ADDR' not in env:
        command = ['scontrol', 'show', 'hostname', env['SLURM_NODELIST']]
        env['MASTER_ADDR'] = subprocess.check_output(
            command, text=True
        ).split()[0]
    env['RANK'], env['WORLD_SIZE'] = env['SLURM_PROCID'], env['SLURM_NTASKS']
    env['LOCAL_RANK'] = env.get('SLURM_LOCALID', '0')
    init_torch(backend, init_backend, **kwargs)


def leave() -> None:
    """End all processes of a run together.

    A process that ends while another still reads its last message may reset
    the connection, and a finished run would fail.
    """
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


def wrap(self: Any, module: Any, *args: Any, **kwargs: Any) -> None:
    """Construct ``MMDistributedDataParallel`` without naming devices."""
    if all(param.device.type == 'cpu' for param in module.parameters()):
        kwargs['device_ids'] = None
    HOST_WRAP(self, module, *args, **kwargs)
