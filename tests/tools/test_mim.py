"""What OpenMMLab's package manager makes of our metafiles, where it is."""

import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

from tests import runs

pytestmark = pytest.mark.slow
pytest.importorskip('mim', reason='openmim is not installed')


@pytest.fixture(scope='module')
def rows():
    """Read the models that the index lists."""
    index = yaml.safe_load((runs.ROOT / 'model-index.yml').read_text())
    metas = [
        yaml.safe_load((runs.ROOT / path).read_text())
        for path in index['Import']
    ]
    return {m['Name']: m for meta in metas for m in meta['Models']}


@pytest.fixture(scope='module')
def listed():
    """Ask mim what the package offers."""
    from mim.commands.search import get_model_info

    fields = ['weight', 'config']
    return get_model_info('mmvidadapt', shown_fields=fields, to_dict=True)


def test_mim_lists_every_model(rows, listed):
    assert {row['Config'] for row in rows.values()} == {
        found['config'] for found in listed.values()
    }
    assert set(listed) == set(rows)


def test_mim_finds_the_weights_that_a_program_can_fetch(rows, listed):
    urls = {n: r['Weights'] for n, r in rows.items() if 'Weights' in r}
    assert urls
    for name, url in urls.items():
        assert listed[name]['weight'] == url


def test_mim_keeps_files_of_one_address_apart(rows, tmp_path, monkeypatch):
    """Servers see nothing of what makes the names."""
    from mim.utils import download_from_file

    monkeypatch.setenv('no_proxy', '*')
    served = tmp_path / 'served'
    served.mkdir()
    (served / 'checkpoint').write_bytes(b'weights')
    server = ThreadingHTTPServer(
        ('127.0.0.1', 0),
        functools.partial(SimpleHTTPRequestHandler, directory=str(served)),
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = rows['vivit_b16x2_k400']['Weights']
    assert '/checkpoint#/' in url
    name = url.split('/')[-1]  # as mim does
    here = f'http://127.0.0.1:{server.server_port}/checkpoint#/{name}'
    download_from_file(here, str(tmp_path / name))
    server.shutdown()
    server.server_close()
    assert name == 'vivit_b16x2_k400.flax'
    assert (tmp_path / name).read_bytes() == b'weights'
