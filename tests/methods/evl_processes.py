"""What two processes do with EVL; the tests look at what they write."""

import os

import torch
import torch.distributed as dist
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import MODEL_WRAPPERS, init_default_scope
from torch import nn
from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard
from torch.nn.parallel import DistributedDataParallel

from mmvidadapt.methods.evl.recognizer import FSDP_UNITS
from mmvidadapt.trunks.cached.rows import gather, pack

STEPS = 2  # DDP complains of a parameter without gradient in the second
UNITS = 'mmvidadapt.methods.evl.recognizer.fsdp_units'
SIZE = dict(img_size=(16, 24), num_frames=4, decoder_num_layers=2)
CASES = {
    'ddp': dict(),
    'ddp_one_frame': dict(num_frames=1),
    'fsdp1': dict(trunk_dtype='bf16'),
    'fsdp2': dict(trunk_dtype='bf16'),
}


def build(**backbone):
    """Build a tiny recognizer with the same random weights everywhere."""
    init_default_scope('mmaction')
    backbone = dict(type='EVL', arch='tiny', **{**SIZE, **backbone})
    head = dict(type='EVLHead', num_classes=3, in_channels=32)
    model = dict(type='EVLRecognizer', backbone=backbone, cls_head=head)
    model = MODELS.build(model).eval()  # no dropout
    generator = torch.Generator().manual_seed(0)
    for param in model.parameters():
        value = torch.randn(param.shape, generator=generator)
        param.data.copy_(0.1 * value)
    return model


def clips(frames):
    """Give two clips, one a process, with their labels."""
    generator = torch.Generator().manual_seed(1)
    video = torch.randn(2, 1, 3, frames, 16, 24, generator=generator)
    return video, [ActionDataSample().set_gt_label(i) for i in range(2)]


def learn(model, inputs, samples):
    """Take some steps; give the losses."""
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer, losses = torch.optim.SGD(trained, lr=0.1), []
    for _ in range(STEPS):
        optimizer.zero_grad()
        losses.append(model(inputs, samples, mode='loss')['loss_cls'])
        losses[-1].backward()
        optimizer.step()
    return torch.stack(losses).detach()


def wrap(case, model):
    """Wrap a model as the case says."""
    if case.startswith('ddp'):
        return DistributedDataParallel(model)
    if case == 'fsdp1':
        wrapper = dict(
            type='MMFullyShardedDataParallel',
            module=model,
            auto_wrap_policy=UNITS,
            device_id=torch.device('cpu'),
        )
        return MODEL_WRAPPERS.build(wrapper)
    units = [m for m in model.modules() if isinstance(m, FSDP_UNITS)]
    for module in reversed(units):  # the innermost first
        fully_shard(module)
    return fully_shard(model)


def weights(case, model):
    """Gather what was learned, under the names of one process."""
    if case == 'fsdp1':
        with FullyShardedDataParallel.summon_full_params(model):
            return {
                name.replace('_fsdp_wrapped_module.', ''): param.clone()
                for name, param in model.named_parameters()
                if param.requires_grad
            }
    return {
        name.removeprefix('module.'): getattr(
            param, 'full_tensor', param.detach
        )()
        for name, param in model.named_parameters()
        if param.requires_grad
    }


def features(evl: nn.Module, video):
    """Pack what the trunk sees of clips (B, 3, T, H, W) into rows."""
    with torch.no_grad():
        parts = zip(*gather(evl.taps(video)))
        return torch.stack([pack(*part, evl.trunk_key()) for part in parts])


def work(rank, folder):
    """Run all cases and write what came out."""
    os.environ['OMP_NUM_THREADS'] = '1'
    torch.set_num_threads(1)
    where = f'file://{folder}/meeting'
    dist.init_process_group('gloo', where, rank=rank, world_size=2)
    found = {}
    for case, backbone in CASES.items():
        video, samples = clips(backbone.get('num_frames', 4))
        own = video[rank : rank + 1], samples[rank : rank + 1]
        alone = build(**backbone)
        rows = features(alone.backbone, own[0].flatten(0, 1))
        model = wrap(case, build(**backbone))
        found[case] = dict(
            losses=learn(model, *own), weights=weights(case, model)
        )
        if case.startswith('fsdp'):
            try:
                cached = model(rows[:, None], own[1], mode='loss')['loss_cls']
                direct = model(*own, mode='loss')['loss_cls']
                found[case]['cached'] = (cached - direct).abs().item()
            except ValueError as error:
                found[case]['error'] = str(error)
    torch.save(found, f'{folder}/rank{rank}.pt')
    dist.destroy_process_group()
