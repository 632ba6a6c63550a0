"""Name the folder that keeps downloaded weights, and look into it."""

import os
from typing import Optional

UNFINISHED = ('.part', '.lock', '.json', '.hub')


def weights_folder(cache_dir: Optional[str] = None) -> str:
    """Return the folder that keeps downloads.

    Args:
        cache_dir (str, optional): Its parent. Defaults to None:
            ``$MMVIDADAPT_HOME``, else ``~/.cache/mmvidadapt``.

    Returns:
        str: An absolute path.
    """
    home = cache_dir or os.environ.get('MMVIDADAPT_HOME')
    home = os.path.expanduser(home or '~/.cache/mmvidadapt')
    return os.path.abspath(os.path.join(home, 'weights'))


def kept_as(name: str) -> str:
    """Return the file name of weights that have a name, without its end."""
    return name.replace('/', '_')


def find_kept(name: str) -> Optional[str]:
    """Find the file of weights that have a name, whatever its end.

    Args:
        name (str): Name of the weights, ``'openai/ViT-B-16'``.

    Returns:
        str, optional: Its path, if it has been downloaded whole.
    """
    folder, stem = weights_folder(), kept_as(name)
    files = os.listdir(folder) if os.path.isdir(folder) else ()
    for file in sorted(files):
        start, end = os.path.splitext(file)
        if start == stem and end not in UNFINISHED:
            return os.path.join(folder, file)
    return None
