"""Find configs by name, and flatten them."""

import difflib
from pathlib import Path
from typing import Dict, List, Optional, Union

from mmengine.config import Config

import mmvidadapt
from mmvidadapt.engine.plain_config import plain_config

SCOPE = 'mmvidadapt::'


def config_root() -> Path:
    """Return the folder of the configs: the checkout's, or the package's."""
    package = Path(mmvidadapt.__file__).resolve().parent
    folders = [package / '.mim']
    if (package.parent / 'setup.py').is_file():  # else others' `configs`
        folders.insert(0, package.parent)
    for folder in folders:
        if (folder / 'configs' / '_base_').is_dir():
            return folder / 'configs'
    raise FileNotFoundError(
        'There are no configs in '
        f'{" or ".join(map(str, folders))}. Install mmvidadapt again, or '
        'give a path.'
    )


def list_configs() -> List[str]:
    """Return the short names of all configs, such as ``aim/vitb16_k400``."""
    root = config_root()
    names = [p.relative_to(root) for p in root.rglob('*.py')]
    return sorted(
        n.with_suffix('').as_posix() for n in names if n.parts[0] != '_base_'
    )


def find_config(name: Union[str, Path]) -> Path:
    """Find a config by path or name.

    Args:
        name (str | Path): A path, ``aim/vitb16_k400``, with or without
            ``.py``, or ``mmvidadapt::aim/vitb16_k400.py``.

    Returns:
        Path: The file.
    """
    path = Path(name)
    if path.is_file():
        return path
    short = str(name)
    short = short[len(SCOPE) :] if short.startswith(SCOPE) else short
    short = short[: -len('.py')] if short.endswith('.py') else short
    names = list_configs()
    if short in names:
        return config_root() / f'{short}.py'
    close = difflib.get_close_matches(short, names, n=5, cutoff=0.5)
    raise ValueError(
        f"There is no config '{name}': it is no file, and no name that "
        '`python -m mmvidadapt config --list` prints.'
        + (f' Did you mean {" or ".join(close)}?' if close else '')
    )


def load_config(
    name: Union[str, Path], options: Optional[Dict] = None
) -> Config:
    """Read a config and override some of its entries.

    Classes, which pure Python configs hold, become their names.

    Args:
        name (str | Path): What :func:`find_config` understands.
        options (Dict, optional): Dotted names and values, as
            ``--cfg-options`` gives them. Defaults to None.

    Returns:
        Config: The config.
    """
    config = plain_config(Config.fromfile(find_config(name)))
    if options:
        config.merge_from_dict(options)
    return config


def flatten(name: Union[str, Path], options: Optional[Dict] = None) -> str:
    """Return a config as the text of one file that inherits nothing.

    It runs wherever mmvidadapt can be imported, also under the tools of a
    stock mmaction2: ``custom_imports`` is all that it needs.

    Args:
        name (str | Path): What :func:`find_config` understands.
        options (Dict, optional): Overrides, see :func:`load_config`.
            Defaults to None.

    Returns:
        str: Python source.
    """
    config = load_config(name, options)
    head = f'# {name}, flattened by mmvidadapt {mmvidadapt.__version__}'
    if options:
        head += ' with ' + ', '.join(f'{k}={v}' for k, v in options.items())
    return f'{head}\n{config.pretty_text}'
