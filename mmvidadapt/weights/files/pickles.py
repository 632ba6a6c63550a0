"""Reject pickle bombs: follow the steps of a pickle, making nothing.

Few bytes can ask an unpickler for work without end: tuples that hold one
another twice over, dicts whose keys all fall into one place, tensors that are
one number spread over gigabytes. Here the steps are counted and what they
would make is followed, so such a file is refused after a second at most.
"""

import pickletools
from typing import IO, Any, Callable, Dict, List, Optional

from .archives import FACTOR, SPARE
from .pickle_steps import CONSTANTS, EMPTY, NUMBERS, OTHERS, TEXTS, TUPLES
from .pickled_objects import (
    DEEPEST,
    MADE,
    Cell,
    Storage,
    check_call,
    refusal,
    storage_of,
    tensor_bytes,
    text_cell,
)

MOST_STEPS = 300_000  # one takes two microseconds; an epoch.pth has 30,000
STEPS_PER_BYTE = 1e-3  # more of them, in a file that has large tensors
MOST_CALLS = 100_000  # of functions and classes, which take longer
MOST_ODD_KEYS = 1_000  # keys whose hashes a file can make collide
LONGEST_NUMBER = 16  # bytes; legacy files start with one of ten
LARGEST_KEY = 1 << 64


def check_pickle(file: IO[bytes], size: int) -> List[Storage]:
    """Refuse a pickle that would take an unpickler for ever.

    Args:
        file (IO[bytes]): At the start of a pickle; it is read to its end.
        size (int): Bytes of the whole file of weights.

    Returns:
        List[Storage]: The storages that it asks for.

    Raises:
        pickle.UnpicklingError: If it asks for too much, or for strange steps.
    """
    look = _Look(MOST_STEPS + int(size * STEPS_PER_BYTE))
    content, most = look.through(file), FACTOR * size + SPARE
    if content.nbytes > most:
        raise refusal(
            f'make {content.nbytes:,} bytes of tensors from a file of '
            f'{size:,}, more than {most:,}'
        )
    return look.storages


class _Look:
    """The stack of an unpickler, with cells in the place of objects."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.stack: List[Cell] = []
        self.marks: List[List[Cell]] = []
        self.memo: Dict[int, Cell] = {}
        self.storages: List[Storage] = []
        self.calls = self.odd = 0

    def through(self, file: IO[bytes]) -> Cell:
        """Follow every step; give what would be made."""
        steps: Dict[str, Callable[[Any], None]] = {
            **dict.fromkeys(TEXTS, self.text),
            **dict.fromkeys(NUMBERS, self.number),
            **dict.fromkeys(CONSTANTS, self.constant),
            **dict.fromkeys(EMPTY, self.empty),
            **dict.fromkeys(('BINPUT', 'LONG_BINPUT', 'MEMOIZE'), self.put),
            **dict.fromkeys(('BINGET', 'LONG_BINGET'), self.get),
            **dict.fromkeys(('PROTO', 'FRAME'), lambda arg: None),
            **{name: self.short(count) for name, count in TUPLES.items()},
            **{name: getattr(self, name.lower()) for name in OTHERS},
            'GLOBAL': self.named,
        }
        for number, (code, arg, _) in enumerate(pickletools.genops(file)):
            if number > self.most:
                raise refusal(f'take more than {self.most:,} steps')
            if code.name == 'STOP':
                return self.pop()
            if code.name not in steps:
                raise refusal(f'take the unknown step {code.name}')
            steps[code.name](arg)
        raise EOFError('a pickle without an end')

    def pop(self) -> Cell:
        """Take what lies on top."""
        if not self.stack:
            raise refusal('take from an empty stack')
        return self.stack.pop()

    def since_mark(self) -> List[Cell]:
        """Take all that was put down since the last mark."""
        if not self.marks:
            raise refusal('go back to a mark that it has not made')
        items, self.stack = self.stack, self.marks.pop()
        return items

    def push(self, items: List[Cell]) -> Cell:
        """Put an object down that holds others."""
        cell = Cell()
        cell.take(items)
        self.stack.append(cell)
        return cell

    def into(self, items: List[Cell]) -> Cell:
        """Put objects into what lies on top."""
        target = self.pop()
        target.take(items)
        self.stack.append(target)
        return target

    def keys(self, keys: List[Cell]) -> None:
        """Count the keys that a file can make fall into one place."""
        self.odd += sum(not key.plain for key in keys)
        if self.odd > MOST_ODD_KEYS:
            raise refusal(
                f'make keys of more than {MOST_ODD_KEYS:,} objects that are '
                'neither texts nor numbers'
            )

    def call(self) -> None:
        """Count what is called."""
        self.calls += 1
        if self.calls > MOST_CALLS:
            raise refusal(f'call more than {MOST_CALLS:,} functions')

    def text(self, arg: Any) -> None:
        """Put a text down."""
        self.stack.append(text_cell(arg))

    def number(self, arg: int) -> None:
        """Put a whole number down."""
        if arg.bit_length() > 8 * LONGEST_NUMBER:
            raise refusal(f'make a number of {arg.bit_length():,} bits')
        self.stack.append(Cell(arg, abs(arg) <= LARGEST_KEY))

    def constant(self, arg: Any) -> None:
        """Put None, a truth or a real number down."""
        self.stack.append(Cell(plain=True))

    def empty(self, arg: Any) -> None:
        """Put an empty list, dict, set or tuple down."""
        self.stack.append(Cell())

    def named(self, arg: str) -> None:
        """Put a function or class down by its name."""
        self.stack.append(Cell(arg.replace(' ', '.', 1)))

    def stack_global(self, arg: None) -> None:
        """Put a function or class down whose name lies on top."""
        name, module = self.pop(), self.pop()
        self.named(f'{module.value} {name.value}')

    def put(self, arg: Optional[int]) -> None:
        """Note what lies on top under a number."""
        arg = len(self.memo) if arg is None else arg
        if arg > self.most:  # unpicklers make room for all up to it
            raise refusal(f'note an object under the number {arg:,}')
        self.memo[arg] = self.pop()
        self.stack.append(self.memo[arg])

    def get(self, arg: int) -> None:
        """Put down again what was noted."""
        if arg not in self.memo:
            raise refusal('ask for what it has not noted')
        self.stack.append(self.memo[arg])

    def mark(self, arg: None) -> None:
        """Start anew on top of the stack."""
        self.marks.append(self.stack)
        self.stack = []
        if len(self.marks) > DEEPEST:
            raise refusal(f'nest deeper than {DEEPEST} levels')

    def tuple(self, arg: None) -> None:
        """Make a tuple or list of what lies since the mark."""
        self.push(self.since_mark())

    list = tuple

    def short(self, count: int) -> Callable[[Any], None]:
        """Make a tuple of one to three objects."""

        def make(arg: None) -> None:
            self.push([self.pop() for _ in range(count)][::-1])

        return make

    def dict(self, arg: None) -> None:
        """Make a dict of keys and values."""
        items = self.since_mark()
        self.keys(items[::2])
        self.push(items)

    def append(self, arg: None) -> None:
        """Add an item to a list."""
        self.into([self.pop()])

    def appends(self, arg: None) -> None:
        """Add items to a list."""
        self.into(self.since_mark())

    def setitem(self, arg: None) -> None:
        """Add a key and a value to a dict."""
        value, key = self.pop(), self.pop()
        self.keys([key])
        self.into([key, value])

    def setitems(self, arg: None) -> None:
        """Add keys and values to a dict."""
        items = self.since_mark()
        self.keys(items[::2])
        self.into(items)

    def additems(self, arg: None) -> None:
        """Add items to a set."""
        items = self.since_mark()
        self.keys(items)
        self.into(items)

    def reduce(self, arg: None) -> None:
        """Call a function; what it makes holds what it was called with."""
        args, function = self.pop(), self.pop()
        self.call()
        self.keys(check_call(str(function.value), args))
        made = self.push([args])
        made.value, made.nbytes = MADE, made.nbytes + tensor_bytes(args)

    newobj = reduce

    def build(self, arg: None) -> None:
        """Set the state of an object."""
        self.call()
        state = self.pop()
        self.into([state]).nbytes += tensor_bytes(state)

    def binpersid(self, arg: None) -> None:
        """Put a storage down that lies elsewhere in the file."""
        name = self.pop()
        storage = storage_of(name)
        self.push([name]).value = storage
        if storage is not None:
            self.storages.append(storage)
