"""ZeroI2V: linear adapters that vanish, and heads that see other frames."""

from functools import partial
from typing import Any, Dict, Optional, Sequence

import torch
from einops import rearrange
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmvidadapt.trunks.dialects import read_dialect
from mmvidadapt.trunks.vit import ViTTrunk
from mmvidadapt.weights.fold import fold_layer_scale_

from .lean import LeanShiftedBlock, LeanZeroI2VBlock
from .merge import check_mergeable, merge_block_

ADAPTERS, NORM = r'.*_adapter_(in|out)\..*', r'ln_post\..*'
TIME = 'temporal_embedding'


@MODELS.register_module()
class ShiftedViT(ViTTrunk):
    """An image ViT some of whose heads read other frames.

    What :class:`ZeroI2V` is at first, and what it is merged into: the image
    model, a shift of keys and values over time, and a learned vector for
    every frame. As it stands nothing of it is trained. Input
    ``(B, 3, T, H, W)``, output ``(B, C, T, 1, 1)``.

    Args:
        num_frames (int): Number of frames T. Defaults to 8.
        shifts (Sequence[int]): Whose keys and values the first heads read,
            then the next ones: -1 is the frame before, 1 the one after.
            Other heads read their own frame, and so does a frame that has
            none before or after it. Defaults to (-1, 1).
        shift_div (int, optional): The trunk's heads are so many equal groups,
            one for every shift. Defaults to None: as many as heads.
        block_options (dict, optional): Further arguments of the blocks, for
            subclasses. Defaults to None.
        **trunk: Passed on to :class:`ViTTrunk`.

    Raises:
        ValueError: On shifts for which there are no heads, and in ``forward``
            when the clip does not have ``num_frames`` frames of ``img_size``.
    """

    Block = LeanShiftedBlock
    new = (TIME,)

    def __init__(
        self,
        num_frames: int = 8,
        shifts: Sequence[int] = (-1, 1),
        shift_div: Optional[int] = None,
        block_options: Optional[Dict[str, Any]] = None,
        **trunk: Any,
    ) -> None:
        if not isinstance(num_frames, int) or num_frames < 1:
            raise ValueError(f'num_frames={num_frames!r}: give 1, 2 ...')
        if any(not isinstance(s, int) or s == 0 for s in shifts):
            raise ValueError(
                f'shifts={shifts!r}: give whole numbers of frames, such as '
                '(-1, 1); heads that stay need none.'
            )
        time = dict(
            num_frames=num_frames, shifts=tuple(shifts), shift_div=shift_div
        )
        block = partial(self.Block, **time, **(block_options or {}))
        super().__init__(block=block, **trunk)
        self.num_frames, self._given = num_frames, {**trunk, **time}
        self.temporal_embedding = nn.Parameter(
            torch.zeros(1, num_frames, self.embed_dims)
        )
        if not isinstance(self.ln_post, nn.LayerNorm):  # nothing to train
            self.trainable = tuple(p for p in self.trainable if p != NORM)
        self.freeze()

    def embed(self, video: Tensor) -> Tensor:
        """Add what frame it is to every token, (B*T, P+N, C)."""
        t = self.num_frames
        if video.ndim == 5 and video.shape[2] != t:
            raise ValueError(
                f'{type(self).__name__} with num_frames={t} got a clip of '
                f'{video.shape[2]} frames; set num_frames or clip_len.'
            )
        x = rearrange(super().embed(video), '(b t) n c -> b n t c', t=t)
        x = x + self.temporal_embedding  # (B, P+N, T, C)
        return rearrange(x, 'b n t c -> (b t) n c')  # (B*T, P+N, C)


@MODELS.register_module()
class ZeroI2V(ShiftedViT):
    """A frozen image ViT with linear adapters, some heads in other frames.

    From `ZeroI2V: Zero-Cost Adaptation of Pre-trained Transformers from Image
    to Video <https://arxiv.org/abs/2310.01324>`_ (ECCV 2024). Keys and values
    of some heads come from neighbouring frames ("spatio-temporal dual-headed
    attention"); a linear adapter stands before and after every attention and
    MLP. :meth:`merge` multiplies the adapters into the frozen layers: the
    outputs are equal, and the model costs what the image model costs. Trained
    are the adapters, a vector for every frame, and the norm after the blocks,
    where the trunk has one. Drop path drops whole branches of frames. Input
    ``(B, 3, T, H, W)``, output ``(B, C, T, 1, 1)``.

    Args:
        num_frames (int): Number of frames T. Defaults to 8.
        shifts (Sequence[int]): See :class:`ShiftedViT`; longer clips reach
            further, (-1, 1, -2) or (-1, 1, -2, 2) with 16 frames, up to 4
            frames with 32. Defaults to (-1, 1).
        shift_div (int, optional): See :class:`ShiftedViT`; the paper has 12
            on ViT-B/16, a head for every shift. Defaults to None.
        adapter_ratio (float): Width of the bottlenecks relative to C.
            Defaults to 0.25.
        adapter_scale (float): Factor s of the adapters; 0.5 on Kinetics, 1 on
            Something-Something. Defaults to 0.5.
        adapter_dropout (float): Dropout rate inside them; 0.1 on Kinetics, 0
            on Something-Something. Defaults to 0.1.
        **trunk: Passed on to :class:`ViTTrunk`.

    Raises:
        ValueError: As :class:`ShiftedViT`.
    """

    Block = LeanZeroI2VBlock
    trainable = (TIME, NORM, ADAPTERS)
    new = (TIME, ADAPTERS)

    def __init__(
        self,
        num_frames: int = 8,
        shifts: Sequence[int] = (-1, 1),
        shift_div: Optional[int] = None,
        adapter_ratio: float = 0.25,
        adapter_scale: float = 0.5,
        adapter_dropout: float = 0.1,
        **trunk: Any,
    ) -> None:
        options = dict(
            adapter_ratio=adapter_ratio,
            adapter_scale=adapter_scale,
            adapter_dropout=adapter_dropout,
        )
        super().__init__(num_frames, shifts, shift_div, options, **trunk)

    def plain_config(self) -> Dict[str, Any]:
        """Return the config of the backbone that :meth:`merge` makes."""
        names = 'num_frames', 'shifts', 'shift_div', 'cls_token', 'out_type'
        kept = {name: self._given.get(name) for name in names}
        kept.update(self.built_as, lean=None if self.lean else False)
        traits = read_dialect(kept['dialect'] or self.default_dialect)
        if not traits.get('key_bias', True):  # the adapters give them one
            kept['dialect'] = dict(traits, key_bias=True)
        kept = {name: v for name, v in kept.items() if v is not None}
        return dict(type=ShiftedViT.__name__, **kept)

    @torch.no_grad()
    def merge(self) -> ShiftedViT:
        """Build a frozen model without adapters, with equal outputs.

        Returns:
            ShiftedViT: On the same device, with tensors of its own.

        Raises:
            ValueError: If a layer is not a plain linear layer any more.
        """
        weights = self.state_dict()
        fold_layer_scale_(weights)
        for i, block in enumerate(self.transformer.resblocks):
            prefix = f'transformer.resblocks.{i}.'
            check_mergeable(block, prefix)
            merge_block_(block, weights, prefix)
        own = {k: v for k, v in weights.items() if '_adapter_' not in k}
        config = self.plain_config()
        del config['type']
        vit = ShiftedViT(**config).to(self.conv1.weight)
        vit.load_state_dict(own)
        return vit.train(self.training)
