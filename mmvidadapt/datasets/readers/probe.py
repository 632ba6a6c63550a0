"""Look at a video with PyAV before another library opens it."""

from typing import BinaryIO, Union

from mmvidadapt.utils.video import UnreadableError

from .orientation import orientation
from .pyav import PyAVReader


class Probe:
    """Facts about a video on which other libraries may differ from players.

    Args:
        file (str | BinaryIO): Path, or the content.
        library (str): Which one will open it.

    Raises:
        UnreadableError: If PyAV refuses the file, or if it is mirrored or
            trimmed by an edit list, which the others do not see.
    """

    def __init__(self, file: Union[str, BinaryIO], library: str) -> None:
        self.library, reader = library, PyAVReader(file)
        self.count, self.stream = len(reader), reader.stream.index
        self.num_videos = len(reader.stream.container.streams.video)
        if self.count < len(reader.packets):
            self.refuse('an edit list trims it')
        first = next(reader.decode(range(self.count)), None)
        if first is None:
            raise UnreadableError('no frame can be decoded.')
        swap, left_right, up_down = orientation(first)
        if (left_right == up_down) == swap:
            self.refuse('it is mirrored')
        if not isinstance(file, str):
            file.seek(0)

    def check_count(self, count: int) -> None:
        """Reject a video of which another library shows other frames.

        Args:
            count (int): The frames that it finds.
        """
        if count != self.count:
            self.refuse(f'it shows {self.count} frames, not {count}')

    def refuse(self, reason: str) -> None:
        """Raise, and say which reader reads the video."""
        raise UnreadableError(
            f'{self.library} does not read it as players do ({reason}); '
            "choose backend='auto'."
        )
