"""All methods on one frozen image ViT, 8 frames, side by side."""

from typing import Any, Dict, List, Optional, Sequence, Tuple

from .compared_models import Contender, contender

PROBE = 'attentive_probe/vitb16_k400'
ONE_CLIP = {'model.backbone.num_segments': 1}
SMALL = dict(lr=[1e-3, 3e-4], weight_decay=[0.1, 0.4])


def _probe(layers: int, **model: Any) -> Tuple[str, Dict[str, Any]]:
    """Return a probe of a clip, with layers before its cross-attention."""
    options = {**ONE_CLIP, 'model.backbone.pooler': dict(num_layers=layers)}
    options.update({f'model.{key}': value for key, value in model.items()})
    return PROBE, options


# Row -> config and options. DualPath makes eight images of 16 frames.
METHODS: Dict[str, Tuple[str, Dict[str, Any]]] = {
    'linear probe': ('petl/linear_probe_vitb16_k400', {}),
    'AttentiveProbe, depth 1': _probe(0),
    '20 of them, ProbeSweep': _probe(0, type='ProbeSweep'),
    'AttentiveProbe, depth 4': _probe(3),
    '4 of them, ProbeSweep': _probe(
        3,
        type='ProbeSweep',
        sweep=SMALL,
    ),
    'EVL': ('evl/vitb16_k400', {}),
    'Side4Video': ('side4video/vitb16_k400', {}),
    'ZeroI2V': ('zeroi2v/vitb16_k400', {}),
    'ZeroI2V, merged': (
        'zeroi2v/vitb16_k400',
        {'model.backbone.type': 'ShiftedViT'},
    ),
    'AIM': ('aim/vitb16_k400', {}),
    'DualPath': ('dualpath/vitb16_k400', {}),
    'ST-Adapter': ('petl/st_adapter_vitb16_k400', {}),
    'LoRA': ('petl/lora_vitb16_k400', {}),
}


def all_methods(
    trunk: Optional[str] = None,
    batch_size: int = 1,
    names: Optional[Sequence[str]] = None,
) -> List[Contender]:
    """List all methods on the same trunk, eight images of a clip.

    Args:
        trunk (str, optional): Another trunk than CLIP's ViT-B/16.
            Defaults to None.
        batch_size (int): Clips of a step. Defaults to 1.
        names (Sequence[str], optional): Rows of :data:`METHODS`.
            Defaults to None: all.

    Returns:
        List[Contender]: In the order of the names.
    """
    found = []
    for name in names or METHODS:
        config, options = METHODS[name]
        row = contender(config, options, batch_size, trunk)
        frames = 16 if name == 'DualPath' else 8
        shape = (batch_size, 3, frames, *row.shape[-2:])
        found.append(Contender(name, row.config, shape))
    return found
