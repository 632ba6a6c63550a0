"""Find configs by name, and flatten them."""

import difflib
import textwrap
from pathlib import Path
from typing import Dict, Iterable, List, Optional, Sequence, Union

from mmengine.config import Config

import mmvidadapt
from mmvidadapt.engine.plain_config import plain_config
from mmvidadapt.trunks.follow_trunk import follow_trunk
from mmvidadapt.utils.printable import printable
from mmvidadapt.utils.whole_file import whole_file

from .config_variables import SCRATCH, merge_options, print_config
from .image_size import change_trunk, check_crops

# What mmengine and Python raise at a text that is no config.
UNREADABLE = (AttributeError, LookupError, NameError, RuntimeError)
UNREADABLE += (SyntaxError, TypeError, ValueError)
SCOPE = 'mmvidadapt::'
COLUMNS = 79  # of a line
RECIPE = '_k400'  # ends the names of what own data sets start from


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


def find_recipe(method: str, arch: str) -> str:
    """Find the Kinetics-400 config of a method and an architecture.

    Args:
        method (str): A folder of configs, or the start of a config's name,
            such as ``'vpt'`` of ``petl/vpt_vitb16_k400``.
        arch (str): What its name says of the architecture, and of the
            frames where they are not the usual ones: ``'vitb16_16f'``.

    Returns:
        str: The name of the config.
    """
    methods: Dict[str, Dict[str, str]] = {}
    for name in list_configs():
        folder, _, stem = name.partition('/')
        if stem.endswith(RECIPE) and not stem.startswith('pretrain_'):
            stem = stem[: -len(RECIPE)]
            methods.setdefault(folder, {})[stem] = name
            first, _, rest = stem.rpartition('_vit')
            if first:  # the folder holds several methods
                methods.setdefault(first, {})[f'vit{rest}'] = name
    if method not in methods:
        raise ValueError(
            f"--method '{method}' has no config for Kinetics-400; choose "
            f'from {", ".join(sorted(methods))}.'
        )
    if arch not in methods[method]:
        raise ValueError(
            f"--arch '{arch}': {method} has "
            f'{", ".join(sorted(methods[method]))}.'
        )
    return methods[method][arch]


def load_config(
    name: Union[str, Path],
    options: Optional[Dict] = None,
    trunk: Optional[str] = None,
) -> Config:
    """Read a config and override some of its entries.

    Classes, which pure Python configs hold, become their names, and what
    follows from a trunk is filled in.

    Args:
        name (str | Path): What :func:`find_config` understands.
        options (Dict, optional): Dotted names and values, as
            ``--cfg-options`` gives them; see
            :func:`merge_options`. Defaults to None.
        trunk (str, optional): The trunk to take in place of the config's,
            see :func:`~.image_size.change_trunk`. Defaults to None.

    Returns:
        Config: The config.
    """
    config = plain_config(Config.fromfile(find_config(name)))
    if trunk is not None:
        change_trunk(config, trunk)
    config = merge_options(config, options) if options else config
    follow_trunk(config.get('model'))
    return config


def flatten(
    name: Union[str, Path],
    options: Optional[Dict] = None,
    trunk: Optional[str] = None,
) -> str:
    """Return a config as the text of one file that inherits nothing.

    It runs wherever mmvidadapt can be imported, also under the tools of a
    stock mmaction2: ``custom_imports`` is all that it needs. What several
    entries have in common stands at the top, once, to be changed there.

    Args:
        name (str | Path): What :func:`find_config` understands.
        options (Dict, optional): Overrides, see :func:`load_config`.
            Defaults to None.
        trunk (str, optional): Another trunk, see :func:`load_config`.
            Defaults to None.

    Returns:
        str: Python source.
    """
    config = load_config(name, options, trunk)
    check_crops(config)
    head = f'# {name}, flattened by mmvidadapt {mmvidadapt.__version__}'
    if trunk is not None:
        head += f' on {trunk}'
    if options:
        head += ' with ' + ', '.join(f'{k}={v}' for k, v in options.items())
    return config_text(config, head)


def config_text(config: Config, head: Union[str, Sequence[str]] = '') -> str:
    """Write a config as text, and read it to see that it is the same.

    Args:
        config (Config): The config.
        head (str | Sequence[str]): A comment for the first line, or comments
            for the first lines. Defaults to ''.

    Returns:
        str: Python source that inherits nothing.

    Raises:
        ValueError: If it would be read as another config, with the entry.
    """
    config = plain_config(config)
    lines = [head] if isinstance(head, str) else head
    lines = [line.replace('\r', ' ').replace('\n', ' ') for line in lines]
    ours = config_root() in Path(config.filename or '').resolve().parents
    without = SCRATCH if ours else ()
    comment = ''.join(f'{line}\n' for line in lines if line)
    text = comment + print_config(config, without)
    try:
        again = Config.fromstring(text, '.py')
    except UNREADABLE as error:
        raise ValueError(
            f'The config cannot be read once it is written: {error!r}.'
        ) from error
    wanted, found = config.to_dict(), again.to_dict()
    wrong = [
        key
        for key in wanted
        if found.get(key) != wanted[key]
        and (key in found or key not in without)
    ]
    if wrong:
        raise ValueError(
            f'The entry {wrong[0]} of the config is another one once it is '
            'written and read: mmengine fills in what stands between {{ and '
            '}}, and infinite numbers have no name. Choose other names.'
        )
    return text


def write_config(
    config: Config,
    path: Union[str, Path],
    head: Union[str, Sequence[str]] = '',
) -> None:
    """Write a config as one file, whole or not at all.

    Args:
        config (Config): The config.
        path (str | Path): The file; its folder is made.
        head (str | Sequence[str]): A comment for the first line, or comments
            for the first lines. Defaults to ''.

    Raises:
        ValueError: See :func:`config_text`.
    """
    text = config_text(config, head)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as part:
        part.write_text(text, encoding='utf-8')


def comment_lines(texts: Iterable[str]) -> List[str]:
    """Wrap texts into the lines of a comment, a dash before each text.

    Args:
        texts (Iterable[str]): Such as reasons for what a config says.

    Returns:
        List[str]: Lines that begin with ``#``.
    """
    return [
        line
        for text in texts
        for line in textwrap.wrap(
            printable(text),
            COLUMNS,
            initial_indent='# - ',
            subsequent_indent='#   ',
            break_on_hyphens=False,
            break_long_words=False,
        )
    ]
