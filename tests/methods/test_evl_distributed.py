"""EVL in two processes: DDP, FSDP1 and FSDP2 learn what one process learns."""

import pytest
import torch
from torch.multiprocessing import spawn
from torch.testing import assert_close

from tests.methods.evl_processes import CASES, build, clips, learn, work


@pytest.fixture(scope='module')
def found(tmp_path_factory):
    """Run all cases once; give what each process found."""
    folder = tmp_path_factory.mktemp('processes')
    spawn(work, (str(folder),), nprocs=2)
    return [torch.load(folder / f'rank{rank}.pt') for rank in range(2)]


@pytest.mark.parametrize('case', CASES)
def test_two_processes_learn_what_one_learns(found, case):
    model = build(**CASES[case])
    losses = learn(model, *clips(CASES[case].get('num_frames', 4)))
    trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
    start = dict(build(**CASES[case]).named_parameters())
    tolerance = 2e-2 if 'trunk_dtype' in CASES[case] else 1e-5
    both = [process[case]['losses'] for process in found]
    assert_close(sum(both) / 2, losses, rtol=tolerance, atol=0)
    for process in found:
        assert set(process[case]['weights']) == set(trained)
        for name, value in process[case]['weights'].items():
            step = (trained[name] - start[name]).abs().max().item()
            atol = tolerance * step + 1e-6
            assert_close(value, trained[name].detach(), rtol=0, atol=atol)
            assert step or 'k_proj' in name or CASES[case].get('num_frames')


def test_cached_features_are_read_under_fsdp2_only(found):
    for process in found:
        assert process['fsdp2']['cached'] < 1e-2
        assert 'cut into shards by FSDP' in process['fsdp1']['error']
        assert 'fully_shard' in process['fsdp1']['error']
