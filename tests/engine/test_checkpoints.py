"""Whole checkpoints: what old ones hold is read, code is refused."""

import decimal
import fractions

import numpy as np
import pytest
import torch

from mmvidadapt.engine.checkpoints import read_checkpoint

WEIGHTS = {'cls_head.fc_cls.weight': torch.arange(6.0).view(2, 3)}


def old(**meta):
    """Hold what mmcv 1.x wrote, with apex, into its checkpoints."""
    return dict(
        meta=dict(
            env_info='sys.platform: linux\nPython: 3.7.10\nMMCV: 1.3.17',
            seed=0,
            exp_name='vitclip_base_k400.py',
            mmcv_version='1.3.17',
            time='Tue Nov  1 12:00:00 2022',
            epoch=30,
            iter=112500,
            config="model = dict(type='Recognizer3D')\n",
            hook_msgs=dict(
                last_ckpt='epoch_29.pth',
                best_score=np.float64(0.8390),
                best_epoch=np.int64(29),
                top5=np.float32(0.963),
                improved=np.bool_(True),
                rates=np.array([3e-4, 3e-5]),
            ),
            **meta,
        ),
        state_dict=WEIGHTS,
        optimizer=dict(
            state={0: dict(step=9, exp_avg=torch.zeros(2, 3))},
            param_groups=[dict(lr=3e-4, betas=(0.9, 0.999), params=[0])],
        ),
        amp={'loss_scaler0': dict(loss_scale=65536.0, unskipped=1234)},
    )


@pytest.mark.parametrize('zipped', [True, False], ids=['zip', 'legacy'])
def test_an_old_checkpoint_is_read_whole(tmp_path, monkeypatch, zipped):
    path = tmp_path / 'epoch_30.pth'
    torch.save(old(), path, _use_new_zipfile_serialization=zipped)
    monkeypatch.setenv('HOME', str(tmp_path))
    for name in (str(path), '~/epoch_30.pth'):
        found = read_checkpoint(name)
        assert found['meta']['iter'] == 112500
        assert found['meta']['env_info'].endswith('MMCV: 1.3.17')
        messages = found['meta']['hook_msgs']
        assert messages['best_score'] == 0.8390
        assert messages['best_epoch'] == 29 and messages['improved']
        assert messages['top5'] == np.float32(0.963)
        assert messages['rates'].tolist() == [3e-4, 3e-5]
        assert found['amp'] == old()['amp']
        for key, value in WEIGHTS.items():
            assert torch.equal(found['state_dict'][key], value)


@pytest.mark.parametrize(
    'foreign, name',
    [
        (decimal.Decimal('3e-4'), 'decimal.Decimal'),
        (fractions.Fraction(3, 4), 'fractions.Fraction'),
    ],
)
def test_types_of_others_are_refused_with_the_reason(tmp_path, foreign, name):
    path = tmp_path / 'x.pth'
    torch.save(old(args=foreign), path)
    with pytest.raises(ValueError, match=f'unpickle {name}, ') as error:
        read_checkpoint(str(path))
    assert str(path) in str(error.value)
    assert 'save its `state_dict` alone' in str(error.value)


def test_weights_that_are_no_checkpoint_are_told_where_to_go(tmp_path):
    torch.jit.save(
        torch.jit.script(torch.nn.Linear(2, 3)), str(tmp_path / 'x.pt')
    )
    torch.save([1], tmp_path / 'list.pth')
    for name in ('x.pt', 'list.pth'):
        with pytest.raises(ValueError, match='go to `pretrained`') as error:
            read_checkpoint(str(tmp_path / name))
        assert str(tmp_path / name) in str(error.value)
