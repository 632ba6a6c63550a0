"""The base of adapted backbones: loading, freezing, checkpointing."""

import warnings
from typing import Any, Optional, Sequence, Tuple, Union

from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmvidadapt.weights import load_pretrained, rename_official_
from mmvidadapt.weights.load_hooks import refuse_unfit

from .parts.freeze import freeze_except
from .parts.lean import use_equation_
from .parts.lean_block import MLPRunner, learns
from .table import find_trunk


class AdaptedBackbone(BaseModule):
    """Backbone that declares what it trains and loads image weights.

    Subclasses end their constructor with :meth:`freeze`.

    Args:
        pretrained (str, optional): Alias, URL or path of image weights, read
            in :meth:`init_weights`; see :mod:`mmvidadapt.weights`.
            Defaults to None.
        trainable (Sequence[str], optional): Regular expressions over
            parameter names in place of the class's own. Defaults to None.
        full_finetune (bool): Whether everything is trained.
            Defaults to False.
        with_cp (bool | str): Whether the backward pass computes the blocks
            again instead of keeping their activations; ``'mlp'`` does so for
            the MLPs only. Defaults to False.
        lean (bool): Whether blocks compute and keep as little as they can,
            in place of their equation; the numbers are the same.
            Defaults to True.
        trunk (str | dict, optional): The row of the table whose values the
            other arguments are, see :func:`~.table.find_trunk`.
            Defaults to None.
        init_cfg (dict, optional): As in mmengine. Defaults to None.
    """

    # Families of the table of trunks that the class is made for; weights of
    # the first are what image weights become.
    trunk_families: Tuple[str, ...] = ('vit',)
    # What a recognizer gives it, and the head of its own, if it has one.
    reads, own_head = 'clips', None
    # Names that are trained, as regular expressions over whole names.
    trainable: Tuple[str, ...] = ()
    # Names that image weights do not have.
    new: Tuple[str, ...] = ()
    # Names that image weights have and the method has not.
    unused: Tuple[str, ...] = ()

    def __init__(
        self,
        pretrained: Optional[str] = None,
        trainable: Optional[Sequence[str]] = None,
        full_finetune: bool = False,
        with_cp: Union[bool, str] = False,
        lean: bool = True,
        trunk: Union[str, dict, None] = None,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        if with_cp != 'mlp' and not isinstance(with_cp, bool):
            raise ValueError(
                f"with_cp={with_cp!r}: choose True, False or 'mlp'."
            )
        if with_cp == 'mlp' and not lean:
            raise ValueError(
                "with_cp='mlp' is for lean blocks: use with_cp=True with "
                'lean=False.'
            )
        self.pretrained, self.with_cp, self.lean = pretrained, with_cp, lean
        self.published = None if trunk is None else find_trunk(trunk)
        self._override = ('.*',) if full_finetune else trainable
        self.register_load_state_dict_pre_hook(refuse_unfit)
        self.register_load_state_dict_pre_hook(_rename)

    def freeze(self) -> None:
        """Train what the class declares or the arguments override."""
        for module in self.modules():
            if isinstance(module, MLPRunner):
                module.recompute_mlp = self.with_cp == 'mlp'
        if not self.lean:
            use_equation_(self)
        freeze_except(self, self._patterns())

    @property
    def trains_all(self) -> bool:
        """Check whether everything is trained."""
        return tuple(self._patterns()) == ('.*',)

    def _patterns(self) -> Sequence[str]:
        return self.trainable if self._override is None else self._override

    def train(self, mode: bool = True) -> 'AdaptedBackbone':
        """Set the mode; what is frozen stays in evaluation mode."""
        super().train(mode)
        for module in self.modules() if mode else ():
            trained = [param.requires_grad for param in module.parameters()]
            if trained and not any(trained):
                module.eval()
        return self

    def init_weights(self) -> None:
        """Load ``pretrained``; say so when a frozen trunk stays random."""
        if self.init_cfg is not None:
            super().init_weights()
        self._is_init = True
        if self.pretrained is not None:
            load_pretrained(self, self.pretrained, self.new, self.unused)
        elif self.init_cfg is None and not self.trains_all:
            warnings.warn(
                f'{type(self).__name__}: the frozen trunk has random weights, '
                'since pretrained=None. Ignore this when a checkpoint of the '
                "whole model follows; else set trunk='openai/ViT-B-16', "
                'say.'
            )

    def run_block(self, block: nn.Module, x: Tensor, *args: Any) -> Tensor:
        """Run a block, keeping only its input for backward if asked to."""
        if self.with_cp is True and learns(block, x):
            return checkpoint(block, x, *args, use_reentrant=False)
        return block(x, *args)


def _rename(
    module: nn.Module, state_dict: dict, prefix: str, *args: Any
) -> None:
    """Rename an official checkpoint that is about to be loaded."""
    rename_official_(state_dict, prefix)
