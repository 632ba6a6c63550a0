"""Decide whether weights fit a model, word the refusal, and load them.

Nothing else in the package compares weights with a model.
"""

import re
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import (
    Callable,
    Dict,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from mmengine.logging import print_log
from torch import Tensor, nn

from mmvidadapt.utils.printable import printable

from .damage import find_damage
from .fetch.sources import resolve
from .files.readers import load_weights_file
from .layouts.recognize import rename
from .layouts.vit import find_projection
from .trunk_kind import compare_trunks, refuse_other_rotary

StateDict = Dict[str, Tensor]
SHOWN = 12  # names per list in an error
UNCHECKED = ContextVar('unchecked', default=False)
ADVICE = (
    'Choose the arch and img_size that the weights were made with, and name '
    'parameters that they cannot have in `new`.'
)
AGAIN = 'Fetch the file again, or take an earlier checkpoint.'
DIALECT = (
    "The dialect may be another one: 'clip' has ln_pre and no conv1.bias, "
    "'imagenet' the reverse."
)
OF_DIALECTS = ('ln_pre.', 'conv1.bias')


class Difference(NamedTuple):
    """Difference between the names and shapes of weights and a model.

    ``missing`` names what only the model has, ``unknown`` what only the
    weights have, ``resized`` what differs in shape: (name, shape in the
    checkpoint, shape in the model), ``damaged`` what is of another kind of
    number or not finite.
    """

    missing: Sequence[str] = ()
    unknown: Sequence[str] = ()
    resized: Sequence[Tuple[str, tuple, tuple]] = ()
    damaged: Sequence[str] = ()

    def __bool__(self) -> bool:
        """Check whether there is any difference."""
        return any(self)

    def without(
        self,
        missing: Sequence[str],
        unknown: Sequence[str] = (),
        resized: Sequence[str] = (),
    ) -> 'Difference':
        """Drop the names that match one of the regular expressions."""
        return Difference(
            [name for name in self.missing if not matches(name, missing)],
            [name for name in self.unknown if not matches(name, unknown)],
            [row for row in self.resized if not matches(row[0], resized)],
            self.damaged,
        )

    def __str__(self) -> str:
        """List the differences, one per line."""
        sizes = [
            f'{name}: {saved} in the checkpoint, {wanted} in the model'
            for name, saved, wanted in self.resized
        ]
        lines = [
            *_shortened('missing in the checkpoint', self.missing),
            *_shortened('unknown to the model', self.unknown),
            *_shortened('of another size', sizes),
            *_shortened('damaged', self.damaged),
        ]
        return '\n'.join(lines)

    def refusal(
        self, source: str, part: str, model: nn.Module, advice: str
    ) -> ValueError:
        """Word the error, for a caller to raise.

        Args:
            source (str): Where the weights are from.
            part (str): What they are for, such as ``'backbone'``.
            model (nn.Module): That part.
            advice (str): The way out where more than damage is found.

        Returns:
            ValueError: With the differences and the way out.
        """
        names = [*self.missing, *self.unknown]
        dialect = any(name.startswith(OF_DIALECTS) for name in names)
        lines = [
            f'{source} does not fit the {part}, {type(model).__name__}:',
            str(self),
            advice if any(self[:3]) else AGAIN,
            *[DIALECT] * dialect,
        ]
        return ValueError('\n'.join(lines))


def _shortened(title: str, names: Sequence[str]) -> List[str]:
    """List names under a title, not hundreds of them."""
    lines = [f'  {title}: {printable(name)}' for name in names[:SHOWN]]
    left = len(names) - SHOWN
    return lines + [f'  ... and {left} more'] * (left > 0)


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Check whether one of the regular expressions matches the whole name."""
    return any(re.fullmatch(pattern, name) for pattern in patterns)


def compare_named(
    own: Mapping[str, Tensor],
    weights: Mapping[str, Tensor],
    exact: bool = False,
) -> Difference:
    """Compare weights with the state of a model, name by name.

    Args:
        own (Mapping[str, Tensor]): State of the model.
        weights (Mapping[str, Tensor]): What it is to become.
        exact (bool): Whether another precision is damage, too.
            Defaults to False.

    Returns:
        Difference: What is missing, unknown, of another shape or damaged.
        Counters of batches may be missing, as in old files.
    """
    return Difference(
        [
            name
            for name in own
            if name not in weights and not name.endswith('num_batches_tracked')
        ],
        [name for name in weights if name not in own],
        [
            (name, tuple(weights[name].shape), tuple(own[name].shape))
            for name in own
            if name in weights and weights[name].shape != own[name].shape
        ],
        find_damage(own, weights, exact),
    )


@contextmanager
def unchecked() -> Iterator[None]:
    """Switch :mod:`.load_hooks` off here: it is compared elsewhere."""
    token = UNCHECKED.set(True)
    try:
        yield
    finally:
        UNCHECKED.reset(token)


def load_pretrained(
    module: nn.Module,
    source: str,
    new: Sequence[str] = (),
    unused: Sequence[str] = (),
) -> None:
    """Load published weights of any known layout into a backbone.

    Args:
        module (nn.Module): Backbone with our parameter names.
        source (str): Alias, URL or path; see :func:`resolve`.
        new (Sequence[str]): Regular expressions over the full names of
            parameters that the weights may lack. Defaults to ``()``.
        unused (Sequence[str]): Regular expressions over the full names of
            parameters that the weights may have in vain. Defaults to ``()``.

    Raises:
        ValueError: If the weights do not fit.
    """
    weights, report = read_pretrained(module, source, new, unused)
    with unchecked():  # what is missing is known
        module.load_state_dict(weights, strict=False)
    if hasattr(module, '_params_init_info'):  # mmengine's report in the log
        from mmengine.model import update_init_info

        update_init_info(module, init_info=f'Loaded from {source}')
    print_log(report, logger='current')


def read_pretrained(
    module: nn.Module,
    source: str,
    new: Sequence[str] = (),
    unused: Sequence[str] = (),
) -> Tuple[StateDict, str]:
    """Read published weights and fit them to a backbone, without loading.

    The first of a backbone's ``trunk_families`` ('vit' where it has none) is
    that of its weights; its ``fit_weights`` may change them, as for another
    image size.

    Args:
        module (nn.Module): See :func:`load_pretrained`, as the others.
        source (str): Alias, URL or path.
        new (Sequence[str]): What the weights may lack. Defaults to ``()``.
        unused (Sequence[str]): What is left out. Defaults to ``()``.

    Returns:
        Tuple[Dict[str, Tensor], str]: Weights under the names of the
        backbone, and a line for the log.
    """
    own, path = module.state_dict(), resolve(source)
    weights = load_weights_file(path, copy=False)  # loading copies them
    try:
        family = getattr(module, 'trunk_families', ('vit',))[0]
        native, layout = rename(weights, family)
        refuse_other_rotary(module, native, layout.kind)
        if 'proj' in own:  # of CLIP's class token, which few read
            native.update(find_projection(weights))
        weights = {k: v for k, v in native.items() if not matches(k, unused)}
        fit = getattr(module, 'fit_weights', lambda weights: '')
        changed = fit(weights)
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from error
    trunks = partial(compare_trunks, module, native)
    _check(module, source, weights, new, trunks)
    return weights, (
        f'Loaded {len(weights)} tensors of {source} ({path}) into '
        f'{type(module).__name__}; {len(own) - len(weights)} are new{changed}'
    )


def load_exactly(
    module: nn.Module,
    source: str,
    new: Sequence[str] = (),
    unused: Sequence[str] = (),
    reader: Optional[Callable[[str], StateDict]] = None,
) -> None:
    """Load weights that carry the names of the module, renaming nothing.

    Args:
        module (nn.Module): What is loaded.
        source (str): Alias, URL or path; see :func:`resolve`.
        new (Sequence[str]): Regular expressions over names that the weights
            may lack. Defaults to ``()``.
        unused (Sequence[str]): Regular expressions over names that the
            weights may have in vain. Defaults to ``()``.
        reader (Callable, optional): How the file is read.
            Defaults to None: by :func:`load_weights_file`.

    Raises:
        ValueError: If the weights do not fit.
    """
    read = reader or partial(load_weights_file, copy=False)
    weights = {
        name: value
        for name, value in read(resolve(source)).items()
        if not matches(name, unused)
    }
    _check(module, source, weights, new)
    with unchecked():
        module.load_state_dict(weights, strict=False)


def _check(
    module: nn.Module,
    source: str,
    weights: StateDict,
    new: Sequence[str],
    trunks: Callable[[], str] = str,
) -> None:
    """Raise where weights lack more than what is new, or have too much."""
    found = compare_named(module.state_dict(), weights).without(new)
    if found:
        raise found.refusal(source, 'model', module, trunks() or ADVICE)
