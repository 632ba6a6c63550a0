"""Fresh weights, drawn as flax draws them for a ViT."""

import math

from torch import nn

from mmvidadapt.trunks.parts.attention import Attention
from mmvidadapt.trunks.parts.encoder import Encoder

from .block import EncoderBlock

# Deviation of a normal distribution that is cut at two deviations.
CUT = 0.87962566


def draw_(module: nn.Module) -> None:
    """Draw the weights of one module, of known classes, as flax would."""
    if isinstance(module, Attention):
        for third in module.in_proj_weight.data.chunk(3):
            nn.init.xavier_uniform_(third)
        nn.init.xavier_uniform_(module.out_proj.weight)
        nn.init.zeros_(module.out_proj.bias)
    elif isinstance(module, EncoderBlock):
        for layer in (module.mlp.c_fc, module.mlp.c_proj):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.normal_(layer.bias, std=1e-6)
    elif isinstance(module, nn.Conv3d):
        std = 1 / math.sqrt(module.weight[0].numel())
        nn.init.trunc_normal_(module.weight, std=std, a=-2 * std, b=2 * std)
        module.weight.data /= CUT
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, Encoder):
        nn.init.normal_(module.positional_embedding, std=0.02)
