"""The decoder of DALL-E's discrete VAE: ids become pictures."""

from collections import OrderedDict

import torch
from mmpretrain.models.selfsup.cae import Conv2d
from torch import Tensor, nn
from torch.nn import functional as F


class DecoderBlock(nn.Module):
    """Residual block whose last convolution, not the first, is 3x3.

    Args:
        n_in (int): Channels that come in.
        n_out (int): Channels that go out.
        gain (float): Factor of the residual.
    """

    def __init__(self, n_in: int, n_out: int, gain: float) -> None:
        super().__init__()
        n_hid, self.gain = n_out // 4, gain
        self.id_path = (
            Conv2d(n_in, n_out, 1) if n_in != n_out else nn.Identity()
        )
        widths = (n_in, n_hid, n_hid, n_hid, n_out)
        layers = OrderedDict()
        for i, kernel in enumerate((1, 3, 3, 3), start=1):
            layers[f'relu_{i}'] = nn.ReLU()
            layers[f'conv_{i}'] = Conv2d(widths[i - 1], widths[i], kernel)
        self.res_path = nn.Sequential(layers)

    def forward(self, x: Tensor) -> Tensor:
        """Map (M, n_in, h, w) to (M, n_out, h, w)."""
        return self.id_path(x) + self.gain * self.res_path(x)


class DALLEDecoder(nn.Module):
    """Four groups of blocks, three of them followed by an enlargement.

    The parameters carry the names of OpenAI's ``decoder.pkl``.

    Args:
        vocab_size (int): Number of ids. Defaults to 8192.
        n_init (int): Width of the embedding of an id. Defaults to 128.
        n_hid (int): Width of the last group. Defaults to 256.
        n_blk_per_group (int): Blocks of a group. Defaults to 2.
    """

    def __init__(
        self,
        vocab_size: int = 8192,
        n_init: int = 128,
        n_hid: int = 256,
        n_blk_per_group: int = 2,
    ) -> None:
        super().__init__()
        self.vocab_size = vocab_size
        gain = 1 / (4 * n_blk_per_group) ** 2
        layers = OrderedDict(
            input=Conv2d(vocab_size, n_init, 1, use_float16=False)
        )
        n_in = n_init
        for i, factor in enumerate((8, 4, 2, 1), start=1):
            group = OrderedDict()
            for j in range(1, n_blk_per_group + 1):
                group[f'block_{j}'] = DecoderBlock(n_in, factor * n_hid, gain)
                n_in = factor * n_hid
            if i < 4:
                group['upsample'] = nn.Upsample(scale_factor=2, mode='nearest')
            layers[f'group_{i}'] = nn.Sequential(group)
        # Three means and three scales of a colour; only the means are drawn.
        layers['output'] = nn.Sequential(
            OrderedDict(relu=nn.ReLU(), conv=Conv2d(n_hid, 6, 1))
        )
        self.blocks = nn.Sequential(layers)

    @torch.no_grad()
    def forward(self, ids: Tensor) -> Tensor:
        """Draw ids (M, gh, gw) as (M, 3, 8 gh, 8 gw), mapped to 0.1 ... 0.9.

        A 1x1 convolution of one-hot vectors is a look-up.
        """
        first, *rest = self.blocks
        x = F.embedding(ids, first.w.flatten(1).T) + first.b  # (M, gh, gw, C)
        x = x.permute(0, 3, 1, 2).contiguous()  # (M, C, gh, gw)
        for part in rest:
            x = part(x)
        return x[:, :3].float().sigmoid()  # (M, 3, H, W)
