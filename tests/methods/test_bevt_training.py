"""BEVT learns, in one process and in two."""

import os

import torch
import torch.multiprocessing as mp
from mmengine.optim import OptimWrapper
from torch.nn.parallel import DistributedDataParallel
from torch.testing import assert_close

from tests.methods.bevt_samples import (
    build,
    image_batch,
    tiny_pretrainer,
    video_batch,
)


def gradients(model):
    return {n: p.grad.clone() for n, p in model.named_parameters()}


def whole_step():
    """One step on what two processes share."""
    model = build(tiny_pretrainer())
    torch.manual_seed(3)
    batches = video_batch(4), image_batch(4)
    losses = model(*batches, mode='loss')
    (losses['loss_cls_3d'] + losses['loss_cls_2d']).backward()
    return gradients(model), batches


def half_step(rank, port, folder):
    """Run a step on a half of the samples under DDP."""
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    torch.distributed.init_process_group('gloo', rank=rank, world_size=2)
    _, batches = whole_step()
    model = DistributedDataParallel(build(tiny_pretrainer()))
    half = slice(2 * rank, 2 * rank + 2)
    batches = [
        {name: value[half] for name, value in data.items()} for data in batches
    ]
    for _ in range(2):  # what was unused would be found in the second step
        model.zero_grad()
        losses = model(*batches, mode='loss')
        (losses['loss_cls_3d'] + losses['loss_cls_2d']).backward()
    if rank == 0:
        torch.save(gradients(model.module), f'{folder}/grads.pt')
    try:
        model(batches[0], mode='loss')
        raise AssertionError('a missing stream went unnoticed')
    except ValueError as error:
        assert "no batch of ['image']" in str(error)
    torch.distributed.destroy_process_group()


def test_two_processes_learn_what_one_does(tmp_path):
    expected, _ = whole_step()
    port = 20000 + os.getpid() % 20000
    mp.spawn(half_step, (port, str(tmp_path)), nprocs=2)
    actual = torch.load(tmp_path / 'grads.pt', weights_only=True)
    for name, grad in expected.items():
        assert_close(actual[name], grad, rtol=1e-4, atol=1e-7)


def test_training_lowers_the_loss():
    model = build(tiny_pretrainer())
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    wrapper = OptimWrapper(optimizer)
    torch.manual_seed(1)
    batches = video_batch(), image_batch()
    for data in batches:  # something to learn: tokens follow the pixels
        for sample, x in zip(data['data_samples'], data['inputs']):
            ids = torch.zeros_like(sample.view[:, 0]) + int(x.mean() > 0)
            sample.view[:] = 0
            sample.view[:, 0] = ids
    losses = []
    for _ in range(30):
        logged = model.parse_losses(model(*batches, mode='loss'))
        wrapper.update_params(logged[0])
        losses.append(logged[0].item())
    assert losses[-1] < 0.3 * losses[0]
