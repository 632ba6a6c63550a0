"""Files of the Hugging Face Hub, from a server that answers as it does."""

from pathlib import Path

import pytest

from mmvidadapt.utils.hub_file import HubFile
from mmvidadapt.weights import SOURCES, Source, resolve
from mmvidadapt.weights.fetch.released import SOURCES as RELEASED

from .unruly import DATA, SHA, Site, Unruly

constants = pytest.importorskip('huggingface_hub.constants')

COMMIT = 'c' * 40


class Hub(Unruly):
    """Answer for the repositories ``me/open`` and ``me/gated``."""

    def do_GET(self, body=True):
        """Give ``pytorch_model.bin``, the gated one to those with a token."""
        self.server.asked.append((self.path, None))
        if '/me/gated/' in self.path and not self.headers['Authorization']:
            self.refuse(401, 'GatedRepo')
        elif not self.path.endswith('.bin'):
            self.refuse(404, 'EntryNotFound')
        else:
            self.give(body)

    def give(self, body):
        """Send the file or its head."""
        self.send_response(200)
        self.send_header('X-Repo-Commit', COMMIT)
        self.send_header('ETag', f'"{self.server.etag}"')
        self.send_header('Content-Length', str(len(self.server.data)))
        self.end_headers()
        if body:
            self.wfile.write(self.server.data)

    def do_HEAD(self):
        """Give the head alone."""
        self.do_GET(body=False)

    def refuse(self, status, code):
        """Say what is wrong as the Hub does."""
        self.send_response(status)
        self.send_header('X-Error-Code', code)
        self.end_headers()


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Serve, keep downloads in an empty folder, and name three files."""
    site = Site(handler=Hub)
    site.etag = SHA
    monkeypatch.setenv('no_proxy', '*')
    monkeypatch.setenv('MMVIDADAPT_HOME', str(tmp_path / 'home'))
    monkeypatch.setenv('HF_ENDPOINT', site.url.rsplit('/', 1)[0])
    monkeypatch.setattr(constants, 'HF_HUB_CACHE', str(tmp_path / 'hf'))
    for name in ('HF_TOKEN', 'MMVIDADAPT_MIRROR', 'MMVIDADAPT_OFFLINE'):
        monkeypatch.delenv(name, raising=False)
    for name, more in (
        ('open', {}),
        ('pinned', dict(revision=COMMIT, sha256=SHA)),
        ('gated', dict(gated=True, instead='timm/open')),
    ):
        repo = 'me/gated' if name == 'gated' else 'me/open'
        file = HubFile(repo, **more)
        source = Source(file.urls[0], file.sha256, hub=file)
        monkeypatch.setitem(SOURCES, f'me/{name}', source)
    yield site
    site.close()


def test_the_first_name_that_there_is_is_kept(hub):
    path = Path(resolve('me/open'))
    assert path.read_bytes() == DATA and path.name == 'me_open.safetensors'
    assert list(path.parent.iterdir()) == [path]
    names = [p for p, _ in hub.asked if 'resolve' in p]
    assert names[:2] == [
        f'/me/open/resolve/main/{name}'
        for name in ('model.safetensors', 'pytorch_model.bin')
    ]
    assert names[-1] == f'/me/open/resolve/{COMMIT}/pytorch_model.bin'
    asked = len(hub.asked)
    assert resolve('me/open') == str(path) and len(hub.asked) == asked


def test_what_others_downloaded_is_used_as_it_is(hub, tmp_path):
    repo = tmp_path / 'hf' / 'models--me--open'
    file = repo / 'snapshots' / COMMIT / 'pytorch_model.bin'
    file.parent.mkdir(parents=True)
    file.write_bytes(DATA)
    (repo / 'refs').mkdir()
    (repo / 'refs' / 'main').write_text(COMMIT)
    assert resolve('me/open') == resolve('me/pinned') == str(file)
    assert not hub.asked
    file.write_bytes(DATA[::-1])
    with pytest.raises(ValueError, match='is not the file of'):
        resolve('me/pinned')


@pytest.mark.parametrize('name', ['open', 'pinned'])
def test_another_file_than_the_hub_says_is_refused(hub, name, tmp_path):
    hub.data = DATA[::-1]
    with pytest.raises(ValueError, match=f'published is {SHA}'):
        resolve(f'me/{name}')
    kept = (tmp_path / 'home').rglob('*')
    assert not [p for p in kept if p.is_file() and p.stat().st_size > 999]


@pytest.mark.parametrize('offline', ['0', '1'])
def test_a_licence_to_accept_is_explained(hub, monkeypatch, offline):
    monkeypatch.setenv('MMVIDADAPT_OFFLINE', offline)
    with pytest.raises(ConnectionError) as error:
        resolve('me/gated')
    for word in (
        'Open https://huggingface.co/me/gated and accept',
        'HF_TOKEN',
        'hf auth login',
        "by the name 'timm/open'",
        'save as: ',
    ):
        assert word in str(error.value)
    monkeypatch.setenv('MMVIDADAPT_OFFLINE', '0')
    monkeypatch.setenv('HF_TOKEN', 'hf_mine')
    assert Path(resolve('me/gated')).read_bytes() == DATA


@pytest.mark.parametrize(
    'variable, value, words',
    [
        ('MMVIDADAPT_OFFLINE', '1', ['MMVIDADAPT_OFFLINE is set']),
        ('HF_ENDPOINT', 'http://127.0.0.1:9', ['refused']),
        ('MMVIDADAPT_MIRROR', '/no/where', ['mirror:', 'No such file']),
    ],
)
def test_what_cannot_be_had_is_told(hub, monkeypatch, variable, value, words):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConnectionError) as error:
        resolve('me/open')
    for word in (*words, 'huggingface.co/me/open/resolve/main', 'save as'):
        assert word in str(error.value)


def test_our_mirror_comes_before_the_hub(hub, tmp_path, monkeypatch):
    monkeypatch.setenv('MMVIDADAPT_MIRROR', hub.url.rsplit('/', 1)[0])
    assert Path(resolve('me/open')).read_bytes() == DATA
    assert [path for path, _ in hub.asked] == [
        f'/huggingface.co/me/open/resolve/main/{name}'
        for name in ('model.safetensors', 'pytorch_model.bin')
    ]


def test_a_repository_without_the_file_is_named(hub, monkeypatch):
    file = HubFile('me/open', ('a.pt', 'b.pt'))
    monkeypatch.setitem(RELEASED, 'me/none', Source(file.urls[0], hub=file))
    with pytest.raises(ConnectionError, match=r'none of a\.pt, b\.pt'):
        resolve('me/none')
