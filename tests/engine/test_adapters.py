"""What belongs to an adapter, and putting it back onto its trunk."""

import dataclasses
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.utils import register_all_modules
from mmengine.runner.checkpoint import load_checkpoint

from mmvidadapt.apis.train.config import load_config
from mmvidadapt.engine.adapters import (
    load_adapter,
    make_adapter,
    split_names,
)
from mmvidadapt.engine.checkpoints import read_checkpoint
from mmvidadapt.models import AIMSwin
from mmvidadapt.weights.adapter_file import AdapterFile, read_adapter
from tests.adapters import (
    METHODS,
    config_of,
    write_adapter,
    write_trunk,
)
from tests.methods.cases.aim import TOY

every_method = pytest.mark.parametrize('method', METHODS)
HEAD = 'cls_head.fc_cls.weight'


def altered(path, **changes):
    """Write a file anew with other content, under a fitting hash."""
    dataclasses.replace(read_adapter(path), **changes).write(path)


@every_method
def test_a_round_trip_is_equal_to_the_bit(method, tmp_path, trunk):
    config = config_of(method, trunk)
    path, model = write_adapter(tmp_path, method, config, classes=list('abcd'))
    torch.manual_seed(99)  # what is random in a new model is another one
    found = load_adapter(path)
    wanted = model.state_dict()
    assert list(found.state_dict()) == list(wanted)
    for name, value in found.state_dict().items():
        assert torch.equal(value, wanted[name]), name
    assert not found.training
    assert found.cfg.to_dict() == config.to_dict()
    assert found.dataset_meta == dict(classes=list('abcd'))
    names = set(read_adapter(path).tensors)
    trained = {n for n, p in model.named_parameters() if p.requires_grad}
    extra = {'backbone.conv1.bias'} if 'evl' in method else set()
    assert names == trained | extra
    assert not names & {f'backbone.{n}' for n in torch.load(trunk)} - {
        'backbone.ln_post.weight',
        'backbone.ln_post.bias',
    }


@pytest.mark.parametrize('checkpoint', ['path', 'home'])
def test_whatever_reads_checkpoints_completes_it(
    checkpoint, tmp_path, trunk, monkeypatch
):
    config = config_of('aim', trunk)
    path, model = write_adapter(tmp_path, 'aim', config)
    monkeypatch.setenv('HOME', str(tmp_path))
    given = path if checkpoint == 'path' else f'~/{Path(path).name}'
    fresh = MODELS.build(config.model)
    load_checkpoint(fresh, given, map_location='cpu', strict=True)
    read = read_checkpoint(given)['state_dict']
    for name, value in model.state_dict().items():
        assert torch.equal(fresh.state_dict()[name], value)
        assert torch.equal(read[name], value)


def test_swin_keeps_its_random_tables(tmp_path):
    sizes = dict(arch=TOY, num_frames=4, img_size=32)
    swin, trunk = AIMSwin(**sizes), str(tmp_path / 'swin.pth')
    frozen = split_names(swin)[1]
    torch.save({name: swin.state_dict()[name] for name in frozen}, trunk)
    config = config_of('aim', trunk)
    config.model.backbone = dict(type='AIMSwin', pretrained=trunk, **sizes)
    path, model = write_adapter(tmp_path, 'swin', config)
    torch.manual_seed(99)
    for name, value in load_adapter(path).state_dict().items():
        assert torch.equal(value, model.state_dict()[name]), name


def test_frozen_random_tables_of_swin_belong_to_the_adapter():
    own, frozen = split_names(AIMSwin(arch=TOY, num_frames=4, img_size=32))
    tables = [n for n in own if n.endswith('temporal_position_bias_table')]
    assert len(tables) == 2 and not [n for n in frozen if 'temporal' in n]
    spatial = [
        n for n in frozen if n.endswith('.relative_position_bias_table')
    ]
    assert len(spatial) == 4


def test_frozen_new_adapters_belong_to_the_adapter(tmp_path, trunk):
    """A user froze them, random as they are."""
    config = config_of('aim', trunk, trainable=('temporal_embedding',))
    path, model = write_adapter(tmp_path, 'aim', config)
    assert 'backbone.ln_post.weight' not in read_adapter(path).tensors
    for name, value in load_adapter(path).state_dict().items():
        assert torch.equal(value, model.state_dict()[name]), name


def test_saved_buffers_belong_to_the_adapter():
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    model.requires_grad_(False)
    assert split_names(model) == (
        ['1.running_mean', '1.running_var', '1.num_batches_tracked'],
        ['0.weight', '0.bias', '1.weight', '1.bias'],
    )


@every_method
def test_a_swapped_trunk_is_refused_and_both_are_named(
    method, tmp_path, trunk
):
    path, _ = write_adapter(tmp_path, method, config_of(method, trunk))
    other = write_trunk(tmp_path / 'other.pth', seed=1)
    with pytest.raises(ValueError, match='another one') as error:
        load_adapter(path, other)
    assert trunk in str(error.value) and other in str(error.value)
    assert read_adapter(path).trunk['sha256'][:12] in str(error.value)
    moved = str(tmp_path / 'moved.pth')
    Path(trunk).rename(moved)
    load_adapter(path, moved)
    Path(other).rename(trunk)  # the right name, and other weights
    with pytest.raises(ValueError, match='another one'):
        load_adapter(path)


def test_one_changed_number_of_the_trunk_is_enough(tmp_path, trunk):
    path, _ = write_adapter(tmp_path, 'lora', config_of('lora', trunk))
    weights = torch.load(trunk)
    weights['transformer.resblocks.1.mlp.c_proj.bias'][3] += 1e-6
    torch.save(weights, trunk)
    with pytest.raises(ValueError, match='was trained on the trunk'):
        load_adapter(path)


def test_no_trunk_is_asked_for(tmp_path, trunk):
    config = config_of('aim', trunk)
    path, _ = write_adapter(tmp_path, 'aim', config)
    altered(path, trunk=dict(read_adapter(path).trunk, source=None))
    with pytest.raises(ValueError, match='give `trunk`'):
        load_adapter(path)
    load_adapter(path, trunk)


@pytest.mark.parametrize(
    'change, reason',
    [
        (lambda t: t.update({HEAD: t[HEAD].double()}), 'float64'),
        (lambda t: t.update({HEAD: t[HEAD].to(torch.int32)}), 'int32'),
        (lambda t: t.update({HEAD: t[HEAD][:2]}), r'\(2, 32\)'),
        (lambda t: t.pop(HEAD), 'missing in the checkpoint'),
        (lambda t: t.update(strange=t[HEAD]), 'unknown to the model'),
    ],
    ids=['double', 'integers', 'shape', 'missing', 'unknown'],
)
def test_tensors_that_do_not_fit_are_named(tmp_path, trunk, change, reason):
    path, _ = write_adapter(tmp_path, 'aim', config_of('aim', trunk))
    tensors = read_adapter(path).tensors
    change(tensors)
    altered(path, tensors=tensors)
    with pytest.raises(ValueError, match=reason) as error:
        load_adapter(path)
    assert HEAD in str(error.value) or 'strange' in str(error.value)


def test_frozen_tensors_cannot_be_smuggled_in(tmp_path, trunk):
    path, model = write_adapter(tmp_path, 'aim', config_of('aim', trunk))
    name = 'backbone.class_embedding'
    extra = {name: model.state_dict()[name]}
    altered(path, tensors={**read_adapter(path).tensors, **extra})
    with pytest.raises(ValueError, match=f'unknown to the model: {name}'):
        load_adapter(path)


def test_the_adapter_of_another_method_is_refused(tmp_path, trunk):
    path, _ = write_adapter(tmp_path, 'aim', config_of('aim', trunk))
    altered(path, config=config_of('lora', trunk).to_dict())
    with pytest.raises(ValueError, match='missing in the checkpoint'):
        load_adapter(path)


@pytest.mark.parametrize(
    'kind',
    ['os.mkdir', 'mmengine.mkdir_or_exist', 'planted', 'mmaction.planted'],
)
def test_a_config_that_would_run_code_is_refused(
    kind, tmp_path, trunk, monkeypatch
):
    """What no registry knows is imported, modules planted here too."""
    mark = tmp_path / 'mark'
    (tmp_path / 'planted.py').write_text(f'open({str(mark)!r}, "w")')
    monkeypatch.syspath_prepend(tmp_path)
    config = config_of('aim', trunk)
    path, _ = write_adapter(tmp_path, 'aim', config)
    evil = config.to_dict()
    evil['model']['backbone'] = dict(
        type=kind, path=str(mark), dir_name=str(mark)
    )
    altered(path, config=evil)
    with pytest.raises(ValueError, match='is refused: its config asks for'):
        load_adapter(path)
    evil = config.to_dict()
    evil['test_pipeline'][0]['type'] = kind
    altered(path, config=evil)
    with pytest.raises(ValueError, match='is refused: its config asks for'):
        load_adapter(path)
    assert not mark.exists()


def test_where_everything_is_trained_there_is_no_adapter(trunk):
    config = config_of('probe', trunk, full_finetune=True)
    model = MODELS.build(config.model)
    with pytest.raises(ValueError, match='Everything in this model'):
        make_adapter(split_names(model), model.state_dict(), config.to_dict())


def test_the_main_row_of_aim_is_small_enough():
    """At full size: 46 MB, beside 387 MB of the whole checkpoint."""
    register_all_modules(init_default_scope=False)
    config = load_config('aim/vitb16_k400')
    model = MODELS.build(config.model)
    adapter = make_adapter(
        split_names(model), model.state_dict(), config.to_dict()
    )
    assert adapter.trunk['source'] == 'openai/ViT-B-16'
    size = len(adapter.to_bytes())
    numbers = sum(t.numel() for t in adapter.tensors.values())
    assert numbers == 10_966_672
    assert 4 * numbers < size < 4 * numbers + 50_000 and size <= 46_000_000


def test_an_adapter_file_is_a_value():
    a = AdapterFile({}, {}, {})
    with pytest.raises(dataclasses.FrozenInstanceError):
        a.classes = []
