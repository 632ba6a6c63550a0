"""Processes of a run end together."""

import torch.distributed as dist

from mmvidadapt.utils import cpu_distributed


def test_leaving_waits_and_closes_the_group(tmp_path, monkeypatch):
    cpu_distributed.leave()  # one process alone has no group
    dist.init_process_group(
        'gloo', init_method=f'file://{tmp_path}/store', rank=0, world_size=1
    )
    waited = []
    monkeypatch.setattr(dist, 'barrier', lambda: waited.append(True))
    cpu_distributed.leave()
    assert waited == [True]
    assert not dist.is_initialized()
