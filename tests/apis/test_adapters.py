"""Extract, merge, describe and verify adapters."""

from pathlib import Path

import pytest
import torch
from mmaction.apis import inference_recognizer, init_recognizer
from mmaction.registry import MODELS
from mmengine.config import Config

from mmvidadapt.apis import load_adapter
from mmvidadapt.apis.use.adapters import (
    describe_adapter,
    extract_adapter,
    merge_adapter,
    verify_adapter,
)
from mmvidadapt.apis.use.inference import Classifier
from mmvidadapt.version import __version__
from mmvidadapt.weights.adapter_file import read_adapter
from tests.adapters import (
    config_of,
    trained_model,
    write_adapter,
    write_trunk,
)
from tests.weights import foreign


@pytest.mark.parametrize('method', ['aim', 'evl', 'lora'])
def test_extract_and_merge_give_the_checkpoint_back(method, tmp_path, trunk):
    config = config_of(method, trunk)
    model = trained_model(config, seed=3)
    whole, merged = str(tmp_path / 'whole.pth'), tmp_path / 'merged.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), whole)
    first, second = tmp_path / 'first', tmp_path / 'second'
    facts = dict(classes=list('abcd'), metrics={'acc/top1': 0.5})
    extract_adapter(config, whole, first, **facts)
    merge_adapter(first, merged)
    extract_adapter(config, str(merged), second, **facts)
    assert first.read_bytes() == second.read_bytes()
    found = torch.load(merged, weights_only=True)
    assert found['meta']['dataset_meta'] == dict(classes=list('abcd'))
    said = tmp_path / 'said.py'
    said.write_text(found['meta']['cfg'])
    assert Config.fromfile(said).to_dict() == config.to_dict()
    for name, value in model.state_dict().items():
        assert torch.equal(found['state_dict'][name], value), name
    assert read_adapter(first).metrics == {'acc/top1': 0.5}


def test_what_does_not_fit_is_not_extracted(tmp_path, trunk):
    model = trained_model(config_of('aim', trunk), seed=3)
    whole, out = str(tmp_path / 'whole.pth'), tmp_path / 'x'
    torch.save(dict(state_dict=model.state_dict()), whole)
    for method, classes, words in (
        ('aim', ['a', 'b'], '2 names .* tells 4 apart'),
        ('lora', None, 'does not fit the model'),
    ):
        with pytest.raises(ValueError, match=words):
            extract_adapter(config_of(method, trunk), whole, out, classes)
        assert not out.exists()


def test_hosts_take_adapters_for_checkpoints(tmp_path, trunk, trained):
    """mmaction2's functions, and ours, with the adapter file alone."""
    config = config_of('aim', trunk)
    path, model = write_adapter(tmp_path, 'aim', config)
    video = str(trained.folder / 'videos/part0.mp4')
    wanted = inference_recognizer(load_adapter(path), video).pred_score
    host = init_recognizer(Config(config.to_dict()), path, device='cpu')
    assert torch.equal(inference_recognizer(host, video).pred_score, wanted)
    for name, value in model.state_dict().items():
        assert torch.equal(host.state_dict()[name], value), name
    (found,) = Classifier(config, path, 'cpu', topk=4).video(video)
    assert sorted(s for _, s in found.top) == sorted(wanted.tolist())


def test_a_loaded_adapter_trains_on(tmp_path, trunk):
    path, _ = write_adapter(tmp_path, 'aim', config_of('aim', trunk))
    model = load_adapter(path)
    names = {n for n, p in model.named_parameters() if p.requires_grad}
    assert names == set(read_adapter(path).tensors)


def test_what_is_said_of_a_file(tmp_path, trunk):
    config = config_of('aim', trunk)
    config.model.cls_head.num_classes = 7
    facts = dict(metrics={'acc/top1': 0.839, 'acc/top5': 0.963})
    facts['classes'] = list('abcdefg')
    path, _ = write_adapter(tmp_path, 'aim', config, **facts)
    adapter = read_adapter(path)
    numbers = sum(t.numel() for t in adapter.tensors.values())
    size = Path(path).stat().st_size / 1e6
    assert describe_adapter(path).splitlines() == [
        'model:   Recognizer3D, AIM tiny',
        f'tensors: 29, {numbers:,} numbers, {size:.2f} MB',
        f'trunk:   {trunk}, sha256 {adapter.trunk["sha256"]}',
        'classes: a, b, c, d, e ... (7)',
        'metrics: acc/top1 0.839, acc/top5 0.963',
        f'version: mmvidadapt {__version__}',
    ]
    path, _ = write_adapter(tmp_path, 'plain', config)
    assert 'classes: not named\nmetrics: none' in describe_adapter(path)


def test_a_file_is_verified_with_and_without_its_trunk(tmp_path, trunk):
    path, _ = write_adapter(tmp_path, 'aim', config_of('aim', trunk))
    assert len(verify_adapter(path, '')) == 3
    assert verify_adapter(path, trunk)[-1] == f'{trunk} is its trunk'
    other = write_trunk(tmp_path / 'other.pth', seed=1)
    with pytest.raises(ValueError, match='another one'):
        verify_adapter(path, other)
    Path(trunk).unlink()
    assert len(verify_adapter(path)) == 2
    with pytest.raises(FileNotFoundError, match='trunk.pth'):
        verify_adapter(path, '')


def test_official_checkpoints_are_extracted(tmp_path, trunk):
    """In the authors' names, which loading translates."""
    config = config_of('aim', trunk)
    model = trained_model(config, seed=4)
    official = foreign.replace(model.state_dict(), foreign.AIM)
    assert any('Adapter' in name for name in official)
    path = str(tmp_path / 'official.pth')
    torch.save(dict(state_dict=official), path)
    extract_adapter(config, path, tmp_path / 'x')
    fresh = MODELS.build(config.model)
    fresh.load_state_dict(load_adapter(tmp_path / 'x').state_dict())
    for name, value in model.state_dict().items():
        assert torch.equal(fresh.state_dict()[name], value), name
