"""Fit a recognizer to own videos: from a folder to a file and a report."""

import re
import shlex
from pathlib import Path
from typing import Callable, Optional, Sequence, Union

from mmvidadapt.utils.printable import say as say_it
from mmvidadapt.utils.process_pool import num_cores

from .final import Fitted
from .fitter import Fitter, Job
from .reader_configs import BASES

UNITS = dict(s=1, m=60, h=3600)


def read_budget(text: Union[str, float]) -> float:
    """Read a time such as ``'90s'``, ``'10m'`` or ``'2h'``, in seconds.

    Raises:
        ValueError: If it is none, or not above zero.
    """
    match = re.fullmatch(r'(\d+(?:\.\d+)?)\s*([smh])', str(text).strip())
    seconds = float(match[1]) * UNITS[match[2]] if match else 0.0
    if seconds <= 0:
        raise ValueError(
            f"--budget '{text}': give seconds, minutes or hours, such as "
            '90s, 10m or 2h.'
        )
    return seconds


def fit(
    videos: Union[str, Path],
    out: Union[str, Path],
    group_pattern: Optional[str] = None,
    group_columns: Sequence[str] = (),
    trunk: Optional[str] = None,
    methods: Sequence[str] = tuple(BASES),
    budget: str = '10m',
    num_folds: int = 5,
    test_share: float = 0.2,
    download: bool = True,
    processes: Optional[int] = None,
    seed: int = 0,
    say: Optional[Callable[..., None]] = None,
) -> Fitted:
    """Fit a recognizer to own videos, and measure how far it can be trusted.

    Everything that is decided is said in a sentence and written down in
    ``out``, where an interrupted run goes on: lists, cached features, scores
    of all folds, ``config.py`` for ``tools/train.py``, the adapter file
    ``model.adapter.safetensors`` and ``report.html``.

    Args:
        videos (str | Path): Folder of class folders, table (``.csv``) with
            the columns file and label, or list of paths and labels.
        out (str | Path): Folder of what is written.
        group_pattern (str, optional): Regular expression: clips in whose
            paths it finds the same are never on two sides of a split.
            Defaults to None: groups are found, and what was found is said.
        group_columns (Sequence[str]): Columns of the table that say the
            same. Defaults to ().
        trunk (str, optional): Name of an image ViT, or ``NAME=FILE``.
            Defaults to None: chosen by what is kept here and by the time.
        methods (Sequence[str]): Readers of the frozen trunk that are
            compared. Defaults to ('EVL', 'AttentiveProbe').
        budget (str): Time for everything, such as ``'10m'``.
            Defaults to '10m'.
        num_folds (int): Folds of the cross-validation. Defaults to 5.
        test_share (float): Part of the clips that is tested once, at the
            end. Defaults to 0.2.
        download (bool): Whether weights may be downloaded. Defaults to True.
        processes (int, optional): Trainings at once. Defaults to None: one a
            core, four at most.
        seed (int): Of everything that is drawn. Defaults to 0.
        say (Callable, optional): What is told the sentences, called as
            ``print`` is. Defaults to None: they are printed.

    Returns:
        Fitted: What was reached, and where the files are.

    Raises:
        ValueError: If the videos cannot be read, divided or told apart.
    """
    unknown = sorted(set(methods) - set(BASES))
    if unknown or not methods:
        raise ValueError(f'methods={methods}: choose from {list(BASES)}.')
    cores = processes or min(4, num_cores())
    given = num_folds, test_share, seed, cores
    job = Job(Path(videos), Path(out), methods, read_budget(budget), *given)
    fitter = Fitter(job, say or say_it)
    fitter.command = command(job, group_pattern, group_columns, trunk, budget)
    fitter.find(group_pattern, group_columns)
    fitter.choose(trunk, download)
    fitter.cache()
    fitter.divide()
    fitter.search()
    return fitter.finish()


def command(
    job: Job,
    pattern: Optional[str],
    columns: Sequence[str],
    trunk: Optional[str],
    budget: str,
) -> str:
    """Return the command line that does the same."""
    words = ['python', 'tools/fit.py', str(job.videos), str(job.out)]
    words += ['--group-pattern', pattern] if pattern else []
    words += ['--group-column', *columns] if columns else []
    words += ['--trunk', trunk] if trunk else []
    words += ['--budget', budget, '--seed', str(job.seed)]
    return shlex.join(words)
