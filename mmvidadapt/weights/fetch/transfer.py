"""Download a file in as many attempts as it takes, and hash it."""

import json
import sys
import time
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple, Optional, Tuple
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from torch.hub import tqdm

from mmvidadapt.utils.sha256 import start_hash

TIMEOUT = 30.0  # seconds without a byte until an attempt ends
ATTEMPTS = 4  # that bring nothing, in a row, until a download ends
PAUSE = 1.0  # seconds before the second of them, then twice as many
CHUNK = 1 << 18
BUSY = (408, 425, 429, 500, 502, 503, 504)  # answers that may pass


class Broken(ConnectionError):
    """An attempt ended before the file did; another one may go on."""


class WebPage(ValueError):
    """A page of HTML came in the place of a file."""


class Mark(NamedTuple):
    """Origin of a partial download: address, version there, whole size."""

    url: str
    version: Optional[str] = None
    size: Optional[int] = None


def transfer(url: str, part: Path, proven: bool = False) -> str:
    """Bring a file, going on where an earlier attempt or process ended.

    Args:
        url (str): Where the file lies.
        part (Path): What has arrived. A file beside it, ``*.json``, says
            what it is a part of.
        proven (bool): Whether the caller compares the hash with a published
            one, so that a server need not promise that the file is still the
            same. Defaults to False.

    Returns:
        str: The sha256 of the whole file.

    Raises:
        OSError: When several attempts in a row bring nothing.
        WebPage: When a page comes in place of the file.
    """
    idle = 0
    while True:
        before = _size(part)
        try:
            return _attempt(url, part, proven)
        except (OSError, HTTPException) as error:
            idle = 0 if _size(part) > before else idle + 1
            if idle == ATTEMPTS or not _may_pass(error, _size(part)):
                raise
            time.sleep(PAUSE * 2**idle / 2)


def forget(part: Path) -> None:
    """Remove what has arrived of a file."""
    for path in (part, _marked(part)):
        path.unlink(missing_ok=True)


def _attempt(url: str, part: Path, proven: bool) -> str:
    """Ask for what is missing, and write it behind what is there."""
    mark = _read_mark(part)
    known = mark.url == url and (proven or mark.version is not None)
    start = _size(part) if known else 0
    if start and start == mark.size:  # only the last step is missing
        return _hash(part, start).hexdigest()
    headers = {'User-Agent': 'mmvidadapt', 'Accept-Encoding': 'identity'}
    if start:
        headers['Range'] = f'bytes={start}-'
        if mark.version:
            headers['If-Range'] = mark.version
    try:
        response = urlopen(Request(url, headers=headers), timeout=TIMEOUT)
    except HTTPError as error:
        if error.code == 416:  # the file is another one now
            forget(part)
            raise Broken(f'{error}; starting again') from error
        raise
    with response:
        start, mark = _check(response, start, mark, part, url)
        _marked(part).write_text(json.dumps(mark))
        digest = _receive(response, part, start, mark.size)
    size = _size(part)
    if mark.size is not None and size != mark.size:
        raise Broken(f'the connection ended after {size} of {mark.size} bytes')
    return digest


def _check(
    response: Any, start: int, mark: Mark, part: Path, url: str
) -> Tuple[int, Mark]:
    """Check from which byte on the server sends, and what it sends."""
    headers = response.headers
    if headers.get_content_type() == 'text/html':
        raise WebPage('a web page came in the place of the file')
    version = headers.get('ETag') or ''
    if not version.startswith('"'):  # weak ones do not promise equal bytes
        version = headers.get('Last-Modified')
    if response.status != 206:  # the whole, whatever was asked for
        length = headers.get('Content-Length', '')
        return 0, Mark(url, version, int(length) if length.isdigit() else None)
    span = headers.get('Content-Range', '')
    same = span.startswith(f'bytes {start}-') and version == mark.version
    if not same or not span.endswith(('/*', f'/{mark.size}')):
        forget(part)
        raise Broken(
            f'asked for {mark.size} bytes from {start} on, got {span!r}'
            + ('' if version == mark.version else ' of a newer file')
        )
    return start, mark


def _receive(
    response: Any, part: Path, start: int, total: Optional[int]
) -> str:
    """Write what comes behind the first bytes; give the sha256 of all."""
    digest = _hash(part, start)
    bar = tqdm(
        total=total,
        initial=start,
        desc=part.stem,
        unit='B',
        unit_scale=True,
        unit_divisor=1024,
        disable=not sys.stderr.isatty(),
    )
    with bar, part.open('ab' if start else 'wb') as file:
        for block in iter(lambda: response.read1(CHUNK), b''):
            file.write(block)
            digest.update(block)
            bar.update(len(block))
    return digest.hexdigest()


def _hash(part: Path, size: int) -> Any:
    """Hash the first bytes of what has arrived."""
    if not size:
        return start_hash()
    with part.open('rb') as file:
        return start_hash(file, size)


def _may_pass(error: Exception, size: int) -> bool:
    """Check whether an error is of the kind that another attempt overcomes."""
    if isinstance(error, HTTPError):
        return error.code in BUSY
    if isinstance(error, URLError):  # nobody answers; somebody did before
        return size > 0
    return isinstance(error, (ConnectionError, TimeoutError, HTTPException))


def _size(part: Path) -> int:
    """Count the bytes that have arrived."""
    return part.stat().st_size if part.is_file() else 0


def _marked(part: Path) -> Path:
    """Name the file that says what a part is of."""
    return part.with_name(f'{part.name}.json')


def _read_mark(part: Path) -> Mark:
    """Read what a part is of; an unreadable mark is of nothing."""
    with suppress(OSError, ValueError, TypeError):
        return Mark(*json.loads(_marked(part).read_text()))
    return Mark('')
