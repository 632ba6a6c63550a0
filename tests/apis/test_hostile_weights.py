"""mmaction2's inferencer, given weights alone, runs nothing of theirs."""

import dataclasses

import pytest
import torch
from mmaction.apis import inference_recognizer
from mmaction.apis.inferencers import ActionRecogInferencer
from mmengine.config import Config

from mmvidadapt.apis import load_adapter
from mmvidadapt.apis.use.adapters import merge_adapter
from mmvidadapt.weights.adapter_file import read_adapter
from tests.adapters import config_of, write_adapter


@pytest.fixture
def mark(tmp_path, monkeypatch):
    """Plant a module that creates a file; give the file."""
    mark = tmp_path / 'mark'
    code = f'open({str(mark)!r}, "w").close()\n'
    (tmp_path / 'planted').mkdir()
    for name in ('__init__.py', 'registry.py', 'mc.py'):
        (tmp_path / 'planted' / name).write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    return mark


@pytest.fixture
def sound(tmp_path, trunk):
    """Write an adapter file; give its path and the whole checkpoint's."""
    path, _ = write_adapter(tmp_path, 'aim', config_of('aim', trunk))
    return path, str(tmp_path / 'whole.pth')


@pytest.fixture
def merged(sound):
    """Write the whole checkpoint; give both paths and what it holds."""
    merge_adapter(*sound)
    return *sound, torch.load(sound[1], weights_only=True)


def rewrite(whole, content, config):
    """Write a whole checkpoint with another config."""
    content['meta']['cfg'] = Config(config).pretty_text
    torch.save(content, whole)


def infer(weights, video):
    """Classify with weights alone."""
    inferencer = ActionRecogInferencer(None, weights, 'cpu')
    (found,) = inferencer(video)['predictions']
    return found['pred_scores']


def test_weights_alone_are_enough(sound, video):
    path, whole = sound
    wanted = inference_recognizer(load_adapter(path), video).pred_score
    merge_adapter(path, whole)
    for weights in (path, whole):
        assert infer(weights, video) == pytest.approx(wanted.tolist())


@pytest.mark.parametrize('place', ['cfg', 'hub', 'both'])
def test_a_program_in_the_place_of_a_config(merged, mark, place):
    path, whole, content = merged
    text = f'open({str(mark)!r}, "w").close()\n{content["meta"].pop("cfg")}'
    if place != 'hub':
        content['meta']['cfg'] = text
    if place != 'cfg':
        content['message_hub'] = dict(runtime_info=dict(cfg=text))
    torch.save(content, whole)
    with pytest.raises(ValueError, match='brings no config') as error:
        ActionRecogInferencer(None, whole, 'cpu')
    assert whole in str(error.value) and not mark.exists()


def test_what_a_config_would_import_stays_out(sound, mark, video):
    """A user's own modules are no reason to refuse an adapter."""
    path, whole = sound
    adapter = read_adapter(path)
    asked = dict(imports=['mmvidadapt', 'planted'])
    config = dict(adapter.config, custom_imports=asked)
    dataclasses.replace(adapter, config=config).write(path)
    merge_adapter(path, whole)
    for weights in (path, whole):
        infer(weights, video)
    text = torch.load(whole, weights_only=True)['meta']['cfg']
    assert 'planted' not in text
    assert 'planted' not in repr(load_adapter(path).cfg)
    content = torch.load(whole, weights_only=True)
    content['meta']['cfg'] = text.replace("['mmvidadapt']", "['planted']")
    torch.save(content, whole)
    infer(whole, video)
    assert not mark.exists()


def hostile(config, mark):
    """Yield configs that would run something, and what each is called."""
    client = dict(type='DecordInit', io_backend='memcached', client_cfg='x')
    client.update(server_list_cfg='x', sys_path=f'{mark.parent}/planted')
    yield dict(config, default_scope='planted'), 'scope'
    yield dict(config, test_pipeline=[client]), 'sys_path'
    head = dict(type='I3DHead', num_classes=4, in_channels=32, x='x.pkl')
    for change, reason in (
        (dict(_scope_='planted'), 'scope'),
        (dict(cls_head=head), 'x.pkl'),
        (dict(neck=dict(type='planted')), 'asks'),
        (dict(neck=dict(type='planted.X')), 'asks'),
    ):
        yield dict(config, model=dict(config['model'], **change)), reason


def test_configs_that_would_import_are_refused(sound, mark):
    path, whole = sound
    adapter = read_adapter(path)
    for config, reason in hostile(adapter.config, mark):
        dataclasses.replace(adapter, config=config).write(path)
        for use in (
            load_adapter,
            lambda path: merge_adapter(path, whole),
            lambda path: ActionRecogInferencer(None, path, 'cpu'),
        ):
            with pytest.raises(ValueError, match=f'is refused: .*{reason}'):
                use(path)
    assert not mark.exists()


def test_the_same_in_whole_checkpoints(merged, mark):
    path, whole, content = merged
    config = read_adapter(path).config
    loader = config['test_dataloader']
    evil = list(hostile(config, mark))
    for change in (
        dict(collate_fn='planted.x'),
        dict(dataset=dict(loader['dataset'], pipeline=[dict(type='planted')])),
    ):
        loading = dict(config, test_dataloader=dict(loader, **change))
        evil.append((loading, 'asks for'))
    for config, reason in evil:
        rewrite(whole, content, config)
        with pytest.raises(ValueError, match=f'is refused: .*{reason}'):
            ActionRecogInferencer(None, whole, 'cpu')
    assert not mark.exists()


def test_keys_do_not_end_the_printed_config(sound, mark, tmp_path):
    """What stands in a key is printed into the text by mmengine as it is."""
    path, whole = sound
    adapter = read_adapter(path)
    program = f'open({str(mark)!r}, "w").close()'
    for key in (f"x': {program}, 'y", f"x\\': {program}}}) #"):
        config = dict(adapter.config, flip_label_map={key: 1})
        with pytest.raises(ValueError, match='would end a text'):
            dataclasses.replace(adapter, config=config).to_bytes()
        content = dict(state_dict={}, meta=dict(cfg=repr(config)))
        torch.save(content, whole)
        with pytest.raises(ValueError, match='brings no config'):
            ActionRecogInferencer(None, whole, 'cpu')
    merge_adapter(path, whole)
    said = tmp_path / 'said.py'
    said.write_text(torch.load(whole, weights_only=True)['meta']['cfg'])
    assert Config.fromfile(said).to_dict() == adapter.config
    assert not mark.exists()


def test_nothing_is_filled_in_from_the_environment(sound, monkeypatch):
    path, _ = sound
    monkeypatch.setenv('SECRET', 'told')
    adapter = read_adapter(path)
    config = dict(adapter.config, work_dir='{{$SECRET:}}')
    with pytest.raises(ValueError, match='would fill in'):
        dataclasses.replace(adapter, config=config).to_bytes()


def test_a_visualizer_writes_nowhere(merged, tmp_path):
    path, whole, content = merged
    visualizer = dict(type='ActionVisualizer', save_dir=f'{tmp_path}/written')
    visualizer['vis_backends'] = [dict(type='LocalVisBackend')]
    config = dict(read_adapter(path).config, visualizer=visualizer)
    rewrite(whole, content, config)
    found = ActionRecogInferencer(None, whole, 'cpu')
    assert found.visualizer._vis_backends == {}


def test_a_model_larger_than_its_weights_is_refused(merged):
    path, whole, content = merged
    config = read_adapter(path).config
    config['model']['backbone']['img_size'] = 16 * 10**4
    rewrite(whole, content, config)
    with pytest.raises(ValueError, match='MiB of parameters'):
        ActionRecogInferencer(None, whole, 'cpu')
