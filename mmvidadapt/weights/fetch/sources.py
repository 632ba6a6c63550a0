"""Resolve an alias, URL or path to a local file of weights."""

import difflib
import os
import re
from typing import Optional, Union
from urllib.parse import urldefrag, urlsplit
from urllib.request import url2pathname

from mmvidadapt.utils.cache_folder import kept_as, weights_folder
from mmvidadapt.utils.sha256 import hash_bytes

from .download import Source, fetch
from .released import SOURCES


def resolve(
    source: Union[str, os.PathLike], cache_dir: Optional[str] = None
) -> str:
    """Resolve weights to a local path, downloading them when needed.

    Args:
        source (str | os.PathLike): Alias of ``SOURCES``, ``http(s)://`` or
            ``file://`` URL, or path.
        cache_dir (str, optional): Folder that keeps downloads, in its
            ``weights``. Defaults to None: ``$MMVIDADAPT_HOME``, else
            ``~/.cache/mmvidadapt``.

    Returns:
        str: Path of an existing file.
    """
    source = os.fspath(source)
    if source in SOURCES:
        return fetch(SOURCES[source], _target(source, cache_dir))
    if source.startswith(('http://', 'https://')):
        source = urldefrag(source).url  # a file name, for other programs
        known = [name for name, s in SOURCES.items() if s.url == source]
        if known:
            return resolve(known[0], cache_dir)
        drive = urlsplit(source).hostname == 'drive.google.com'
        found = Source(source, note='a file on Google Drive', by_hand=drive)
        return fetch(found, _target(source, cache_dir))
    path = source
    if source.startswith('file://'):
        path = url2pathname(urlsplit(source).path)
    path = os.path.abspath(os.path.expanduser(path))
    if not os.path.isfile(path):
        raise FileNotFoundError(_not_found(source, path))
    return path


def _not_found(source: str, path: str) -> str:
    """Word what was looked for, what is near and what there is."""
    close = difflib.get_close_matches(source, SOURCES, n=3)
    guess = f' Did you mean {" or ".join(map(repr, close))}?' if close else ''
    state = 'a folder' if os.path.isdir(path) else 'no file'
    ours = sorted(name for name, known in SOURCES.items() if not known.hub)
    return (
        f"No weights '{source}': {path} is {state}, and no alias has "
        f'this name.{guess} Give the path of a file, an http(s):// or '
        f'file:// URL, or an alias: {ours}, or what `python -m mmvidadapt '
        'trunks` lists.'
    )


def _target(source: str, cache_dir: Optional[str]) -> str:
    """Name the file that keeps a download."""
    if source in SOURCES:
        url = urlsplit(SOURCES[source].url).path
        suffix = os.path.splitext(url)[1]
        if SOURCES[source].by_hand:  # the address is that of a page
            suffix = '.pth'
        name = kept_as(source) + suffix
    else:  # two URLs may end in the same name
        base = urlsplit(source).path.rsplit('/', 1)[-1] or 'weights'
        digest = hash_bytes(source.encode())
        name = f'{digest[:8]}_{re.sub("[^A-Za-z0-9._-]", "_", base)}'
    return os.path.join(weights_folder(cache_dir), name)
