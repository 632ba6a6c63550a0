"""DualPath in two processes: both learn what one process learns."""

import os

import torch
import torch.distributed as dist
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from torch.multiprocessing import spawn
from torch.testing import assert_close

from tests.methods.test_dualpath import VARIANT, randomize

STEPS = 2  # DDP complains of a parameter without gradient in the second


def build():
    """Build a tiny recognizer with the same random weights everywhere."""
    init_default_scope('mmaction')
    model = MODELS.build(
        dict(
            type='DualPathRecognizer',
            backbone=dict(
                type='DualPath',
                arch='tiny',
                img_size=16,
                variant=VARIANT['paper-ssv2'],
            ),
            cls_head=dict(type='DualPathHead', num_classes=3, in_channels=64),
            data_preprocessor=dict(type='ActionDataPreprocessor'),
        )
    ).eval()  # no dropout
    torch.manual_seed(0)
    randomize(model, trained_only=False)
    return model


def learn(model, clips):
    """Take steps as mmengine's loops do."""
    torch.manual_seed(1)
    videos = torch.randn(2, 1, 3, 16, 16, 16)
    data = dict(
        inputs=[videos[i] for i in clips],
        data_samples=[ActionDataSample().set_gt_label(i) for i in clips],
    )
    trained = [p for p in model.parameters() if p.requires_grad]
    wrapper = OptimWrapper(torch.optim.SGD(trained, lr=0.01))
    for _ in range(STEPS):
        model.train_step(data, wrapper)
    return {n.removeprefix('module.'): p for n, p in model.named_parameters()}


def work(rank, folder):
    """Learn from a clip of one's own, and write what was learned."""
    os.environ['OMP_NUM_THREADS'] = '1'
    torch.set_num_threads(1)
    where = f'file://{folder}/meeting'
    dist.init_process_group('gloo', where, rank=rank, world_size=2)
    weights = learn(MMDistributedDataParallel(build()), [rank])
    torch.save(weights, f'{folder}/rank{rank}.pt')
    dist.destroy_process_group()


def test_gradients_are_synchronised(tmp_path):
    spawn(work, (str(tmp_path),), nprocs=2)
    start = dict(build().named_parameters())
    both, first = learn(build(), [0, 1]), learn(build(), [0])
    for rank in range(2):
        weights = torch.load(tmp_path / f'rank{rank}.pt')
        for name, param in both.items():
            step = (param - start[name]).abs().max().item()
            assert bool(step) == param.requires_grad, name
            atol = 1e-4 * step + 1e-6
            assert_close(weights[name], param, rtol=0, atol=atol)
            if step:  # one clip alone teaches something else
                assert (weights[name] - first[name]).abs().max() > 10 * atol
