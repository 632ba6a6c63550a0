"""Count what the objects of a pickle would take, before they are made."""

import math
import pickle
from typing import Any, Iterator, List, NamedTuple, Optional, Tuple

DEEPEST = 100  # levels; a whole training state has 12
MOST_NODES = 1_000_000  # of one object, whatever it shares counted anew
MOST_DIMENSIONS = 64  # torch's own limit
# Bytes of a number by the name of its storage.
SIZES = {
    **dict(Half=2, BFloat16=2, Float=4, Double=8, Long=8, Int=4, Short=2),
    **dict(Char=1, Byte=1, Bool=1, ComplexFloat=8, ComplexDouble=16),
}
WIDEST = 8  # bytes of a number in any other storage
# What makes keys of what it is called with: of items, or of pairs' firsts.
SETS = ('builtins.set', '__builtin__.set', 'collections.Counter')
DICTS = ('collections.OrderedDict',)
BYTEARRAY, ENCODE = 'builtins.bytearray', '_codecs.encode'
LATIN = ([], ['latin1'], ['latin-1'])  # how pickles name what takes no work
TYPED = 'torch._tensor._rebuild_from_type_v2'  # calls another function
ITERATING = (*SETS, *DICTS, BYTEARRAY, 'torch.Size')
MADE = object()  # the value of what a call has made
TEXT = (str, bytes)
# Classes that, called with sizes, make room for numbers.
EMPTY = ('Tensor', 'Storage')
# What believes a file about memory that it does not have.
BELIEVING = (
    'torch._utils._rebuild_nested_tensor',
    'torch._utils._rebuild_wrapper_subclass',
)
# NumPy's arrays are made before they are filled: where their shape stands.
ARRAYS = dict(_reconstruct=1, ndarray=0)
SHORT = 64  # signs of a text that nobody need count


class Storage(NamedTuple):
    """The numbers of one or several tensors.

    Args:
        key (str): Name of their entry in the archive.
        numel (int): How many there are.
        itemsize (int, optional): Bytes of each. Defaults to None: unknown.
    """

    key: str
    numel: int
    itemsize: Optional[int] = None

    @property
    def nbytes(self) -> int:
        """Count its bytes, which may be more."""
        return self.numel * (self.itemsize or 1)


class Cell:
    """Value that a pickle would put down: a number, a tuple, a tensor.

    Args:
        value (Any): A text, a whole number, a storage, or the name of a
            function. Defaults to None.
        plain (bool): Whether no file can make many such keys fall into one
            place of a dict. Defaults to False.
    """

    __slots__ = (
        *('depth', 'items', 'nbytes', 'nodes', 'plain', 'used', 'value'),
    )

    def __init__(self, value: Any = None, plain: bool = False) -> None:
        self.value, self.plain = value, plain
        self.depth, self.nodes, self.nbytes, self.used = 0, 1, 0, False
        self.items: Tuple['Cell', ...] = ()

    def take(self, items: List['Cell']) -> None:
        """Put other objects inside."""
        if self.used:
            raise refusal('change what it has used already')
        for item in items:
            item.used = True
            self.nodes += item.nodes
            self.nbytes += item.nbytes
            self.depth = max(self.depth, item.depth + 1)
        self.items += tuple(items)
        if self.depth > DEEPEST:
            raise refusal(f'nest deeper than {DEEPEST} levels')
        if self.nodes > MOST_NODES:
            raise refusal(f'hold more than {MOST_NODES:,} objects')


def text_cell(text: Any) -> Cell:
    """Make the cell of a text, a short one with what it says.

    Args:
        text (Any): A text, or bytes.

    Returns:
        Cell: It counts the bytes of a long one, which calls may copy.
    """
    short = len(text) < SHORT
    cell = Cell(text if short else '', True)
    cell.nbytes = 0 if short else len(text)
    return cell


def refusal(what: str) -> pickle.UnpicklingError:
    """Word what a pickle may not ask for."""
    return pickle.UnpicklingError(f'refusing a pickle that would {what}')


def check_call(name: str, args: Cell) -> List[Cell]:
    """Refuse a call that makes much of few arguments.

    Args:
        name (str): The function or class.
        args (Cell): What it is called with; the bytes of a tensor that a
            call inside it makes are added.

    Returns:
        List[Cell]: What the call makes keys of.

    Raises:
        pickle.UnpicklingError: If it makes more than it is given.
    """
    if name == TYPED and len(args.items) > 2:
        return _check_inner(args)
    given = [item.value for item in args.items]
    inner = [item for arg in args.items for item in arg.items]
    module, _, last = name.rpartition('.')
    if name == BYTEARRAY and not _is_text(args):
        raise refusal('make room that it does not fill')
    if module.startswith('torch') and last.endswith(EMPTY) and given:
        raise refusal(f'call {name} for numbers that it does not bring')
    if name in ITERATING and any(
        item.value is MADE and item.nbytes for item in args.items
    ):
        raise refusal('take a tensor apart, number by number')
    if name == ENCODE and given[1:] not in LATIN:
        raise refusal(f'encode a text as {given[1:]}')
    if name in BELIEVING:
        raise refusal(f'call {name}')
    if module.startswith('numpy'):
        _check_numpy(last, args)
    if name in SETS:
        return inner
    return [pair.items[0] for pair in inner if pair.items and name in DICTS]


def _check_inner(args: Cell) -> List[Cell]:
    """Look at the call that another one makes, and count what it makes."""
    function, inner = args.items[0], args.items[2]
    before = inner.nbytes
    keys = check_call(str(function.value), inner)
    args.nbytes += inner.nbytes - before + tensor_bytes(inner)
    return keys


def _is_text(args: Cell) -> bool:
    """Check whether something is called with nothing, or a text to copy."""
    values = [item.value for item in args.items[1:]]
    texts = [i.plain and isinstance(i.value, TEXT) for i in args.items[:1]]
    return all(texts) and values in LATIN


def _check_numpy(name: str, args: Cell) -> None:
    """Refuse arrays and scalars whose room is taken before it is filled."""
    shapes = args.items[ARRAYS[name] :][:1] if name in ARRAYS else []
    if any(map(numel, shapes)) or (name == 'scalar' and len(args.items) < 2):
        raise refusal('make an array of numbers that it does not bring')


def storage_of(name: Cell) -> Optional[Storage]:
    """Read what a pickle calls a storage by, None for other objects.

    Args:
        name (Cell): A tuple: the word, a class, a key, a place, a number.

    Returns:
        Storage: What it stands for.

    Raises:
        pickle.UnpicklingError: If the name is no tuple of plain values.
    """
    if not all(i.plain or type(i.value) is str for i in name.items):
        raise refusal('name a storage by something else than a text')
    values = [item.value for item in name.items]
    if len(values) < 5 or type(values[4]) is not int:
        return None
    kind = str(values[1]).rpartition('.')[2].removesuffix('Storage')
    return Storage(str(values[2]), values[4], SIZES.get(kind))


def tensor_bytes(args: Cell) -> int:
    """Count the bytes of a tensor that is cut out of a storage.

    Args:
        args (Cell): Storage, offset, size, stride: what all functions that
            do so are given.

    Returns:
        int: Its bytes, 0 for other arguments.
    """
    if len(args.items) < 4 or type(args.items[0].value) is not Storage:
        return 0
    itemsize = args.items[0].value.itemsize or WIDEST
    return itemsize * numel(args.items[2])


def numel(shape: Cell) -> int:
    """Multiply the sizes of a shape.

    Args:
        shape (Cell): A tuple, or what is made from one.

    Returns:
        int: How many numbers a tensor of this shape has.

    Raises:
        pickle.UnpicklingError: If it has very many dimensions, or holds
            anything but whole numbers.
    """
    if type(shape.value) is int:
        return abs(shape.value)
    sizes = [size for item in shape.items for size in _leaves(item)]
    if len(sizes) > MOST_DIMENSIONS:
        raise refusal(f'make a tensor of {len(sizes):,} dimensions')
    if any(type(size) is not int for size in sizes):
        raise refusal('make a tensor whose shape is no tuple of numbers')
    return abs(math.prod(sizes))


def _leaves(cell: Cell) -> Iterator[Any]:
    """Yield the values in an object that hold no others."""
    if not cell.items:
        yield cell.value
    for item in cell.items:
        yield from _leaves(item)
