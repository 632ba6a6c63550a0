"""Call a function on many files, in processes that may crash or hang.

Ours, since ``pebble.ProcessPool`` (5.2) hangs for good when a worker dies
while it answers: its workers share one pipe and one lock.
"""

import multiprocessing
import os
import signal
import sys
import time
import traceback
from itertools import islice
from multiprocessing.connection import Connection, wait
from typing import (
    Any,
    Callable,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
)

from mmengine.utils import ProgressBar

from .video import unreadable

POLL = 1.0  # seconds between two looks at who is overdue or orphaned


# What no item can cause: the function is wrong, for every item.
MISTAKES = (TypeError, AttributeError, NameError, ImportError, AssertionError)


class Outcome(NamedTuple):
    """Result of one item, or the reason why there is none."""

    item: Any
    result: Any = None
    error: Optional[str] = None


def map_in_processes(
    function: Callable[[Any], Any],
    items: List[Any],
    num_workers: Optional[int] = None,
    timeout: float = 600.0,
) -> Iterator[Outcome]:
    """Call a function on every item; nothing that it does ends the loop.

    A process that dies (decoders do, on damaged files) or takes too long
    costs its own item only, and is replaced.

    Args:
        function (Callable[[Any], Any]): Called in a forked process.
        items (List[Any]): What it is called with, one by one.
        num_workers (int, optional): Processes. Defaults to None: all cores.
        timeout (float): Seconds that an item may take. Defaults to 600.0.

    Yields:
        Outcome: One per item, in the order in which they are ready.

    Raises:
        TypeError: And its like, where the function itself is wrong.
    """
    num_workers = num_cores() if num_workers is None else num_workers
    if num_workers < 1:
        raise ValueError(f'num_workers={num_workers}: give 1 or more.')
    queue, busy = iter(items), []
    try:
        for item in islice(queue, num_workers):
            busy.append(_Worker(function))
            busy[-1].start(item)
        while busy:
            for worker in _wait_for(busy, timeout):
                yield worker.outcome(timeout)
                try:
                    worker.start(next(queue))
                except StopIteration:
                    worker.stop()
                    busy.remove(worker)
    finally:
        for worker in busy:
            worker.stop()


def _wait_for(workers: List['_Worker'], timeout: float) -> List['_Worker']:
    """Wait a moment; list workers that answered, died or take too long."""
    ready = wait([worker.pipe for worker in workers], timeout=POLL)
    return [w for w in workers if w.pipe in ready or w.overdue(timeout)]


def show_progress(
    outcomes: Iterable[Outcome], total: int
) -> Iterator[Outcome]:
    """Pass outcomes on and draw a progress bar."""
    if total:
        bar, step = ProgressBar(total, file=sys.stderr), max(1, total // 100)
        for number, outcome in enumerate(outcomes, start=1):
            yield outcome
            if number % step == 0 or number == total:
                bar.update(number - bar.completed)
        print(file=sys.stderr)


def num_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0))


class _Worker:
    """A process with one item at a time."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function, self.process = function, None

    def start(self, item: Any) -> None:
        """Send the process an item; start a process where there is none."""
        if self.process is None:
            context = multiprocessing.get_context('fork')
            self.pipe, end = context.Pipe()
            self.process = context.Process(
                target=_serve,
                args=(self.function, end, os.getpid()),
                daemon=True,
            )
            self.process.start()
            end.close()  # or the death of the process would go unseen
        self.item, self.since = item, time.monotonic()
        self.pipe.send(item)

    def overdue(self, timeout: float) -> bool:
        """Check whether the item takes too long."""
        return time.monotonic() - self.since > timeout

    def outcome(self, timeout: float) -> Outcome:
        """Collect what came of the item."""
        if not self.pipe.poll():
            self.stop()
            return Outcome(self.item, error=f'it took over {timeout:g} s.')
        try:
            result, error = self.pipe.recv()
            if isinstance(error, BaseException):
                raise error
            return Outcome(self.item, result, error)
        except (EOFError, OSError):  # the second in the middle of an answer
            self.process.join()
            reason = f'the process that read it {death(self.process)}.'
            self.stop()
            return Outcome(self.item, error=reason)

    def stop(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.pipe.close()
            self.process = None


def death(process: multiprocessing.Process) -> str:
    """Describe how a process ended, by signal or status."""
    code = process.exitcode
    if code is not None and code < 0:
        return f'died of {signal.Signals(-code).name}'
    return f'ended with status {code}'


def _serve(
    function: Callable[[Any], Any], pipe: Connection, parent: int
) -> None:
    """Answer one item after the other until the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    while True:
        while not pipe.poll(POLL):
            if os.getppid() != parent:
                return
        try:
            item = pipe.recv()
        except EOFError:
            return
        try:
            answer = (function(item), None)
        except MISTAKES as error:
            where = traceback.format_exc()
            said = f'{item}: {error}\nIn a worker:\n{where}'
            answer = (None, type(error)(said))
        except Exception as error:
            said = str(error).strip()
            if not said or not isinstance(error, (ValueError, *unreadable())):
                said = f'{type(error).__name__}: {said}'  # of no bad item
            answer = (None, said)
        pipe.send(answer)
