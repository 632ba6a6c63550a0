"""Downloads from a server that truncates, corrupts, stalls, lies, hangs up."""

import time

import pytest

from mmvidadapt.weights import Source
from mmvidadapt.weights.fetch import transfer
from mmvidadapt.weights.fetch.download import fetch

from .unruly import DATA, SHA

HALF = f'bytes={len(DATA) // 2}-'


def arrives(site, target, sha256=SHA):
    """Download; only the file is left, and it is the right one."""
    assert fetch(Source(site.url, sha256), str(target)) == str(target)
    assert target.read_bytes() == DATA
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize('sha256', [SHA, SHA[:8], None])
@pytest.mark.parametrize(
    'acts, asked',
    [
        ([], [None]),
        (['half'], [None, HALF]),
        (['say-more'], [None, f'bytes={len(DATA)}-', None]),
        (['half', 'half', 'half'], [None, HALF, 'bytes=75000-', 'more']),
        (['half', 'whole'], [None, HALF]),
        (['half', 'elsewhere'], [None, HALF, None]),
        (['half', 'beyond'], [None, HALF, None]),
        (['busy', 'hang-up', 'busy'], [None] * 4),
        (['half', 'busy', 'hang-up', 'busy'], [None] + [HALF] * 4),
        (['redirect'], [None, None]),
        (['half', 'redirect'], [None, HALF, HALF]),
        (['say-nothing'], [None]),
        (['nonsense'], [None]),
    ],
)
def test_a_bad_server_is_outlasted(site, target, acts, asked, sha256):
    site.acts = list(acts)
    arrives(site, target, sha256)
    assert len(site.asked) == len(asked)
    for span, expected in zip(site.ranges(), asked):
        assert span == expected or expected == 'more'


def test_one_that_never_gets_further_is_given_up(site, target):
    site.acts = ['half', *['busy'] * 9]
    with pytest.raises(ConnectionError, match='503') as error:
        fetch(Source(site.url, SHA, 335), str(target))
    assert len(site.asked) == 1 + transfer.ATTEMPTS
    for word in (site.url, SHA, '335 MiB', str(target), 'is gone on with'):
        assert word in str(error.value)
    assert not target.exists()
    site.acts = []
    arrives(site, target)  # and gone on with
    assert site.ranges()[-1] == HALF


@pytest.mark.parametrize('acts', [['stall'], ['half', 'stall']])
def test_silence_is_ended(site, target, monkeypatch, acts):
    monkeypatch.setattr(transfer, 'TIMEOUT', 0.5)
    site.acts = list(acts)
    start = time.monotonic()
    arrives(site, target)
    assert time.monotonic() - start < 50  # the server's silence lasts 60 s
    assert site.ranges()[:2] == [None, HALF]
    assert len(site.asked) == len(acts) + 1


@pytest.mark.parametrize('act', ['corrupt', 'say-less'])
def test_a_wrong_file_is_refused_and_not_kept(site, target, act):
    site.acts = [act]
    with pytest.raises(ValueError, match='another file') as error:
        fetch(Source(site.url, SHA), str(target))
    assert site.url in str(error.value) and SHA in str(error.value)
    assert not list(target.parent.iterdir())


@pytest.mark.parametrize(
    'change, acts, asked',
    [
        (lambda half: b'!' + half[1:], [], [HALF, None]),
        (lambda half: DATA, ['gone'], []),  # finished: it needs no server
    ],
    ids=['bad', 'finished'],
)
def test_what_an_earlier_attempt_left_is_looked_at(
    site, target, change, acts, asked
):
    site.acts = ['half', 'gone']
    with pytest.raises(ConnectionError, match='404'):
        fetch(Source(site.url, SHA), str(target))
    part = target.with_name('x.pth.part')
    part.write_bytes(change(part.read_bytes()))
    site.acts = acts
    arrives(site, target)
    assert site.ranges() == [None, HALF, *asked]


@pytest.mark.parametrize(
    'act, asked', [('serve', [HALF]), ('careless', [HALF, None])]
)
def test_a_newer_file_is_not_glued_to_an_older_half(site, target, act, asked):
    site.acts = ['half', 'gone']
    with pytest.raises(ConnectionError, match='404'):
        fetch(Source(site.url), str(target))
    site.data, site.etag, site.acts = DATA[::-1], '"v2"', [act]
    fetch(Source(site.url), str(target))
    assert target.read_bytes() == DATA[::-1]
    assert site.ranges() == [None, HALF, *asked]


@pytest.mark.parametrize('etag', ['W/"v1"', None])
def test_what_may_have_changed_is_not_gone_on_with(site, target, etag):
    site.etag, site.acts = etag, ['half']
    arrives(site, target, None)
    assert site.ranges() == [None, None]
    target.unlink()
    site.acts = ['half']
    arrives(site, target, SHA)  # the hash will tell
    assert site.ranges()[-1] == HALF


@pytest.mark.parametrize(
    'act, error, text',
    [
        ('gone', ConnectionError, '404'),
        ('circle', ConnectionError, 'infinite loop'),
        ('lure', ConnectionError, 'file:///etc/hostname'),
        ('page', ValueError, 'web page'),
    ],
)
def test_what_will_not_pass_ends_at_once(site, target, act, error, text):
    site.acts = [act]
    with pytest.raises(error, match=text) as caught:
        fetch(Source(site.url), str(target))
    assert site.url in str(caught.value)
    assert act == 'circle' or len(site.asked) == 1
    assert not list(target.parent.iterdir())


def test_a_full_disk_is_told(site, target, monkeypatch):
    def full(*args):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(transfer, '_receive', full)
    with pytest.raises(ConnectionError, match='No space left'):
        fetch(Source(site.url), str(target))
    assert len(site.asked) == 1


def test_a_bar_shows_progress_to_people_only(
    site, target, monkeypatch, capsys
):
    arrives(site, target)
    assert capsys.readouterr().err == ''
    target.unlink()
    monkeypatch.setattr('sys.stderr.isatty', lambda: True, raising=False)
    site.acts = ['half']
    arrives(site, target)
    shown = capsys.readouterr().err
    assert 'x.pth' in shown and '97.7k/97.7k' in shown and '50%' in shown
