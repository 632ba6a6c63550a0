"""The ffmpeg of the system, where there is one."""

import os
import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Dict, List, Tuple

from mmvidadapt.datasets.readers.open_container import find_stream
from mmvidadapt.utils.video import CONTAINERS

from .decode_frames import opened

TIMEOUT = 3600.0  # seconds


def _command(program: str, source: Path, size: Tuple[int, int]) -> List[str]:
    """Return the arguments that do not depend on the encoder's options."""
    with opened(source) as container:
        stream = find_stream(container).index
    command = [program, '-nostdin', '-v', 'error', '-y']
    command += ['-format_whitelist', ','.join(CONTAINERS)]
    command += ['-protocol_whitelist', 'file']
    command += ['-i', f'file:{os.path.abspath(source)}']
    command += ['-map', f'0:{stream}', '-an', '-sn', '-dn', '-threads', '1']
    command += ['-vf', f'scale={size[0]}:{size[1]}:flags=bicubic:out_range=tv']
    command += ['-pix_fmt', 'yuv420p', '-c:v', 'libx264']
    return command + every_frame(program) + ['-f', 'mp4']


def encode(
    source: Path, part: Path, size: Tuple[int, int], options: Dict[str, str]
) -> None:
    """Write every frame of a video again with x264.

    Args:
        source (Path): The video.
        part (Path): The file to write.
        size (Tuple[int, int]): Width and height.
        options (Dict[str, str]): What x264 is told.

    Raises:
        ValueError: If ffmpeg fails.
    """
    program = shutil.which('ffmpeg')
    if program is None:
        raise ValueError('There is no ffmpeg here; choose --encoder pyav.')
    command = _command(program, source, size)
    for key, value in options.items():
        command += [f'-{key}', value]
    done = subprocess.run(
        [*command, os.path.abspath(part)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=TIMEOUT,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode(errors='replace').strip().splitlines()
        raise ValueError(
            f'ffmpeg ended with {done.returncode}: {" ".join(said[-1:])}'
        )


@lru_cache
def every_frame(program: str) -> List[str]:
    """Return the option that neither drops nor repeats frames.

    It changed its name in version 5.1, and the old one was removed.
    """
    done = subprocess.run(
        [program, '-version'], capture_output=True, timeout=60, check=False
    )
    match = re.search(rb'version n?(\d+)\.(\d+)', done.stdout)
    old = match is not None and tuple(map(int, match.groups())) < (5, 1)
    return ['-vsync', 'passthrough'] if old else ['-fps_mode', 'passthrough']
