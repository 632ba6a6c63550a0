"""From a name to a local file."""

import hashlib
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mmvidadapt.trunks.table import TRUNKS
from mmvidadapt.weights import SOURCES, Source, resolve

from .unruly import DATA, SHA

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Keep downloads in an empty folder."""
    monkeypatch.setenv('MMVIDADAPT_HOME', str(tmp_path / 'home'))
    return tmp_path / 'home' / 'weights'


def sha(data):
    """Hash bytes."""
    return hashlib.sha256(data).hexdigest()


def test_paths_and_file_urls_are_themselves(tmp_path, monkeypatch):
    path = tmp_path / 'my weights.pth'
    path.write_bytes(DATA)
    monkeypatch.setenv('HOME', str(tmp_path))
    for source in (path, str(path), path.as_uri(), '~/my weights.pth'):
        assert resolve(source) == str(path)
    monkeypatch.chdir(tmp_path)
    assert resolve('my weights.pth') == str(path)


def test_download_is_kept(site, home, tmp_path):
    """Apart from others of the same name, where it is asked for."""
    before = socket.getdefaulttimeout()
    path = resolve(site.url)
    assert socket.getdefaulttimeout() == before
    assert Path(path).read_bytes() == DATA
    assert Path(path).parent == home
    assert resolve(site.url) == path and len(site.asked) == 1
    site.data = b'others'
    other = resolve(site.url.replace('x.pth', 'b/x.pth'))
    here = resolve(site.url, cache_dir=str(tmp_path / 'here'))
    assert Path(here).parent == tmp_path / 'here' / 'weights'
    assert Path(path).read_bytes() == DATA
    assert Path(other).read_bytes() == Path(here).read_bytes() == b'others'


def test_aliases_are_downloaded_and_verified(site, home, monkeypatch):
    monkeypatch.setitem(SOURCES, 'me/x', Source(site.url, SHA))
    path = resolve('me/x')
    assert Path(path).name == 'me_x.pth'
    assert Path(path).read_bytes() == DATA
    assert resolve(site.url) == path  # the URL of an alias is the alias
    assert resolve(f'{site.url}#/name.flax') == path
    Path(path).write_bytes(DATA + b'!')
    with pytest.raises(ValueError, match='not the file of') as error:
        resolve('me/x')
    for word in (path, site.url, SHA, sha(DATA + b'!'), 'Delete'):
        assert word in str(error.value)


def test_many_processes_download_once(site, home):
    """The lock is the same between threads, which take less time."""
    start, site.pause = threading.Barrier(4), 0.004

    def rank(_):
        start.wait()
        return resolve(site.url)

    with ThreadPoolExecutor(4) as pool:
        (path,) = set(pool.map(rank, range(4)))
    assert Path(path).read_bytes() == DATA
    assert len(site.asked) == 1
    assert list(home.iterdir()) == [Path(path)]


def test_offline_error_tells_how_to_carry_the_file(home, monkeypatch):
    with socket.socket() as closed:  # a port where nobody listens
        closed.bind(('127.0.0.1', 0))
        url = f'http://127.0.0.1:{closed.getsockname()[1]}/ViT.pt'
    monkeypatch.setenv('no_proxy', '*')
    monkeypatch.setitem(SOURCES, 'me/ViT', Source(url, SHA, 335))
    with pytest.raises(ConnectionError) as error:
        resolve('me/ViT')
    target = home / 'me_ViT.pt'
    for word in (url, '335 MiB', SHA, str(target), 'refused'):
        assert word in str(error.value)
    target.write_bytes(DATA)  # carried over
    assert resolve('me/ViT') == str(target)


def test_drive_links_are_fetched_by_hand(home):
    with pytest.raises(FileNotFoundError) as error:
        resolve('aim/vitb16_k400')
    target = home / 'aim_vitb16_k400.pth'
    for word in (
        SOURCES['aim/vitb16_k400'].url,
        str(target),
        'browser',
        'size is not stated, its sha256 not published',
    ):
        assert word in str(error.value)
    target.parent.mkdir(parents=True)
    target.write_bytes(DATA)
    assert resolve('aim/vitb16_k400') == str(target)


@pytest.mark.parametrize(
    'source, expected',
    [
        ('openai/ViT-B16', "Did you mean 'openai/ViT-B-16'"),
        ('nothing like it', "'openai/ViT-L-14'"),
        ('/no/such/file.pth', '/no/such/file.pth is no file'),
        ('file:///no/such/file.pth', '/no/such/file.pth is no file'),
        ('.', 'is a folder'),
    ],
)
def test_unknown_names_are_told_with_the_way_out(source, expected):
    with pytest.raises(FileNotFoundError, match=re.escape(expected)) as error:
        resolve(source)
    assert f"No weights '{source}'" in str(error.value)


def test_the_table_is_sound():
    for name, source in SOURCES.items():
        assert re.fullmatch(r'[A-Za-z]+/[\w.-]+', name)
        assert source.url.startswith('https://'), name
        assert re.fullmatch('[0-9a-f]{8,64}', source.sha256 or '0' * 8), name
        assert source.note and source.licence != 'unknown', name
        if name.startswith('openai/'):
            assert f'/{source.sha256}/' in source.url
            assert len(source.sha256) == 64


def test_every_release_is_listed_and_documented():
    families = {
        'openai': ('ViT-B-32', 'ViT-B-16', 'ViT-L-14', 'ViT-L-14-336px'),
        'timm': ('base_patch16_224_in21k', 'large_patch16_224_in21k'),
        'microsoft': ('swin_base',),
        'aim': ('vitb16_k400', 'vitl14_32f_k400', 'diving48'),
        'evl': ('vitb16_k400', 'vitl14_32f_k400'),
        'bevt': ('swinb_in1k', 'swinb_in1k_k400'),
        'vivit': ('b16x2_k400', 'l16x2_fe_k600'),
        'google': ('vivit-b-16x2-kinetics400',),
        'dalle': ('encoder',),
    }
    for family, members in families.items():
        for member in members:
            assert any(
                name.startswith(f'{family}/') and member in name
                for name in SOURCES
            ), member
    told = (ROOT / 'docs' / 'weights.md').read_text()
    lines = [line for line in told.splitlines() if line.startswith('| `')]
    trunks = {k for k, row in TRUNKS.items() if row.url}  # of trunks.md
    released = {
        k: v for k, v in SOURCES.items() if not v.hub and k not in trunks
    }
    for name, source in released.items():
        (line,) = [line for line in lines if f'`{name}`' in line]
        assert ('not published' in line) == (source.sha256 is None), name
        assert ('**by hand**' in line) == source.by_hand, name
        assert source.size is None or str(source.size) in line, name
        drive = 'drive.google.com' in source.url
        assert source.by_hand or not drive, name
    assert len({source.url for source in released.values()}) >= (
        len(released) - 5  # those of EVL lie behind one page
    )


def test_configs_name_known_weights():
    named = {
        name
        for path in (ROOT / 'configs').rglob('*.py')
        for name in re.findall(
            r"(?:pretrained|trunk|name)='([^']+/[^']+)'", path.read_text()
        )
    }
    aliases = {name for name in named if name.count('/') == 1}
    assert 'openai/ViT-B-16' in aliases
    assert aliases <= {*SOURCES, 'facebook/dinov2-small'}  # own weights
