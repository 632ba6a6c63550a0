"""ViViT: the four pure-transformer video models."""

from functools import partial
from typing import Any, Optional

from einops import rearrange
from mmaction.registry import MODELS
from torch import Tensor

from mmvidadapt.methods.vivit.names import temporal_depth
from mmvidadapt.trunks.parts.encoder import TokenEncoder
from mmvidadapt.utils.check_choices import check_choices
from mmvidadapt.weights import load_weights_file, resolve

from .lean import (
    LeanDotProductBlock,
    LeanEncoderBlock,
    LeanSelfAttentionBlock,
)
from .trunk import ViViTTrunk

ORDERS = ('time_space', 'space_time')


@MODELS.register_module()
class ViViT(ViViTTrunk):
    """Model 1, spatio-temporal attention: all tokens of a clip together.

    From `ViViT: A Video Vision Transformer
    <https://arxiv.org/abs/2103.15691>`_ (ICCV 2021), section 3.3. Equal to
    the official ``ViViT`` up to the classifier, element by element; official
    and Hugging Face checkpoints load as they are. Input ``(B, 3, T, H, W)``,
    output ``(B, C, 1, 1, 1)``. A class token or the mean of all tokens.

    Args:
        **trunk: See :class:`ViViTTrunk`.
    """

    trunk_families = ('vit', 'vivit')

    def __init__(self, **trunk: Any) -> None:
        super().__init__(**trunk)
        self.finish()

    def encode(self, x: Tensor) -> Tensor:
        """Encode tokens (B, T, N, C); return (B, 1, C)."""
        x = self.add_positions(x.flatten(1, 2))  # (B, P+T*N, C)
        return super().encode(x)  # (B, 1, C)


@MODELS.register_module()
class ViViTFactorisedEncoder(ViViTTrunk):
    """Model 2, factorised encoder: every frame, then the frames in turn.

    A spatial encoder, an image ViT, encodes the tokens of every time step
    alone; a temporal encoder reads one token for each of them. Without
    temporal layers the steps are averaged, the paper's baseline. Equal to the
    official ``SpaceTimeViViT``.

    Args:
        temporal_num_layers (int, optional): Depth of the temporal encoder;
            0 for the mean over time. None: that of the weights in
            ``pretrained``, video weights then. Defaults to 4.
        temporal_num_heads (int, optional): Its heads. Defaults to None:
            those of the spatial encoder.
        temporal_mlp_ratio (float, optional): Width of its MLPs relative to
            C. Defaults to None: that of the spatial encoder.
        **trunk: See :class:`ViViTTrunk`.
    """

    trunk_families = ('vit', 'vivit_fe')
    new = (*ViViTTrunk.new, r'temporal\..*')
    joint = False
    inflation_rules = dict(
        ViViTTrunk.inflation_rules,
        # Whether the image's class token is that of the spatial encoder; the
        # official code leaves a zero there.
        class_token=(True, False),
    )

    def __init__(
        self,
        temporal_num_layers: Optional[int] = 4,
        temporal_num_heads: Optional[int] = None,
        temporal_mlp_ratio: Optional[float] = None,
        **trunk: Any,
    ) -> None:
        super().__init__(**trunk)
        for block in self.transformer.resblocks:
            block.drop_path.num_frames = self.steps
        if temporal_num_layers is None:
            temporal_num_layers = self._depth_of_weights()
        if temporal_num_layers < 0:
            raise ValueError(
                f'temporal_num_layers={temporal_num_layers}: give 0 or more.'
            )
        spatial = self.transformer.resblocks[0]
        heads = temporal_num_heads or spatial.attn.num_heads
        ratio = spatial.mlp.c_fc.out_features / self.embed_dims
        blocks = self.make_blocks(
            partial(LeanEncoderBlock, rescale=self.rescale),
            temporal_num_layers,
            trunk.get('drop_path_rate', 0.0),
            num_heads=heads,
            mlp_ratio=temporal_mlp_ratio or ratio,
        )
        sizes = self.embed_dims, self.steps, blocks, self.out_type
        self.temporal = (
            TokenEncoder(*sizes, eps=self.ln_post.eps) if blocks else None
        )
        if self.temporal is None:
            self.new = ViViTTrunk.new
        self.finish()

    def _depth_of_weights(self) -> int:
        """Count the temporal layers of the pretrained weights."""
        if self.pretrained is None:
            raise ValueError(
                'temporal_num_layers=None takes the depth of `pretrained`, '
                'which is None; give one of them.'
            )
        path = resolve(self.pretrained)
        return temporal_depth(load_weights_file(path, copy=False))

    def encode(self, x: Tensor) -> Tensor:
        """Encode tokens (B, T, N, C); return (B, 1, C)."""
        frames = self.add_positions(x.flatten(0, 1))  # (B*T, P+N, C)
        frames = super().encode(frames)  # (B*T, 1, C)
        clips = rearrange(frames, '(b t) 1 c -> b t c', t=self.steps)
        if self.temporal is None:
            return clips.mean(1, keepdim=True)  # (B, 1, C)
        return self.temporal(clips)  # (B, 1, C)


class FactorisedTokens(ViViTTrunk):
    """Encoder whose blocks tell time from space: no class token.

    Args:
        block (type): The block.
        **trunk: See :class:`ViViTTrunk`.
    """

    def __init__(self, block: type, **trunk: Any) -> None:
        out_type = trunk.setdefault('out_type', 'avg_featmap')
        if out_type != 'avg_featmap':
            raise ValueError(
                f"out_type='{out_type}': a class token is at no place of time "
                f'and space, so {type(self).__name__} has none; choose '
                "'avg_featmap'."
            )
        super().__init__(block=block, **trunk)
        self.finish()

    def encode(self, x: Tensor) -> Tensor:
        """Encode tokens (B, T, N, C); return (B, 1, C)."""
        x = self.ln_pre(self.add_positions(x.flatten(1, 2)))  # (B, T*N, C)
        x = rearrange(x, 'b (t n) c -> b t n c', t=self.steps)  # (B, T, N, C)
        return self.read_out(self.run_blocks(x).flatten(1, 2))  # (B, 1, C)


@MODELS.register_module()
class ViViTFactorisedSelfAttention(FactorisedTokens):
    """Model 3, factorised self-attention: time and space, one by one.

    Args:
        attention_order (str): ``'time_space'`` or ``'space_time'``; the paper
            finds no difference. Defaults to ``'time_space'``.
        **trunk: See :class:`ViViTTrunk`. In the official mode
            of drop path, nothing is dropped.
    """

    new = (*ViViTTrunk.new, r'.*\.(ln|attn)_time\..*')
    inflation_rules = dict(
        ViViTTrunk.inflation_rules,
        # The attention over time is that of the image, with its output
        # projection at zero (a new block changes nothing, and learns) or as
        # it is (the official code), or it is all zero: the paper's words, but
        # then no gradient but that of the output bias ever leaves zero.
        temporal_attention=('zero_output', 'copy', 'zero'),
    )

    def __init__(
        self, attention_order: str = 'time_space', **trunk: Any
    ) -> None:
        check_choices('attention_order', [attention_order], ORDERS)
        block = partial(LeanSelfAttentionBlock, order=attention_order)
        super().__init__(block, **trunk)


@MODELS.register_module()
class ViViTFactorisedDotProduct(FactorisedTokens):
    """Model 4, factorised dot-product attention: heads of time and of space.

    Its parameters are those of model 1 with ``out_type='avg_featmap'``.

    Args:
        **trunk: See :class:`ViViTTrunk`.
    """

    trunk_families = ('vit', 'vivit')

    def __init__(self, **trunk: Any) -> None:
        super().__init__(LeanDotProductBlock, **trunk)
