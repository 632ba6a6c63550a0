"""Download a published file once, however many processes ask for it."""

import hashlib
import os
import socket
from contextlib import contextmanager, suppress
from http.client import HTTPException
from typing import Iterator, NamedTuple, Optional
from urllib.parse import urlsplit

import torch

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

TIMEOUT = 30  # seconds without a byte until a download gives up


class Source(NamedTuple):
    """A published file of weights.

    Args:
        url (str): Where it lies. Google Drive links are opened by hand.
        sha256 (str, optional): Its hash or the first digits of it.
            Defaults to None.
        size (int, optional): About how many MiB it has. Defaults to None.
        licence (str): Licence of the weights. Defaults to ``'unknown'``.
        note (str): What it is. Defaults to ``''``.
    """

    url: str
    sha256: Optional[str] = None
    size: Optional[int] = None
    licence: str = 'unknown'
    note: str = ''


def fetch(source: Source, target: str) -> str:
    """Give the downloaded file, downloading it when it is not there."""
    if os.path.isfile(target):
        _check_hash(target, source)
        return target
    if urlsplit(source.url).hostname == 'drive.google.com':
        raise FileNotFoundError(
            f'{source.note}: Google Drive gives files to browsers only. '
            f'Open {source.url}, download the file and save it as {target}.'
        )
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with _locked(f'{target}.lock'), _patience(TIMEOUT):
            if not os.path.isfile(target):  # nobody was faster
                torch.hub.download_url_to_file(
                    source.url, target, hash_prefix=source.sha256
                )
    except RuntimeError as error:  # the hash is wrong
        raise ValueError(
            f'{source.url} gave another file than expected: '
            f'{error}. Nothing was kept; a proxy or a sign-in '
            'page may answer in its place.'
        ) from error
    except (OSError, HTTPException) as error:
        raise ConnectionError(_offline(source, target, error)) from error
    return target


def _offline(source: Source, target: str, error: Exception) -> str:
    """Tell a person how to carry the file over."""
    size = f'about {source.size} MiB' if source.size else 'unknown'
    return (
        f'Could not download weights: {type(error).__name__}: {error}\n'
        f'  URL:     {source.url}\n'
        f'  size:    {size}\n'
        f'  sha256:  {source.sha256 or "unknown"}\n'
        f'  save as: {target}\n'
        'Fetch the file on a machine that has access and save it under '
        'that path, or give the path of a copy as `pretrained`.'
    )


def _check_hash(path: str, source: Source) -> None:
    """Make sure that a kept file is the published one."""
    if source.sha256 is None:
        return
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        for block in iter(lambda: file.read(1 << 20), b''):
            digest.update(block)
    if not digest.hexdigest().startswith(source.sha256):
        raise ValueError(
            f'{path} is not the file of {source.url}: its sha256 is '
            f'{digest.hexdigest()}, expected {source.sha256}. Delete it and '
            'start again, or fetch it once more by hand.'
        )


@contextmanager
def _locked(path: str) -> Iterator[None]:
    """Let one process at a time download; the file is gone afterwards.

    A process that waited for the file that is gone looks for the download
    itself, hence nothing is downloaded twice unless a download failed.
    """
    if fcntl is None:
        yield
        return
    with open(path, 'w') as file:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            with suppress(FileNotFoundError):  # another one was second
                os.remove(path)


@contextmanager
def _patience(seconds: float) -> Iterator[None]:
    """Let sockets time out instead of waiting for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
