"""Open and decode videos with a choice of decoders, in one pass."""

import os.path as osp
from io import BytesIO
from typing import Any, BinaryIO, List, Union

import numpy as np
from mmaction.datasets.transforms import DecordDecode, DecordInit
from mmaction.registry import TRANSFORMS
from mmengine.fileio import get

from mmvidadapt.utils.video import name_video

from ..readers import find_reader
from ..readers.open_container import check_regular


# The second names are those of the first configs, which read through decord.
@TRANSFORMS.register_module(name=['VideoInit', 'NamedDecordInit'])
class VideoInit(DecordInit):
    """Open a video with one of several decoders; errors name its file.

    In the place of ``DecordInit``, with :class:`VideoDecode` in the place of
    ``DecordDecode``. PyAV gives the frames that players show, is faster where
    there are B-frames, and reads what decord cannot, or reads wrongly.

    Args:
        backend (str): ``'auto'``, which is ``'pyav'``, or ``'decord'`` or
            ``'torchcodec'``, which refuse what they would not show as
            players do. Defaults to ``'auto'``.
        io_backend (str): Where videos are, a backend of mmengine's fileio.
            Defaults to ``'disk'``.
        num_threads (int): Threads that decode. Defaults to 1.
        **storage: Passed on to the backend of fileio.
    """

    def __init__(
        self,
        backend: str = 'auto',
        io_backend: str = 'disk',
        num_threads: int = 1,
        **storage: Any,
    ) -> None:
        super().__init__(io_backend, num_threads, **storage)
        self.backend = backend
        self.reader = find_reader(backend)

    def transform(self, results: dict) -> dict:
        """Open the video ``filename``."""
        with name_video(results['filename']):
            return super().transform(results)

    def _get_video_reader(self, filename: str) -> object:
        """Open a file, which is an MP4 where its name does not say."""
        if not osp.splitext(filename)[1]:
            filename += '.mp4'
        return self.reader(self._content(filename), self.num_threads)

    def _content(self, filename: str) -> Union[str, BinaryIO]:
        """Return a path on this machine, or what is stored elsewhere."""
        if self.io_backend in ('disk', 'local'):
            if not osp.exists(filename):
                raise FileNotFoundError(f'There is no video {filename}.')
            check_regular(filename)
        if self.io_backend == 'disk':
            return filename
        storage = dict(backend=self.io_backend, **self.kwargs)
        return BytesIO(get(filename, backend_args=storage))

    def __repr__(self) -> str:
        """Show the settings when printed."""
        return (
            f"{type(self).__name__}(backend='{self.backend}', io_backend="
            f"'{self.io_backend}', num_threads={self.num_threads})"
        )


@TRANSFORMS.register_module(name=['VideoDecode', 'NamedDecordDecode'])
class VideoDecode(DecordDecode):
    """Decode the sampled frames of all clips in one pass, each frame once."""

    def __init__(self) -> None:
        super().__init__()

    def transform(self, results: dict) -> dict:
        """Decode the frames ``frame_inds`` of the video ``filename``."""
        with name_video(results['filename']):
            return super().transform(results)

    def _decord_load_frames(
        self, container: object, frame_inds: np.ndarray
    ) -> List[np.ndarray]:
        """Ask the reader for the frames."""
        return container.get_frames(frame_inds)
