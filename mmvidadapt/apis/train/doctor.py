"""Look at the installation and say what is wrong, with the way out."""

import os
import platform
import tempfile
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Callable, Dict, List, Tuple

import numpy as np
import torch
from packaging.requirements import Requirement
from packaging.version import Version

from mmvidadapt import __version__
from mmvidadapt.datasets.readers import open_video
from mmvidadapt.utils.compat import REPORT
from mmvidadapt.utils.video import write_video
from mmvidadapt.weights.fetch import sources

from .config import list_configs

# Package -> distributions that provide it, the usual one first.
PACKAGES = {
    'torch': ('torch',),
    'torchvision': ('torchvision',),
    'numpy': ('numpy',),
    'opencv': (
        'opencv-python',
        'opencv-contrib-python',
        'opencv-python-headless',
        'opencv-contrib-python-headless',
    ),
    'mmengine': ('mmengine', 'onedl-mmengine'),
    'mmcv': ('mmcv-lite', 'mmcv', 'onedl-mmcv'),
    'mmaction2': ('mmaction2',),
    'mmpretrain': ('mmpretrain', 'onedl-mmpretrain'),
    'decord': ('decord', 'decord2', 'eva-decord'),
    'av': ('av',),
}
# Package -> what serves where it has no wheels.
OPTIONAL = {'decord': 'PyAV reads videos'}
# Package -> name of the backend.
DECODERS = {'av': 'pyav', 'decord': 'decord'}
# What registers everything, and so imports mmaction2 and mmpretrain.
EVERYTHING = 'mmvidadapt.utils.register_all'
FRAMES, SIDE = 4, 64
COMPLETE = 0.95  # of a published size, which is known roughly
Findings = Tuple[List[str], List[str]]


def examine() -> Tuple[str, List[str]]:
    """Examine everything.

    Returns:
        Tuple[str, List[str]]: The report, and the problems in it.
    """
    checks: Dict[str, Callable[[], Findings]] = {
        'versions': versions,
        'bounds': bounds,
        'imports': imports,
        'healed': healed,
        'decoder': decoder,
        'devices': devices,
        'weights': weights,
        'configs': configs,
    }
    lines, problems = [], []
    for title, check in checks.items():
        found, wrong = check()
        lines += [title] + [f'  {line}' for line in found]
        problems += wrong
    lines.append('problems' if problems else 'No problem found.')
    return '\n'.join(lines + [f'  {p}' for p in problems]), problems


def versions() -> Findings:
    """Print the versions of everything that matters."""
    lines = [
        f'python {platform.python_version()}',
        f'mmvidadapt {__version__}',
    ]
    problems = []
    for package, distributions in PACKAGES.items():
        found = installed(distributions)
        lines += [f'{package} {v} ({name})' for name, v in found.items()]
        if not found and package in OPTIONAL:
            lines.append(f'{package} is not installed: {OPTIONAL[package]}')
        elif not found:
            lines.append(f'{package} is missing')
            problems.append(
                f'{package} is not installed: pip install -r '
                'requirements/tested.txt'
            )
        elif len(set(found.values())) > 1:
            problems.append(doubled(package, found))
    return lines, problems


def doubled(package: str, found: Dict[str, str]) -> str:
    """Explain how to keep one of several distributions of the same files."""
    oldest = min(found.values(), key=Version)
    said = ', '.join(f'{v} ({name})' for name, v in found.items())
    same = ' '.join(f'{name}=={oldest}' for name in found)
    return (
        f'{package} is installed {len(found)} times ({said}), and they '
        'overwrite one another: keep one version, pip install '
        f'--force-reinstall --no-deps {same}'
    )


def bounds() -> Findings:
    """Compare what is installed with what ``setup.py`` asks for."""
    try:
        asked = map(Requirement, requires('mmvidadapt') or ())
    except PackageNotFoundError:
        return ['not compared: mmvidadapt is not installed by pip'], []
    lines, problems = [], []
    for wanted in asked:
        if wanted.marker and not wanted.marker.evaluate({'extra': ''}):
            continue
        for name, found in installed((wanted.name,)).items():
            if not wanted.specifier.contains(found, prereleases=True):
                lines.append(f'{name} {found} is not {wanted.specifier}')
                problems.append(
                    f'{name} {found} is installed, but mmvidadapt needs '
                    f'{wanted.specifier}: pip install '
                    f"'{name}{wanted.specifier}'"
                )
    return lines or ['all kept'], problems


def installed(distributions: Tuple[str, ...]) -> Dict[str, str]:
    """Return the versions of those that are installed, by name."""
    found = {}
    for name in distributions:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def imports() -> Findings:
    """Import what trains and tests: the host, its models, and ours."""
    try:
        import_module(EVERYTHING)
    except Exception as error:  # whatever it is, the report must go on
        return ['mmaction2 and mmvidadapt do not import'], [
            f'mmaction2 and mmvidadapt do not import: {error!r}. Try: pip '
            'install -r requirements/tested.txt'
        ]
    return ['mmaction2 and mmvidadapt import'], []


def healed() -> Findings:
    """Print what ``utils/compat.py`` did."""
    return [f'{remedy}: {what}' for remedy, what in REPORT.items()], []


def decoder() -> Findings:
    """Write a tiny video, decode it as the data sets do, and compare."""
    lines, problems = [], []
    for package, backend in DECODERS.items():
        if package in OPTIONAL and find_spec(package) is None:
            continue
        line, wrong = try_decoder(package, backend)
        lines.append(line)
        problems += wrong
    return lines, problems


def try_decoder(package: str, backend: str) -> Tuple[str, List[str]]:
    """Read with one decoder what was written."""
    gray = np.linspace(40, 200, FRAMES).astype(np.uint8)
    video = np.broadcast_to(
        gray[:, None, None, None], (FRAMES, SIDE, SIDE, 3)
    )  # (T, H, W, 3)
    way_out = f'pip install --force-reinstall {package} opencv-python'
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder, 'tiny.mp4'))
            write_video(path, video, fps=8)
            reader = open_video(path, backend)
            decoded = np.stack(reader.get_frames(np.arange(len(reader))))
    except Exception as error:  # whatever it is, the report must go on
        return f'{package} failed', [
            f'{package} cannot read what was written: {error!r}. Try: '
            f'{way_out}'
        ]
    close = decoded.shape == video.shape and np.allclose(
        decoded.astype(int), video, atol=8
    )
    return f'{package} reads {len(decoded)} of {FRAMES} frames', [
        f'{package} returns other frames than were written: {way_out}'
    ] * (not close)


def devices() -> Findings:
    """Print the GPUs, or the number of CPU cores."""
    cores = f'{os.cpu_count()} CPU cores, {torch.get_num_threads()} threads'
    if not torch.cuda.is_available():
        return [cores, 'no GPU: everything runs on the CPU'], []
    return [cores] + [
        f'GPU {i}: {torch.cuda.get_device_name(i)}, '
        f'{torch.cuda.get_device_properties(i).total_memory / 2**30:.0f} GiB'
        for i in range(torch.cuda.device_count())
    ], []


def weights() -> Findings:
    """Print where pretrained weights lie and which are there."""
    lines, problems = [], []
    for alias, source in sources.SOURCES.items():
        path = Path(sources._target(alias, None))
        if source.hub and not path.is_file():
            continue  # too many; `python -m mmvidadapt trunks` lists them
        lines.append(f'{alias}: {path if path.is_file() else "not here"}')
        size = (source.size or 0) * COMPLETE * 2**20
        if path.is_file() and path.stat().st_size < size:
            problems.append(
                f'{path} has {path.stat().st_size / 2**20:.0f} of about '
                f'{source.size} MiB: delete it and start again.'
            )
    home = f'folder: {path.parent} (set MMVIDADAPT_HOME to move it)'
    return [home] + lines, problems


def configs() -> Findings:
    """Print how many configs were found."""
    try:
        names = list_configs()
    except FileNotFoundError as error:
        return ['none'], [str(error)]
    return [f'{len(names)}, such as {names[0]}'] if names else ['none'], []
