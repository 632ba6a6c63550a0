"""Models by name, ours and through mmaction2."""

import pytest
import torch
import yaml
from mmaction.apis import init_recognizer
from mmengine.config import Config
from mmengine.hub import get_config

from mmvidadapt.apis import get_model, list_models, load_adapter
from mmvidadapt.apis import init_recognizer as init_by_name
from mmvidadapt.apis.train.config import config_root, find_config, list_configs
from mmvidadapt.apis.use import models
from mmvidadapt.models import AIM
from tests.adapters import config_of, trained_model, write_adapter, write_trunk

ROW = 'aim/vitb16_k400'


@pytest.fixture
def tiny(tmp_path):
    """Write the config of a tiny model and its checkpoint."""
    trunk = write_trunk(tmp_path / 'trunk.pth')
    config = config_of('aim', trunk)
    (tmp_path / 'aim').mkdir()
    config.dump(tmp_path / 'aim/tiny.py')
    model = trained_model(config, seed=5)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'tiny.pth')
    return str(tmp_path / 'aim/tiny.py'), str(tmp_path / 'tiny.pth'), model


def same(one, other):
    """Whether two models hold the same weights."""
    theirs = other.state_dict()
    return all(torch.equal(v, theirs[k]) for k, v in one.state_dict().items())


def test_names_are_those_of_the_configs():
    assert list_models() == list_configs()
    assert ROW in list_models('aim/*')
    assert all(name.startswith('aim/') for name in list_models('aim/*'))
    assert list_models('*_32f_diving48') == [
        'aim/vitb16_32f_diving48',
        'aim/vitl14_32f_diving48',
        'vjepa2/vitl16_32f_diving48',
    ]
    assert list_models('AIM/*') == []


def test_a_model_by_name():
    with torch.device('meta'):
        model = get_model(ROW)
    assert type(model.backbone) is AIM and not model.training
    assert model.cfg.model.backbone.trunk == 'openai/ViT-B-16'
    with pytest.raises(ValueError, match='Did you mean .*aim/vitb16_k400'):
        get_model('aim/vitb16_k40')


def test_weights_by_path(tiny, tmp_path):
    name, checkpoint, model = tiny
    assert same(get_model(name, checkpoint), model)
    assert not same(get_model(name), model)
    path, own = write_adapter(tmp_path, 'aim', get_model(name).cfg)
    assert same(get_model(name, path), own)
    assert same(load_adapter(path), own)


def test_weights_that_were_released(tiny, monkeypatch):
    name, checkpoint, model = tiny
    monkeypatch.setattr(models, 'SOURCES', {'aim/tiny': None})
    asked = []

    def resolve(alias):
        asked.append(alias)
        return checkpoint

    monkeypatch.setattr(models, 'resolve', resolve)
    assert same(get_model(name, pretrained=True), model)
    assert asked == ['aim/tiny']


def test_released_names_are_names_of_models():
    """What the authors of a method released, under the name of its config."""
    names = set(list_models()) | set(models.SAME.values())
    assert set(models.SAME) <= names
    for method in ('aim', 'evl', 'bevt'):
        released = {s for s in models.SOURCES if s.startswith(f'{method}/')}
        assert released and released <= names


@pytest.fixture(scope='module')
def rows():
    """Read what the metafiles say about every model."""
    files = config_root().glob('*/metafile.yml')
    listed = [
        m for f in files for m in yaml.safe_load(f.read_text())['Models']
    ]
    return {
        m['Config'].removeprefix('configs/').removesuffix('.py'): m
        for m in listed
    }


def test_metafiles_and_sources_name_the_same_files(rows):
    assert set(rows) <= set(list_models())
    for name, row in rows.items():
        alias, said = models.SAME.get(name, name), row.get('Converted From')
        assert (alias in models.SOURCES) == (said is not None), name
        if said is not None:
            source = models.SOURCES[alias]
            assert said['Alias'] == alias
            assert said['Weights'].split('?')[0] == source.url
            assert said.get('SHA256') == source.sha256


@pytest.mark.parametrize('name', list_models())
def test_every_model_says_what_was_released(name, rows, monkeypatch, tmp_path):
    monkeypatch.setenv('MMVIDADAPT_HOME', str(tmp_path))
    monkeypatch.setenv('MMVIDADAPT_OFFLINE', '1')
    said = rows.get(name, {}).get('Converted From')
    if said is None:
        words = f"No weights were released for '{name}'.*Give the path of a ch"
        with pytest.raises(ValueError, match=words) as refusal:
            get_model(name, pretrained=True)
        method = name.split('/')[0] + '/'
        near = any(source.startswith(method) for source in models.SOURCES)
        assert (', only for [' in str(refusal.value)) == near
        return
    with pytest.raises(ConnectionError) as error:
        get_model(name, pretrained=True)
    source = models.SOURCES[said['Alias']]
    kept = said['Alias'].replace('/', '_')
    for word in (source.url, 'sha256:  not published', str(tmp_path), kept):
        assert word in str(error.value)


def test_addresses_of_mim_have_a_file_name_each(rows):
    """``mim download`` names a file after what follows the last slash."""
    urls = {n: r['Weights'] for n, r in rows.items() if 'Weights' in r}
    assert len(urls) == 4
    files = {url.rsplit('/', 1)[-1] for url in urls.values()}
    assert len(files) == len(urls)
    for name, url in urls.items():
        assert url.split('#')[0] == models.SOURCES[name].url
        assert url.endswith(f'{name.replace("/", "_")}.flax')


def test_mmaction2s_function_for_our_names(tiny, tmp_path):
    name, checkpoint, model = tiny
    for config in (name, Config.fromfile(name)):
        ours = init_by_name(config, checkpoint, 'cpu')
        assert same(ours, model) and not ours.training
        assert same(ours, init_recognizer(name, checkpoint, 'cpu'))
        assert ours.cfg.filename == name
    with torch.device('meta'):
        assert type(init_by_name(ROW, device='meta').backbone) is AIM
    with pytest.raises(ValueError, match='Did you mean .*aim/vitb16_k400'):
        init_by_name('aim/vitb16_k40')
    with pytest.raises(ValueError, match='does not fit'):
        init_by_name(name, str(tmp_path / 'trunk.pth'), 'cpu')


def test_a_decoder_alone_finds_its_trunk(tmp_path):
    trunk = write_trunk(tmp_path / 'trunk.pth')
    model = trained_model(config_of('evl', trunk), seed=5)
    own = {
        name: value
        for name, value in model.state_dict().items()
        if name.startswith(('backbone.decoder.', 'cls_head.'))
    }
    path = str(tmp_path / 'decoder.pth')
    torch.save(own, path)
    ours = init_by_name(config_of('evl', trunk), path, 'cpu')
    assert same(ours, model)
    with pytest.raises(ValueError, match='`pretrained` of a backbone'):
        init_recognizer(config_of('evl', trunk), path, 'cpu')


@pytest.mark.parametrize('given', ['path', 'text', 'config'])
def test_mmaction2_builds_them(given):
    path = find_config(ROW)
    assert path == config_root() / f'{ROW}.py'
    config = dict(
        path=path,
        text=str(path),
        config=get_config(f'mmvidadapt::{ROW}.py'),
    )[given]
    with torch.device('meta'):
        model = init_recognizer(config, device='meta')
    assert type(model.backbone) is AIM
    assert model.cfg.model.cls_head.num_classes == 400
