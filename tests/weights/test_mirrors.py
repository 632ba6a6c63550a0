"""Mirrors, proxies and no network at all."""

import urllib.request
from pathlib import Path

import pytest

from mmvidadapt.weights import SOURCES, Source, resolve
from mmvidadapt.weights.fetch.download import fetch

from .unruly import DATA, SHA


@pytest.fixture
def alias(site, tmp_path, monkeypatch):
    """Publish the file under a name."""
    monkeypatch.setenv('MMVIDADAPT_HOME', str(tmp_path / 'home'))
    source = Source('https://models.invalid/a/x.pth', SHA, 335)
    monkeypatch.setitem(SOURCES, 'me/x', source)
    return source


@pytest.mark.parametrize(
    'mirror, path',
    [
        ('{site}', '/models.invalid/a/x.pth'),
        ('{site}/big/', '/big/models.invalid/a/x.pth'),
        ('{site}/get?{url}', '/get?https://models.invalid/a/x.pth'),
    ],
)
def test_a_mirror_stands_before_every_address(
    site, alias, monkeypatch, mirror, path
):
    root = site.url.rsplit('/', 1)[0]
    monkeypatch.setenv('MMVIDADAPT_MIRROR', mirror.replace('{site}', root))
    assert Path(resolve('me/x')).read_bytes() == DATA
    assert [asked for asked, _ in site.asked] == [path]


@pytest.mark.parametrize('scheme', [True, False])
def test_a_folder_is_a_mirror(alias, tmp_path, monkeypatch, scheme):
    folder = tmp_path / 'my mirror'
    (folder / 'models.invalid' / 'a').mkdir(parents=True)
    (folder / 'models.invalid' / 'a' / 'x.pth').write_bytes(DATA)
    mirror = folder.as_uri() if scheme else str(folder)
    monkeypatch.setenv('MMVIDADAPT_MIRROR', mirror)
    assert Path(resolve('me/x')).read_bytes() == DATA


def test_a_mirror_is_not_believed(site, alias, monkeypatch):
    site.data = DATA[::-1]
    monkeypatch.setenv('MMVIDADAPT_MIRROR', site.url)
    with pytest.raises(ValueError, match='another file') as error:
        resolve('me/x')
    assert site.url in str(error.value) and SHA in str(error.value)


def test_a_mirror_that_fails_is_named_beside_the_address(
    site, alias, monkeypatch
):
    site.acts = ['gone']
    monkeypatch.setenv('MMVIDADAPT_MIRROR', site.url)
    with pytest.raises(ConnectionError, match='404') as error:
        resolve('me/x')
    assert f'mirror:  {site.url}/models.invalid' in str(error.value)
    assert f'URL:     {alias.url}' in str(error.value)


def test_a_mirror_serves_what_only_people_can_fetch(site, alias, monkeypatch):
    monkeypatch.setitem(SOURCES, 'me/x', alias._replace(by_hand=True))
    with pytest.raises(FileNotFoundError, match='in a browser'):
        resolve('me/x')
    monkeypatch.setenv('MMVIDADAPT_MIRROR', site.url)
    assert Path(resolve('me/x')).read_bytes() == DATA


def test_a_proxy_of_the_environment_is_used(site, target, monkeypatch):
    monkeypatch.setattr(urllib.request, '_opener', None)  # looks once only
    monkeypatch.delenv('no_proxy')
    monkeypatch.delenv('NO_PROXY', raising=False)
    monkeypatch.setenv('http_proxy', site.url.rsplit('/', 1)[0])
    fetch(Source('http://models.invalid/x.pth', SHA), str(target))
    assert [p for p, _ in site.asked] == ['http://models.invalid/x.pth']


@pytest.mark.parametrize('by_hand', [True, False])
def test_offline_nothing_is_asked_and_everything_is_told(
    site, tmp_path, alias, monkeypatch, by_hand
):
    source = Source(site.url, SHA, 335, by_hand=by_hand)
    monkeypatch.setitem(SOURCES, 'me/x', source)
    monkeypatch.setenv('MMVIDADAPT_OFFLINE', '1')
    with pytest.raises(ConnectionError) as error:
        resolve('me/x')
    path = tmp_path / 'home' / 'weights' / 'me_x.pth'
    for word in ('MMVIDADAPT_OFFLINE', site.url, SHA, '335 MiB', str(path)):
        assert word in str(error.value)
    assert not site.asked
    path.parent.mkdir(parents=True)
    path.write_bytes(DATA)  # carried over
    assert resolve('me/x') == str(path)
    monkeypatch.setenv('MMVIDADAPT_OFFLINE', '0')
    path.unlink()
    if not by_hand:
        assert Path(resolve('me/x')).read_bytes() == DATA
