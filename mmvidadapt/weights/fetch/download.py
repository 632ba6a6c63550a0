"""Download a published file once, however many processes ask for it."""

import os
import tempfile
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple, Optional, Tuple
from urllib.error import HTTPError

from mmvidadapt.utils.hub_file import HubFile
from mmvidadapt.utils.sha256 import hash_file

from . import hub
from .lock import locked
from .transfer import WebPage, forget, transfer

MIRROR, OFFLINE = 'MMVIDADAPT_MIRROR', 'MMVIDADAPT_OFFLINE'


class Source(NamedTuple):
    """A published file of weights.

    Args:
        url (str): Where it lies.
        sha256 (str, optional): Its hash or the first digits of it.
            Defaults to None.
        size (int, optional): About how many MiB it has. Defaults to None.
        licence (str): Licence of the weights. Defaults to ``'unknown'``.
        note (str): What it is. Defaults to ``''``.
        by_hand (bool): Whether only a person in front of a browser gets it.
            Defaults to False.
        hub (HubFile, optional): Where on the Hugging Face Hub it lies.
            Defaults to None: it lies elsewhere.
    """

    url: str
    sha256: Optional[str] = None
    size: Optional[int] = None
    licence: str = 'unknown'
    note: str = ''
    by_hand: bool = False
    hub: Optional[HubFile] = None

    @property
    def urls(self) -> Tuple[str, ...]:
        """Return all addresses that the file may have, in order."""
        return self.hub.urls if self.hub else (self.url,)

    @property
    def size_told(self) -> str:
        """Word the size of the file, as far as anybody states it."""
        return f'about {self.size} MiB' if self.size else 'not stated'

    @property
    def sha256_told(self) -> str:
        """Word the hash that was published, if one was."""
        return self.sha256 or 'not published'


def fetch(source: Source, target: str) -> str:
    """Download a file when it is not there yet.

    Args:
        source (Source): What to fetch.
        target (str): Where it is kept.

    Returns:
        str: The target, or the file in the cache of huggingface_hub.

    Raises:
        ConnectionError: If it cannot be had, with how to carry it over.
    """
    if os.path.isfile(target):
        _check_hash(target, source)
        return target
    cached = source.hub and source.hub.find_cached()
    if cached:
        _check_hash(cached, source)
        return cached
    url = mirrored(source.url)
    if os.environ.get(OFFLINE, '0') not in ('', '0'):
        reason = f'{OFFLINE} is set, so nothing is asked of the network'
        if source.hub and source.hub.gated:
            reason += f'. Where there is one, {hub.explain_gate(source.hub)}'
        raise ConnectionError(_carry(source, target, url, reason))
    if source.by_hand and url == source.url:
        raise FileNotFoundError(
            f'{source.note}: no program can fetch this one. Open '
            f'{source.url} in a browser, download the file and save it as '
            f'{target}. Its size is {source.size_told}, its sha256 '
            f'{source.sha256_told}.'
        )
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with locked(f'{target}.lock') as alone:
            if not os.path.isfile(target):  # nobody was faster
                _bring(source, target, alone)
    except (OSError, HTTPException) as error:
        reason = f'{type(error).__name__}: {error}'
        raise ConnectionError(_carry(source, target, url, reason)) from error
    return target


def mirrored(url: str) -> str:
    """Resolve the address where ``MMVIDADAPT_MIRROR`` keeps a file.

    Args:
        url (str): The published address.

    Returns:
        str: The mirror and the address without ``https://`` behind it, or
        the mirror with the whole address for ``{url}`` in it. A folder is a
        mirror, too.
    """
    mirror = os.environ.get(MIRROR)
    if not mirror:
        return url
    if '{url}' in mirror:
        return mirror.replace('{url}', url)
    if '://' not in mirror:
        mirror = Path(mirror).expanduser().absolute().as_uri()
    return f'{mirror.rstrip("/")}/{url.split("://", 1)[1]}'


def _bring(source: Source, target: str, alone: bool) -> None:
    """Download into a part, verify it and give it its name."""
    if not alone:  # others write, too: nothing can be gone on with
        with tempfile.TemporaryDirectory(dir=os.path.dirname(target)) as own:
            os.replace(_any_part(source, Path(own, 'part')), target)
        return
    part = Path(f'{target}.part')
    os.replace(_any_part(source, part), target)
    forget(part)


def _any_part(source: Source, part: Path) -> Path:
    """Download the first of a file's names that there is."""
    if source.hub and not os.environ.get(MIRROR):
        hub.bring(source.hub, part)
        return part
    *others, last = map(mirrored, source.urls)
    for url in others:
        try:
            return _part(source, url, part)
        except HTTPError as error:
            if error.code != 404:
                raise
    return _part(source, last, part)


def _part(source: Source, url: str, part: Path) -> Path:
    """Download a verified part, going on from an earlier one."""
    resumed, proven = part.is_file(), source.sha256 is not None
    try:
        digest = transfer(url, part, proven)
        if resumed and not _is(digest, source):  # the old bytes were bad
            forget(part)
            digest = transfer(url, part, proven)
    except WebPage as error:
        raise ValueError(
            f'{url} gave another file than expected: {error}. Nothing was '
            'kept; a proxy or a sign-in page may answer in its place.'
        ) from error
    if not _is(digest, source):
        forget(part)
        raise ValueError(
            f'{url} gave another file than expected: its sha256 is {digest}, '
            f'published is {source.sha256}. Nothing was kept; a proxy, a '
            'mirror or a sign-in page may answer in its place.'
        )
    return part


def _is(digest: str, source: Source) -> bool:
    """Check whether a hash is the published one, if one is published."""
    return digest.startswith(source.sha256 or '')


def _carry(source: Source, target: str, url: str, reason: str) -> str:
    """Word how a person can carry the file over."""
    mirror = '' if url == source.url else f'  mirror:  {url}\n'
    part = f'{target}.part'
    kept = f' What has arrived stays in {part} and is gone on with.'
    return (
        f'Could not download weights: {reason}\n'
        f'  URL:     {source.url}\n{mirror}'
        f'  size:    {source.size_told}\n'
        f'  sha256:  {source.sha256_told}\n'
        f'  save as: {target}\n'
        'Fetch the file on a machine that has access and save it under '
        'that path, or give the path of a copy as `pretrained`.'
        + (kept if os.path.isfile(part) else '')
    )


def _check_hash(path: str, source: Source) -> None:
    """Make sure that a kept file is the published one."""
    if source.sha256 is None:
        return
    digest = hash_file(path)
    if not _is(digest, source):
        raise ValueError(
            f'{path} is not the file of {source.url}: its sha256 is '
            f'{digest}, expected {source.sha256}. Delete it and '
            'start again, or fetch it once more by hand.'
        )
