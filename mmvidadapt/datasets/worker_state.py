"""Shared memory of data loading workers: unreadable videos, current reads."""

import os
from contextlib import contextmanager
from typing import Iterator, List, Optional

import torch
from torch.utils.data import get_worker_info

SLOTS = 512  # workers at a time
PID, INDEX = 0, 1


class WorkerState:
    """Unreadable videos, and what every worker reads right now.

    It lies in shared memory, so that what one worker writes is seen by all,
    by the main process, and after the worker's death.

    Args:
        size (int): Videos of the data set.
    """

    def __init__(self, size: int) -> None:
        self.bad = torch.zeros(size, dtype=torch.uint8).share_memory_()
        self.slots = torch.full((SLOTS, 2), -1).share_memory_()

    def add(self, index: int) -> bool:
        """Note that a video is unreadable; return whether that is new."""
        new = not self.bad[index]
        self.bad[index] = 1
        return new

    def count(self) -> int:
        """Count the unreadable videos that were met so far."""
        return int(self.bad.count_nonzero())

    def listed(self, most: int) -> List[int]:
        """Return the first of the unreadable videos."""
        return self.bad.nonzero().flatten()[:most].tolist()

    @contextmanager
    def reading(self, index: int) -> Iterator[None]:
        """Note which video this worker reads inside the context."""
        info = get_worker_info()
        if info is None:
            yield
            return
        slot = self.slots[info.id % SLOTS]
        slot[PID], slot[INDEX] = os.getpid(), index
        try:
            yield
        finally:
            slot[INDEX] = -1

    def last_read(self, pid: int) -> Optional[int]:
        """Return the video that a dead worker was reading, if any."""
        for owner, index in self.slots.tolist():
            if owner == pid and index >= 0:
                return index
        return None
