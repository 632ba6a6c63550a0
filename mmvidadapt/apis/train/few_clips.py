"""Change a recipe for hundreds of thousands of clips into one for hundreds."""

from typing import List

from mmengine.config import Config, ConfigDict

from .image_size import image_size, pipelines

AREA = (0.6, 1.0)  # of a frame that a training crop shows, at least and most
DROPOUT, DROP_PATH, MAX_NORM = 0.2, 0.1, 1.0
FASTER = 8 / 3  # times the rate that the batch size asks for
# Heads that have such a dropout.
HEADS = ('Float32I3DHead', 'EVLHead', 'I3DHead', 'MultiTaskVideoHead')
# It starts at zero and is all that AIM knows about order.
TEMPORAL_RATE = 10.0


def use_few_clips(config: Config) -> None:
    """Show more of every frame, drop less, and learn faster.

    Crops of 8 % of a frame and half of the head's inputs dropped are much
    for a hundred clips. In testing whole frames are seen, squeezed. The
    values are those with which AIM learned ten gestures, see docs/data.md.

    Args:
        config (Config): A recipe whose batch size and image size are set; it
            is changed.
    """
    model, wrapper = config.model, config.optim_wrapper
    height, width = image_size(model.backbone)
    for split, steps in pipelines(config).items():
        if split == 'train':
            _show_more(steps)
        else:
            _squeeze(steps, (width, height))
    if model.cls_head.type in HEADS:
        model.cls_head.dropout_ratio = DROPOUT
    rate = model.backbone.get('drop_path_rate', 0.0)
    if rate:
        model.backbone.drop_path_rate = min(rate, DROP_PATH)
    wrapper.optimizer.lr = float(f'{wrapper.optimizer.lr * FASTER:.3g}')
    wrapper.clip_grad = dict(wrapper.get('clip_grad') or {}, max_norm=MAX_NORM)
    if model.backbone.type == 'AIM':
        model.backbone.adapter_scale = 1.0
        keys = wrapper.setdefault('paramwise_cfg', ConfigDict())
        keys = keys.setdefault('custom_keys', ConfigDict())
        keys.setdefault('temporal_embedding', ConfigDict())
        keys.temporal_embedding.lr_mult = TEMPORAL_RATE


def _show_more(steps: List[ConfigDict]) -> None:
    """Widen crops of random size to most of a frame."""
    for step in steps:
        if step.type == 'RandomResizedCrop':
            step.area_range = AREA


def _squeeze(steps: List[ConfigDict], size: tuple) -> None:
    """Resize whole frames to the size that is cut out of them otherwise."""
    for step in steps:
        if step.type == 'Resize':
            step.scale, step.keep_ratio = size, False
