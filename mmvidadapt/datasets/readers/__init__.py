"""Decoders behind one name: ``reader = open_video(path)``.

A reader has ``len(reader)``, ``reader.get_avg_fps()`` and
``reader.get_frames(indices)``.
"""

from importlib import import_module
from typing import BinaryIO, Dict, Iterator, Sequence, Tuple, Union

import numpy as np

BLOCK = 16  # frames at a time where a reader gives no single ones
# Name -> library, module and class.
BACKENDS: Dict[str, Tuple[str, str, str]] = {
    'pyav': ('av', '.pyav', 'PyAVReader'),
    'decord': ('decord', '.decord', 'DecordReader'),
    'torchcodec': (
        'torchcodec.decoders',
        '.torchcodec',
        'TorchCodecReader',
    ),
}
AUTO = 'pyav'  # reads all that players show, and looks at it for the others


def find_reader(backend: str = 'auto') -> type:
    """Find the class that reads videos.

    Args:
        backend (str): ``'auto'``, which is ``'pyav'``, or ``'decord'`` or
            ``'torchcodec'``. Defaults to ``'auto'``.

    Returns:
        type: The class.

    Raises:
        ImportError: If its library does not work here.
    """
    if backend != 'auto' and backend not in BACKENDS:
        raise ValueError(
            f"backend='{backend}': choose from {['auto', *BACKENDS]}."
        )
    name = AUTO if backend == 'auto' else backend
    library, module, reader = BACKENDS[name]
    try:
        import_module(library)
    except (ImportError, OSError, RuntimeError) as error:
        raise ImportError(
            f'No video can be read with {name}: '
            f'{str(error).splitlines()[0]}. Try: pip install '
            f'{library.split(".")[0]}'
        ) from error
    return getattr(import_module(module, __name__), reader)


def open_video(
    file: Union[str, BinaryIO], backend: str = 'auto', num_threads: int = 1
) -> object:
    """Open a video for reading frames by their number.

    Args:
        file (str | BinaryIO): Path, or the content.
        backend (str): See :func:`find_reader`. Defaults to ``'auto'``.
        num_threads (int): Threads that decode. Defaults to 1.

    Returns:
        object: The reader.
    """
    return find_reader(backend)(file, num_threads)


def iter_frames(
    reader: object, indices: Sequence[int]
) -> Iterator[Tuple[int, np.ndarray]]:
    """Decode frames in the order of the video, each once.

    Args:
        reader (object): Of :func:`open_video`.
        indices (Sequence[int]): Numbers of the frames, in any order.

    Yields:
        Tuple[int, np.ndarray]: The number of a frame, and the frame, RGB
        (H, W, 3).
    """
    numbers = sorted({int(i) for i in indices})
    if hasattr(reader, 'iter_frames'):
        yield from reader.iter_frames(numbers)
        return
    for start in range(0, len(numbers), BLOCK):
        block = numbers[start : start + BLOCK]
        yield from zip(block, reader.get_frames(block))
