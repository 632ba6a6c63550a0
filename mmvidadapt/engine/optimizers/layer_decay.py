"""Lower learning rates for the layers near the input."""

import re
from typing import Any, Dict, List, Optional

from mmaction.engine.optimizers import LearningRateDecayOptimizerConstructor
from mmaction.registry import OPTIM_WRAPPER_CONSTRUCTORS
from torch import nn

# A layer in names of Transformers of mmaction2, mmpretrain and ours; those of
# Swin are `blocks` in `layers` or `stages`.
LAYER = re.compile(
    r'(?:.*?\.)??(?:resblocks|blocks|layers)\.\d+(?:\.blocks\.\d+)?(?=\.)'
)
FIRST = re.compile(r'ln_pre\.')  # stands behind the layers in some models
KNOWN = ('MViT', 'VisionTransformer')  # to mmaction2's constructor, by name


def layer_scales(model: nn.Module, decay_rate: float) -> Dict[str, float]:
    """Compute the factor on the learning rate of every parameter.

    As in BEiT and mmpretrain: 1 for head and final norm, ``decay_rate`` for
    the last layer of the backbone, one power more for every layer before it,
    and one more for patch and position embeddings. What stands between layers
    has the rate of the one before it.

    Args:
        model (nn.Module): A recognizer.
        decay_rate (float): From layer to layer, in (0, 1].

    Returns:
        Dict[str, float]: A factor for every name of a parameter.

    Raises:
        ValueError: If the backbone has no layers, or the rate is another.
    """
    if not 0 < decay_rate <= 1:
        raise ValueError(
            f'paramwise_cfg.layer_decay_rate={decay_rate}: give a factor '
            'between 0 and 1, such as 0.75.'
        )
    backbone = getattr(model, 'backbone', model)
    layers = find_layers(backbone)
    if not layers:
        raise ValueError(
            f'paramwise_cfg.layer_decay_rate={decay_rate}: '
            f'{type(backbone).__name__} has no list of layers; give its parts '
            'an lr_mult by custom_keys instead.'
        )
    scales = {id(param): 1.0 for param in model.parameters()}
    top, depth = len(layers) + 1, 0
    for name, param in backbone.named_parameters():
        inside = [i for i, n in enumerate(layers, 1) if name.startswith(n)]
        depth = max([depth, *inside])
        level = top if depth == len(layers) and not inside else depth
        level = 0 if FIRST.match(name) else level
        scales[id(param)] = decay_rate ** (top - level)
    return {n: scales[id(param)] for n, param in model.named_parameters()}


def find_layers(backbone: nn.Module) -> List[str]:
    """Name the layers of a backbone, from the input to the output.

    Args:
        backbone (nn.Module): Its layers are registered in this order.

    Returns:
        List[str]: How the names of their parameters start.
    """
    found = [LAYER.match(name) for name, _ in backbone.named_parameters()]
    names = list(dict.fromkeys(f'{match[0]}.' for match in found if match))
    # `layers.0.downsample` is no layer beside `layers.0.blocks.0`.
    return [
        name
        for name in names
        if not any(other.startswith(name) for other in names if other != name)
    ]


@OPTIM_WRAPPER_CONSTRUCTORS.register_module(
    name=LearningRateDecayOptimizerConstructor.__name__, force=True
)
class LayerDecayConstructor(LearningRateDecayOptimizerConstructor):
    """mmaction2's constructor, which says what to use where it cannot serve.

    It knows two backbones by their names, and ends with a bare
    ``NotImplementedError`` on others.

    Args:
        optim_wrapper_cfg (dict): Config of the optimizer wrapper.
        paramwise_cfg (dict, optional): ``num_layers``, ``decay_rate`` and
            ``decay_type``. Defaults to None.

    Raises:
        ValueError: In ``add_params`` if the backbone is another.
    """

    def __init__(
        self, optim_wrapper_cfg: dict, paramwise_cfg: Optional[dict] = None
    ) -> None:
        super().__init__(optim_wrapper_cfg, paramwise_cfg)

    def add_params(
        self, params: List[dict], module: nn.Module, **kwargs: Any
    ) -> None:
        """Add the groups of a model."""
        kind = type(getattr(module, 'backbone', module)).__name__
        if not any(name in kind for name in KNOWN):
            raise ValueError(
                f'LearningRateDecayOptimizerConstructor does not know {kind}: '
                "use optim_wrapper.constructor='TrainedParamsConstructor' "
                'with paramwise_cfg=dict(layer_decay_rate='
                f'{self.paramwise_cfg.get("decay_rate", 0.75)}).'
            )
        super().add_params(params, module, **kwargs)
