"""Bring files from the Hugging Face Hub, by huggingface_hub.

It knows the user's token (``HF_TOKEN``, ``hf auth login``), mirrors
(``HF_ENDPOINT``), the Hub's fast transfers and its own cache, which is looked
into first; what it brings is kept in ours.
"""

import os
import re
import shutil
from pathlib import Path
from typing import Any, Optional

from mmengine.logging import print_log

from mmvidadapt.utils.hub_file import HubFile
from mmvidadapt.utils.sha256 import hash_file

SHA256 = re.compile('[0-9a-f]{64}')  # what the Hub calls its large files


def bring(hub: HubFile, target: Path) -> None:
    """Download a file and compare its hash with the Hub's.

    It arrives in a folder beside the target. huggingface_hub goes on with a
    transfer that breaks off, in the same call.

    Args:
        hub (HubFile): The file.
        target (Path): Where it is put.

    Raises:
        PermissionError: If a licence has to be accepted first.
        OSError: If the Hub does not answer or has no such file.
        ValueError: If the file is another one than the Hub says.
    """
    try:
        from huggingface_hub import errors
    except ImportError as error:
        raise ImportError(
            f'{hub.repo} lies on the Hugging Face Hub: pip install '
            'huggingface_hub.'
        ) from error
    for file in hub.files:
        try:
            _bring_one(hub, file, target)
            return
        except errors.GatedRepoError as error:
            raise PermissionError(explain_gate(hub)) from error
        except errors.LocalEntryNotFoundError:  # there is no network
            raise
        except errors.EntryNotFoundError:
            continue
        # What its HTTP library raises, whichever it is.
        except errors.HfHubHTTPError.__bases__ as error:
            raise ConnectionError(f'{hub.repo}: {error}') from error
    raise FileNotFoundError(
        f'{hub.repo} has none of {", ".join(hub.files)} at revision '
        f'{hub.revision or "main"}'
    )


def _bring_one(hub: HubFile, file: str, target: Path) -> None:
    """Download the file that has one of its names."""
    from huggingface_hub import (
        get_hf_file_metadata,
        hf_hub_download,
        hf_hub_url,
    )

    own: Any = dict(endpoint=os.environ.get('HF_ENDPOINT'))
    url = hf_hub_url(hub.repo, file, revision=hub.revision, **own)
    facts = get_hf_file_metadata(url, **own)
    folder = Path(f'{target}.hub')
    commit = facts.commit_hash or hub.revision
    path = hf_hub_download(
        hub.repo, file, revision=commit, local_dir=folder, **own
    )
    _compare(hub, path, facts.etag)
    os.replace(path, target)
    shutil.rmtree(folder)
    print_log(f'{hub.repo}/{file} is of {commit}', 'current')


def _compare(hub: HubFile, path: str, etag: Optional[str]) -> None:
    """Remove and refuse a file that has not the published hash."""
    wanted = hub.sha256 or etag or ''
    if not SHA256.fullmatch(wanted):
        return
    found = hash_file(path)
    if found != wanted:
        os.remove(path)
        raise ValueError(
            f'{hub.repo} gave another file than expected: its sha256 is '
            f'{found}, published is {wanted}. Nothing was kept; a proxy or a '
            'mirror may answer in its place.'
        )


def explain_gate(hub: HubFile) -> str:
    """Word what a person has to do before a file may be had."""
    text = (
        f'the Hub gives {hub.repo} to those who accepted its licence. Open '
        f'https://huggingface.co/{hub.repo} and accept it, make a token at '
        'https://huggingface.co/settings/tokens, and set HF_TOKEN to it or '
        'run `hf auth login`'
    )
    if hub.instead:
        text += f'; or take the same weights by the name {hub.instead!r}'
    return text
