"""Tokenize with BEiT v2's model, at hand where PeCo's is not."""

from typing import Optional, Union

import torch.nn.functional as F
from einops import rearrange
from mmaction.registry import MODELS
from mmpretrain.models.selfsup.beit import VQKD
from torch import Tensor

from mmvidadapt.weights import load_exactly

from .base import Tokenizer
from .nearest_code import nearest

# The encoder of the published weights.
ENCODER = dict(
    out_type='featmap',
    with_cls_token=True,
    use_abs_pos_emb=True,
    use_rel_pos_bias=False,
    use_shared_rel_pos_bias=False,
    layer_scale_init_value=0.0,
)


@MODELS.register_module()
class VQKDTokenizer(Tokenizer):
    """Vector-quantised knowledge distillation, a perceptual tokenizer.

    Proposed in `BEiT v2: Masked Image Modeling with Vector-Quantized Visual
    Tokenizers <https://arxiv.org/abs/2208.06366>`_. It stands where BEVT has
    PeCo, whose weights cannot be had: its results are not PeCo's. The model
    is mmpretrain's; its quantizer is not called, for that counts the use of
    codes across processes while it looks them up.

    Args:
        pretrained (str, optional): Alias, URL or path of the weights.
            Defaults to None: random weights.
        arch (str | dict): Architecture of the encoder, as mmpretrain's
            ``BEiTViT`` takes it. Defaults to 'base'.
        vocab_size (int): Number of ids. Defaults to 8192.
        input_size (int): Side of the pictures. Defaults to 224.
        patch_size (int): Side of a patch. Defaults to 16.
        code_dims (int): Channels of a code. Defaults to 32.
    """

    def __init__(
        self,
        pretrained: Optional[str] = None,
        arch: Union[str, dict] = 'base',
        vocab_size: int = 8192,
        input_size: int = 224,
        patch_size: int = 16,
        code_dims: int = 32,
    ) -> None:
        super().__init__(vocab_size, input_size, patch_size, pretrained)
        self.vqkd = VQKD(
            dict(
                ENCODER, arch=arch, img_size=input_size, patch_size=patch_size
            ),
            num_embed=vocab_size,
            embed_dims=code_dims,
            quantize_kmeans_init=False,
        )
        self.freeze()

    def read(self) -> None:
        """Read encoder and codebook; the decoders are of no use here."""
        if self.pretrained is not None:
            load_exactly(
                self.vqkd,
                self.pretrained,
                new=(r'quantize\.(cluster_size|embedding\.initted)',),
                unused=(r'decoder\..*', r'decode_task_layer\..*'),
            )

    def features(self, frames: Tensor) -> Tensor:
        """Encode pictures into unit vectors (M, gh, gw, code_dims)."""
        x = self.vqkd.encoder(frames / 127.5 - 1)[0]  # (M, C, gh, gw)
        x = self.vqkd.encode_task_layer(rearrange(x, 'm c h w -> m h w c'))
        return F.normalize(x, dim=-1)  # (M, gh, gw, D)

    def classify(self, rows: Tensor) -> Tensor:
        """Look the nearest codes up."""
        return nearest(rows, self.vqkd.quantize.embedding.weight)
