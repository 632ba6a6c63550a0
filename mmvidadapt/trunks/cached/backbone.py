"""Backbones whose frozen trunk can be replaced by its cached features."""

from typing import Any, Dict, Iterable, Iterator, Mapping, Optional

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from mmvidadapt.utils.sha256 import fingerprint
from mmvidadapt.weights import read_pretrained

from ..parts.segments import check_segments
from .rows import PackSizes, Tap, unpack


class CachedTrunk:
    """A frozen trunk, and a reader, the one module that learns from it.

    A backbone with this base says what its trunk yields (:meth:`taps`), how
    large that is (:meth:`pack_sizes`) and how it is read (:meth:`read`); it
    takes clips or rows of cached features, and several readers can share one
    pass of the trunk. The name of the reader among its modules is ``reader``.
    """

    reader = ''
    num_segments = 1  # clips of a video that are read together
    # What activations are called in the keys of cached features.
    noted = dict(quick_gelu='QuickGELU', gelu='GELU')
    _key = None

    def taps(self, video: Tensor) -> Iterator[Tap]:
        """Yield what the reader needs of clips, (B, T, P+N, C) each."""
        raise NotImplementedError

    def pack_sizes(self) -> PackSizes:
        """Measure the cached features of a clip."""
        raise NotImplementedError

    def read(
        self, taps: Iterable[Tap], reader: Optional[nn.Module] = None
    ) -> Tensor:
        """Read what the trunk yields, by another reader if one is given."""
        raise NotImplementedError

    def traits(self) -> str:
        """Write down what changes the features and is no parameter."""
        raise NotImplementedError

    def see(self, inputs: Tensor) -> Iterable[Tap]:
        """Run the trunk on clips; unpack rows of cached features (B, n)."""
        check_segments(self, inputs)
        if inputs.ndim != 2:
            return self.taps(inputs)
        if self.trunk_learns:
            raise ValueError(
                'Features are cached for a frozen trunk, but this one is '
                'trained; train it from video.'
            )
        return unpack(inputs, self.pack_sizes(), self.trunk_key())

    def trunk(self) -> Dict[str, nn.Parameter]:
        """Collect the parameters of the trunk."""
        return {
            name: param
            for name, param in self.named_parameters()
            if not name.startswith(f'{self.reader}.')
        }

    @property
    def trunk_learns(self) -> bool:
        """Check whether any parameter of the trunk is trained."""
        return any(param.requires_grad for param in self.trunk().values())

    def trunk_key(self) -> str:
        """Hash the trunk, once until its values change.

        Autograd does not see what is written into ``param.data``, nor do we.
        """
        trunk = self.trunk()
        state = [(p._version, p.data_ptr()) for p in trunk.values()]
        if self._key is None or self._key[0] != state:
            self._key = state, fingerprint(self.hashed(), self.traits())
        return self._key[1]

    def hashed(self) -> Mapping[str, Tensor]:
        """Collect the parameters that change the features."""
        return self.trunk()

    def block_traits(self) -> str:
        """Write down heads, activation, epsilon and positions of blocks."""
        block = self.transformer.resblocks[0]
        act, heads = self.block_sizes['act'], block.attn.num_heads
        rotary = block.attn.rotary
        pre_norm = isinstance(self.ln_pre, nn.LayerNorm)
        traits = (
            f'{heads} {self.noted.get(act, act)} {block.ln_1.eps} {pre_norm}'
        )
        if rotary is None:
            return traits
        return f'{traits} {rotary.kind} {rotary.grid} {self.patch_grid}'


def mean_frame(x: Tensor) -> Tensor:
    """Average tokens (B, T, N, C) over frames, (B, 1, N, C), no half sums."""
    dtype = torch.promote_types(x.dtype, torch.float32)
    return x.mean(1, keepdim=True, dtype=dtype)  # (B, 1, N, C)


def complete_trunk(
    model: CachedTrunk, state_dict: dict, prefix: str, *args: Any
) -> None:
    """Take a trunk that a checkpoint leaves out from where it came from."""
    names = [n[len(prefix) :] for n in state_dict if n.startswith(prefix)]
    trunk = model.trunk()
    reader = any(name.startswith(f'{model.reader}.') for name in names)
    if not reader or not trunk.keys().isdisjoint(names):
        return
    if model.pretrained is None:
        return
    weights, report = read_pretrained(
        model, model.pretrained, model.new, model.unused
    )
    print_log(f'No trunk in the checkpoint. {report}', logger='current')
    for name, param in trunk.items():  # only a new bias of zeros may lack
        state_dict[prefix + name] = weights.pop(name, torch.zeros_like(param))
    for name in weights.keys() - set(names):  # buffers
        if not name.startswith(f'{model.reader}.'):
            state_dict[prefix + name] = weights[name]
